import { Cursor } from '../binary/index.ts';
import { BoundsError, BtfError } from '../errors.ts';
import type { Btf } from './btf.ts';
import { BTF_MAGIC, BTF_VERSION } from './header.ts';

/** Which function of the BTF begins at an instruction. */
export interface FunctionInfo {
  /** Bytes from the start of the ELF section. */
  readonly instructionOffset: number;
  readonly typeId: number;
}

/** Which line of C an instruction, and those after it, come from. */
export interface LineInfo {
  /** Bytes from the start of the ELF section. */
  readonly instructionOffset: number;
  readonly fileName: string;
  /** The text of the line. */
  readonly line: string;
  readonly lineNumber: number;
  readonly column: number;
}

/** An instruction whose immediate or offset depends on the types of the kernel it runs on. */
export interface CoreRelocation {
  /** Bytes from the start of the ELF section. */
  readonly instructionOffset: number;
  /** The root of the access, in the BTF of the program. */
  readonly typeId: number;
  /** `0:1:2`: the index of a member or element on each level. */
  readonly accessString: string;
  /** `BPF_CORE_FIELD_BYTE_OFFSET` and so on of `enum bpf_core_relo_kind`. */
  readonly kind: number;
}

/** The records for one ELF section, in the order of their instructions. */
export interface BtfExtSection<Record = unknown> {
  /** Bytes of one record. A producer may append to a record what this library does not know. */
  readonly recordSize: number;
  readonly count: number;
  readonly littleEndian: boolean;
  /** All records as they are in the file. */
  readonly bytes: Uint8Array;
  /**
   * Decoded when first asked for.
   *
   * @throws {BtfError} where a record refers to a type or string that is not there.
   */
  readonly records: readonly Record[];
}

type Sections<Record> = ReadonlyMap<string, BtfExtSection<Record>>;

/** The section `.BTF.ext`: what belongs to instructions rather than to types. Keyed by the name of the ELF section. */
export class BtfExt {
  readonly functionInfo: Sections<FunctionInfo>;
  readonly lineInfo: Sections<LineInfo>;
  readonly coreRelocations: Sections<CoreRelocation>;

  private constructor(tables: Pick<BtfExt, 'functionInfo' | 'lineInfo' | 'coreRelocations'>) {
    this.functionInfo = tables.functionInfo;
    this.lineInfo = tables.lineInfo;
    this.coreRelocations = tables.coreRelocations;
  }

  /** @throws {BtfError} where the header or the extent of a section or of its records is wrong. */
  static parse(bytes: Uint8Array, btf: Btf): BtfExt {
    try {
      const reader = new ExtReader(new Cursor(bytes, btf.littleEndian), { btf, texts: new Texts(btf) });
      return new BtfExt({
        functionInfo: reader.table(8, { leastSize: 8, decode: decodeFunctionInfo }),
        lineInfo: reader.table(16, { leastSize: 16, decode: decodeLineInfo }),
        coreRelocations: reader.table(24, { leastSize: 16, decode: decodeCoreRelocation }),
      });
    } catch (error) {
      if (!(error instanceof BoundsError)) throw error;
      throw new BtfError('Cannot read BTF.ext: it is cut off', { cause: error });
    }
  }
}

/** What records refer to. */
interface Referred {
  readonly btf: Btf;
  readonly texts: Texts;
}

/** Decodes one record, at a byte offset. */
type Decode<Record> = (cursor: Cursor, offset: number, referred: Referred) => Record;

/** Bytes of strings, besides as many as there are. */
const MOST_TEXT = 1 << 24;

/** The strings that records refer to, each decoded once: a hundred thousand lines may be one of 64 KiB, or its ends. */
class Texts {
  readonly #btf: Btf;
  readonly #known = new Map<number, string>();
  #room: number;

  constructor(btf: Btf) {
    this.#btf = btf;
    this.#room = MOST_TEXT + btf.stringsLength;
  }

  /** Throws {@link BtfError} for an offset outside of the strings, and where they are too long altogether. */
  at(offset: number): string {
    let text = this.#known.get(offset);
    if (text === undefined) {
      text = this.#btf.string(offset);
      this.#room -= text.length;
      if (this.#room < 0) throw invalid('the strings of its records are too long altogether');
      this.#known.set(offset, text);
    }
    return text;
  }
}

interface Table<Record> {
  /** Bytes that the first version of the format has. */
  readonly leastSize: number;
  readonly decode: Decode<Record>;
}

class ExtReader {
  readonly #cursor: Cursor;
  readonly #referred: Referred;
  readonly #headerSize: number;

