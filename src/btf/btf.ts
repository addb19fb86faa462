import { BtfError } from '../errors.ts';
import { decodeType, Members, type TypeSource } from './decode.ts';
import { readHeader } from './header.ts';
import { kindNames, kindNumber } from './kind.ts';
import type { BtfKind } from './kind.ts';
import { NameIndex } from './name-index.ts';
import { kindOfInfo } from './scan.ts';
import { StringTable } from './string-table.ts';
import { TypeIndex } from './type-index.ts';
import type { BtfType } from './type.ts';

/** How the bytes of a BTF are to be taken. */
export interface BtfOptions {
  /** What it extends: the kernel's types, where it is a module's. */
  readonly base?: Btf | undefined;
  /** The bytes are pages that cannot be written to. @default false */
  readonly readOnly?: boolean | undefined;
  /**
   * The running kernel offers these bytes, so that it has checked them, and its build gave every name a string of its own.
   * Types are then looked for as far as they are needed, and a length that is wrong is thrown only there.
   *
   * @default false
   */
  readonly checked?: boolean | undefined;
}

/**
 * The types of a BPF object, of the kernel or of a kernel module. Parsing finds where each type lies, or
 * leaves even that for later (see {@link BtfOptions}), and decodes none; a type or string is decoded, and only then
 * checked, each time it is asked for. Immutable.
 *
 * @example
 * const btf = Btf.parse(readFileSync('/sys/kernel/btf/vmlinux'));
 * const id = btf.find('task_struct', 'struct');
 */
export class Btf {
  readonly littleEndian: boolean;
  /** What this BTF extends: the kernel's, where this is a module's. */
  readonly base: Btf | undefined;
  /** The first id that is this BTF's own: 1, or the base's `typeCount`. */
  readonly firstId: number;
  /** Within this folder: the bytes of the strings. */
  readonly strings: StringTable;
  readonly #bytes: Uint8Array;
  readonly #readOnly: boolean;
  readonly #view: DataView;
  readonly #typesStart: number;
  readonly #index: TypeIndex;
  readonly #source: TypeSource;
  readonly #names: NameIndex;

  private constructor(bytes: Uint8Array, { base, readOnly = false, checked = false }: BtfOptions) {
    this.#bytes = bytes;
    this.#readOnly = readOnly;
    this.base = base;
    const header = readHeader(bytes);
    this.littleEndian = header.littleEndian;
    this.firstId = base?.typeCount ?? 1;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.strings = new StringTable(bytes, header.strings, base === undefined ? undefined : base.strings);
    this.#typesStart = header.types.start;
    this.#index = new TypeIndex(bytes, header, { firstId: this.firstId, sparse: checked });
    this.#names = new NameIndex(this.strings, this.#index, { firstId: this.firstId, ownStrings: checked });
    this.#source = this.#typeSource();
    if (!checked) this.#index.findAll();
  }

  /**
   * Keeps `bytes`, which must not change from then on.
   *
   * @throws {BtfError} where the header, the length of a type or the string section is wrong. What is wrong inside
   * of a type is thrown when that type is decoded.
   */
  static parse(bytes: Uint8Array, options: BtfOptions = {}): Btf {
    return new Btf(bytes, options);
  }

  /** Ids go from 0, which is void, to `typeCount - 1`, the base's included. */
  get typeCount(): number {
    return this.firstId + this.#index.count;
  }

  /** All of it, as it was given; a copy where these are pages of the kernel, since a store into those ends the process. */
  get bytes(): Uint8Array {
    return this.#readOnly ? this.#bytes.slice() : this.#bytes;
  }

  /** Within this folder: the length of `bytes`, with that of all that it extends. */
  get byteLength(): number {
    return this.#bytes.length + (this.base?.byteLength ?? 0);
  }

