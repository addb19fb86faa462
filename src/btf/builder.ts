import { BtfError } from '../errors.ts';
import type { Btf } from './btf.ts';
import { encodeType } from './encode.ts';
import { BTF_HEADER_SIZE, BTF_MAGIC, BTF_VERSION } from './header.ts';
import type { BtfType } from './type.ts';

export interface BtfBuilderOptions {
  /** The byte order of what is built. @default true */
  readonly littleEndian?: boolean | undefined;
  /** What the types extend, as those of a kernel module extend the kernel's: ids and strings count on from there. */
  readonly base?: Btf | undefined;
}

/**
 * Builds BTF type by type. Ids count up in the order of adding, from 1 or the base's `typeCount`; a type may refer
 * to one that comes later.
 *
 * @example
 * const builder = new BtfBuilder();
 * const float = builder.add({ kind: 'float', name: 'float', size: 4 });
 * builder.add({ kind: 'typedef', name: 'ratio', typeId: float });
 * const btf = Btf.parse(builder.build());
 */
export class BtfBuilder {
  readonly #littleEndian: boolean;
  readonly #words: number[] = [];
  /** The empty string of a split BTF is its base's. */
  readonly #strings = new Map<string, number>([['', 0]]);
  readonly #firstString: number;
  #nextString: number;
  #nextId: number;

  constructor({ littleEndian = true, base }: BtfBuilderOptions = {}) {
    this.#littleEndian = littleEndian;
    this.#nextId = base?.typeCount ?? 1;
    this.#firstString = base?.stringsLength ?? 0;
    this.#nextString = base?.stringsLength ?? 1;
  }

  /** Adds a type and gives its id. Throws {@link BtfError} for what the format cannot say. */
  add(type: BtfType): number {
    for (const word of encodeType(type, (text) => this.addString(text))) this.#words.push(word);
    return this.#nextId++;
  }

  /**
   * Adds a string unless it is there, and gives its offset: for BTF.ext, which refers to the BTF's strings. Throws
   * {@link BtfError} for a string with a NUL in it.
   */
  addString(text: string): number {
    const known = this.#strings.get(text);
    if (known !== undefined) return known;
    if (text.includes('\0')) {
      throw new BtfError(`Cannot build BTF: the string ${JSON.stringify(text)} has a NUL in it`);
    }
    const offset = this.#nextString;
    this.#strings.set(text, offset);
    this.#nextString += Buffer.byteLength(text) + 1;
    return offset;
  }

  /** The BTF so far, as `BPF_BTF_LOAD` and an ELF section `.BTF` take it. */
  build(): Uint8Array<ArrayBuffer> {
    const typesLength = this.#words.length * 4;
    const stringsLength = this.#nextString - this.#firstString;
    const bytes = new Uint8Array(BTF_HEADER_SIZE + typesLength + stringsLength);
    const view = new DataView(bytes.buffer);
    view.setUint16(0, BTF_MAGIC, this.#littleEndian);
    view.setUint8(2, BTF_VERSION);
    const header = [BTF_HEADER_SIZE, 0, typesLength, typesLength, stringsLength];
    [...header, ...this.#words].forEach((word, index) => {
      view.setUint32(4 + index * 4, word, this.#littleEndian);
    });
    const strings = Buffer.from(bytes.buffer, BTF_HEADER_SIZE + typesLength);
    for (const [text, offset] of this.#strings) {
      if (text !== '') strings.write(text, offset - this.#firstString, 'utf8');
    }
    return bytes;
  }
}