  constructor(cursor: Cursor, referred: Referred) {
    this.#cursor = cursor;
    this.#referred = referred;
    if (cursor.u16(0) !== BTF_MAGIC) throw invalid('its magic is not 0xeb9f in the byte order of the BTF');
    if (cursor.u8(2) !== BTF_VERSION) throw invalid(`version ${String(cursor.u8(2))} is not supported`);
    this.#headerSize = cursor.u32(4);
    cursor.check(0, this.#headerSize);
  }

  /** Reads one kind of records: the size of a record, then for each ELF section its name, a count and the records. */
  table<Record>(headerOffset: number, table: Table<Record>): Sections<Record> {
    const sections = new Map<string, BtfExtSection<Record>>();
    // Core relocations came later than the header.
    if (headerOffset + 8 > this.#headerSize) return sections;
    const start = this.#headerSize + this.#cursor.u32(headerOffset);
    const end = start + this.#cursor.u32(headerOffset + 4);
    if (end === start) return sections;
    this.#cursor.check(start, end - start);
    const recordSize = this.#cursor.u32(start);
    if (recordSize < table.leastSize || recordSize % 4 !== 0)
      throw invalid(`records cannot have ${String(recordSize)} bytes`);
    for (let at = start + 4; at < end;) {
      const name = this.#referred.texts.at(this.#cursor.u32(at));
      const length = this.#cursor.u32(at + 4) * recordSize;
      if (at + 8 + length > end) throw invalid(`the records of section ${name} go past their end`);
      if (sections.has(name)) throw invalid(`section ${name} has records twice`);
      const bytes = this.#cursor.slice(at + 8, length);
      sections.set(
        name,
        new LazySection({ recordSize, bytes, referred: this.#referred, decode: table.decode }),
      );
      at += 8 + length;
    }
    return sections;
  }
}

class LazySection<Record> implements BtfExtSection<Record> {
  readonly recordSize: number;
  readonly littleEndian: boolean;
  readonly bytes: Uint8Array;
  readonly #decode: (offset: number) => Record;
  #records: readonly Record[] | undefined;

  constructor(section: {
    recordSize: number;
    bytes: Uint8Array;
    referred: Referred;
    decode: Decode<Record>;
  }) {
    const { recordSize, bytes, referred, decode } = section;
    this.recordSize = recordSize;
    this.bytes = bytes;
    this.littleEndian = referred.btf.littleEndian;
    const cursor = new Cursor(bytes, this.littleEndian);
    this.#decode = (offset) => decode(cursor, offset, referred);
  }

  get count(): number {
    return this.bytes.length / this.recordSize;
  }

  get records(): readonly Record[] {
    this.#records ??= Array.from({ length: this.count }, (_, index) => this.#decode(index * this.recordSize));
    return this.#records;
  }
}

const decodeFunctionInfo: Decode<FunctionInfo> = (cursor, offset, { btf }) => ({
  instructionOffset: cursor.u32(offset),
  typeId: existing(btf, cursor.u32(offset + 4)),
});

const decodeLineInfo: Decode<LineInfo> = (cursor, offset, { texts }) => {
  // BPF_LINE_INFO_LINE_NUM and BPF_LINE_INFO_LINE_COL of include/uapi/linux/bpf.h.
  const lineAndColumn = cursor.u32(offset + 12);
  return {
    instructionOffset: cursor.u32(offset),
    fileName: texts.at(cursor.u32(offset + 4)),
    line: texts.at(cursor.u32(offset + 8)),
    lineNumber: lineAndColumn >>> 10,
    column: lineAndColumn & 0x3ff,
  };
};

const decodeCoreRelocation: Decode<CoreRelocation> = (cursor, offset, { btf, texts }) => ({
  instructionOffset: cursor.u32(offset),
  typeId: existing(btf, cursor.u32(offset + 4)),
  accessString: texts.at(cursor.u32(offset + 8)),
  kind: cursor.u32(offset + 12),
});

function existing(btf: Btf, typeId: number): number {
  if (typeId < btf.typeCount) return typeId;
  throw new BtfError(`Cannot read BTF.ext: a record refers to type ${String(typeId)}, which is not there`, {
    typeId,
  });
}

function invalid(why: string): BtfError {
  return new BtfError(`Cannot read BTF.ext: ${why}`);
}