  /** Decodes a type. Throws {@link BtfError} for an id that is not there or a malformed type. */
  type(id: number): BtfType {
    if (id === 0) return { kind: 'void' };
    if (id > 0 && id < this.firstId && this.base !== undefined) return this.base.type(id);
    return decodeType(this.#source, id, this.byteOffsetOf(id));
  }

  /** Within this folder: the members of a type that is known to be a struct or union. Throws {@link BtfError}. */
  membersOf(id: number): Members {
    if (id > 0 && id < this.firstId && this.base !== undefined) return this.base.membersOf(id);
    return new Members(this.#source, id, this.byteOffsetOf(id));
  }

  /** The kind of a type, without decoding it. */
  kindOf(id: number): BtfKind {
    if (id === 0) return 'void';
    if (id > 0 && id < this.firstId && this.base !== undefined) return this.base.kindOf(id);
    const kind = kindOfInfo(this.#view.getUint32(this.byteOffsetOf(id) + 4, this.littleEndian));
    const name = kindNames[kind];
    if (name === undefined) {
      throw new BtfError(`Cannot read BTF type ${String(id)}: kind ${String(kind)} is not known`, {
        typeId: id,
      });
    }
    return name;
  }

  /**
   * The word of a type that is its size in bytes (int, struct, union, enum, datasec, float), or the id of the type
   * it refers to (the others), without decoding it. The id is not checked.
   */
  sizeOrTypeId(id: number): number {
    if (id === 0) return 0;
    if (id > 0 && id < this.firstId && this.base !== undefined) return this.base.sizeOrTypeId(id);
    return this.#view.getUint32(this.byteOffsetOf(id) + 8, this.littleEndian);
  }

  /** Bytes of strings, the base's included: the strings of a split BTF count on from those of its base. */
  get stringsLength(): number {
    return this.strings.length;
  }

  /** The string at an offset of the string section. Throws {@link BtfError} for an offset outside of it. */
  string(offset: number): string {
    return this.strings.string(offset);
  }

  /** The name of a type, `''` for an anonymous one and for void. */
  nameOf(id: number): string {
    if (id === 0) return '';
    if (id > 0 && id < this.firstId && this.base !== undefined) return this.base.nameOf(id);
    return this.strings.name(this.#view.getUint32(this.byteOffsetOf(id), this.littleEndian));
  }

  /** Within this folder: where the name of one of this BTF's own types is in its strings. Throws {@link BtfError}. */
  nameOffsetOf(id: number): number {
    return this.#view.getUint32(this.byteOffsetOf(id), this.littleEndian);
  }

  /**
   * Where the `struct btf_type` of one of this BTF's own types starts in `bytes`.
   *
   * @throws {BtfError} for an id that is not there, void and the base's included.
   */
  byteOffsetOf(id: number): number {
    const word = this.#index.wordOf(id - this.firstId);
    if (word !== undefined) return this.#typesStart + word * 4;
    throw new BtfError(`Cannot find BTF type ${String(id)}: ids go from 0 to ${String(this.typeCount - 1)}`, {
      typeId: id,
    });
  }

  /** The first id with that name and kind: own types first, then the base's. */
  find(name: string, kind?: BtfKind): number | undefined {
    return this.#lookUp(name, kind)[0] ?? this.base?.find(name, kind);
  }

  /** Every id with that name and kind: own types first, then the base's. */
  findAll(name: string, kind?: BtfKind): number[] {
    return [...this.#lookUp(name, kind), ...(this.base?.findAll(name, kind) ?? [])];
  }

  /** Every id but 0: the base's, then the own ones. */
  *ids(): IterableIterator<number> {
    for (let id = 1; id < this.typeCount; id++) yield id;
  }

  /** The ids of one kind: the base's, then the own ones. Decodes none. */
  idsOf(kind: Exclude<BtfKind, 'void'>): number[] {
    const own = this.#index.ofKind(kindNumber[kind]).map((index) => this.firstId + index);
    return this.base === undefined ? own : [...this.base.idsOf(kind), ...own];
  }

  #typeSource(): TypeSource {
    return {
      view: this.#view,
      littleEndian: this.littleEndian,
      has: (id) => id < this.firstId || this.#index.has(id - this.firstId),
      lastId: () => this.typeCount - 1,
      name: (offset) => this.strings.name(offset),
      strings: this.strings,
    };
  }

  #lookUp(name: string, kind: BtfKind | undefined): readonly number[] {
    return kind === undefined
      ? this.#names.find(name)
      : this.#names.findOf(kind, { name, kindOf: (id) => this.kindOf(id) });
  }
}
