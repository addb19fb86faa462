import { BtfError } from '../errors.ts';
import type { Btf } from './btf.ts';
import { encodeType } from './encode.ts';
import { BTF_HEADER_SIZE, BTF_MAGIC, BTF_VERSION } from './header.ts';
import { StringPool } from './string-pool.ts';
import { readTypeWords, renumber } from './type-words.ts';
import type { BtfType } from './type.ts';

/** Options of {@link BtfBuilder}. */
export interface BtfBuilderOptions {
  /** The byte order of what is built. @default true */
  readonly littleEndian?: boolean | undefined;
  /** What the types extend, as those of a kernel module extend the kernel's: ids and strings count on from there. */
  readonly base?: Btf | undefined;
}

/** Where the types and strings of an appended BTF went. */
export interface AppendedBtf {
  /** The new id of a type. */
  readonly id: (id: number) => number;
  /** The new offset of a string: for what refers to the strings from outside, as BTF.ext does. */
  readonly stringOffset: (offset: number) => number;
}

const FIRST_CAPACITY = 256;

/**
 * Builds BTF type by type, or of others. Ids count up in the order of adding, from 1 or the base's `typeCount`; a type
 * may refer to one that comes later.
 *
 * @example
 * const builder = new BtfBuilder();
 * const float = builder.add({ kind: 'float', name: 'float', size: 4 });
 * builder.add({ kind: 'typedef', name: 'ratio', typeId: float });
 * const btf = Btf.parse(builder.build());
 */
export class BtfBuilder {
  readonly #littleEndian: boolean;
  readonly #base: Btf | undefined;
  readonly #strings: StringPool;
  #words = new Uint32Array(FIRST_CAPACITY);
  #used = 0;
  #nextId: number;

  constructor({ littleEndian = true, base }: BtfBuilderOptions = {}) {
    this.#littleEndian = littleEndian;
    this.#base = base;
    this.#nextId = base?.typeCount ?? 1;
    this.#strings = new StringPool(base?.strings);
  }

  /** Adds a type and gives its id. Throws {@link BtfError} for what the format cannot say. */
  add(type: BtfType): number {
    this.#append(encodeType(type, (text) => this.addString(text)));
    return this.#nextId++;
  }

  /**
   * Adds a string unless it, or its base, has it, and gives its offset: for BTF.ext, which refers to the BTF's strings.
   * Throws {@link BtfError} for a string with a NUL in it.
   */
  addString(text: string): number {
    return this.#strings.add(text);
  }

  /**
   * Adds all types and strings of another BTF behind those that are there; what is there already comes twice, which
   * `dedup()` undoes. A split BTF can be appended to what extends the same base.
   *
   * @throws {BtfError} where `btf` extends another base, or has types of an unknown kind
   */
  append(btf: Btf): AppendedBtf {
    if (btf.base !== undefined && btf.base !== this.#base)
      throw new BtfError('Cannot append BTF: it extends another BTF than what is built');
    const { words, starts } = readTypeWords(btf);
    const shift = this.#nextId - btf.firstId;
    const id = (old: number): number => (old < btf.firstId ? old : old + shift);
    const stringOffset = (offset: number): number => this.#strings.addFrom(btf.strings, offset);
    this.#strings.addAll(btf.strings);
    for (const start of starts.subarray(0, -1)) renumber(words, start, { type: id, string: stringOffset });
    this.#append(words);
    this.#nextId += starts.length - 1;
    return { id, stringOffset };
  }

  /** The BTF so far, as `BPF_BTF_LOAD` and an ELF section `.BTF` take it. */
  build(): Uint8Array<ArrayBuffer> {
    return encodeBtf(this.#words.subarray(0, this.#used), {
      strings: this.#strings.bytes,
      littleEndian: this.#littleEndian,
    });
  }

  #append(words: ArrayLike<number>): void {
    const length = this.#used + words.length;
    if (length > this.#words.length) {
      const larger = new Uint32Array(Math.max(2 * this.#words.length, length));
      larger.set(this.#words);
      this.#words = larger;
    }
    this.#words.set(words, this.#used);
    this.#used = length;
  }
}

/** A header, the words of types and the strings. */
export function encodeBtf(
  words: Uint32Array,
  { strings, littleEndian }: { readonly strings: Uint8Array; readonly littleEndian: boolean },
): Uint8Array<ArrayBuffer> {
  const typesLength = words.length * 4;
  const bytes = new Uint8Array(BTF_HEADER_SIZE + typesLength + strings.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, BTF_MAGIC, littleEndian);
  view.setUint8(2, BTF_VERSION);
  [BTF_HEADER_SIZE, 0, typesLength, typesLength, strings.length].forEach((word, index) => {
    view.setUint32(4 + index * 4, word, littleEndian);
  });
  words.forEach((word, index) => {
    view.setUint32(BTF_HEADER_SIZE + index * 4, word, littleEndian);
  });
  bytes.set(strings, BTF_HEADER_SIZE + typesLength);
  return bytes;
}
