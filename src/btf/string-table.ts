import { BtfError } from '../errors.ts';
import type { BtfRange } from './header.ts';

/** The strings of a BTF, NUL-terminated and named by their offset. Those of a split BTF count on from its base's. */
export class StringTable {
  /** Bytes, the base's included. */
  readonly length: number;
  readonly base: StringTable | undefined;
  /** Of the first string that is not the base's. */
  readonly firstOffset: number;
  readonly #strings: Buffer;

  /** Throws {@link BtfError} unless the section begins and ends with a NUL, so that every string ends within it. */
  constructor(bytes: Uint8Array, { start, end }: BtfRange, base: StringTable | undefined) {
    this.base = base;
    this.firstOffset = base?.length ?? 0;
    this.#strings = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start);
    this.length = this.firstOffset + this.#strings.length;
    // Offset 0 is the empty string; a split BTF has that from its base, and may have no strings of its own.
    const begins = base !== undefined || this.#strings[0] === 0;
    const ends = this.#strings.at(-1) === 0 || (base !== undefined && this.#strings.length === 0);
    if (ends && !begins)
      throw new BtfError('Cannot read BTF: its strings do not begin with the empty one', {
        hint: 'types that extend others, as those of a kernel module do (split BTF), are read with those as their base',
      });
    if (!begins || !ends)
      throw new BtfError('Cannot read BTF: its string section does not begin and end with a NUL');
  }

  /** Throws {@link BtfError} for an offset outside of the section. */
  string(offset: number): string {
    return this.#read(offset, { what: 'string', longest: LONGEST_STRING });
  }

  /** The same of a name of a type or of something in it. */
  name(offset: number): string {
    return this.#read(offset, { what: 'name', longest: LONGEST_NAME });
  }

  /** Without the base's. They may be pages of the kernel: to be read, and not to be given away. */
  get ownBytes(): Buffer {
    return this.#strings;
  }

  /** Calls `visit` with the first byte and the NUL of each string, without the base's. */
  forEach(visit: (bytes: Buffer, start: number, end: number) => void): void {
    for (let start = 0; start < this.#strings.length;) {
      const end = this.#strings.indexOf(0, start);
      visit(this.#strings, start, end);
      start = end + 1;
    }
  }

  /** A hash of the string at an offset, the one that {@link hashOf} gives for its text. */
  hash(offset: number): number {
    let at = offset - this.firstOffset;
    if (at < 0 && this.base !== undefined) return this.base.hash(offset);
    const strings = this.#strings;
    let hash = FNV_OFFSET;
    const end = at + HASHED;
    // An offset past the end, and the NUL before it, both end the loop.
    for (let byte = strings[at]; byte && at < end; byte = strings[++at])
      hash = Math.imul(hash ^ byte, FNV_PRIME);
    return hash >>> 0;
  }

  /** Whether the string at an offset is `text`, which ends in its NUL. */
  equals(offset: number, text: Uint8Array): boolean {
    const start = offset - this.firstOffset;
    if (start < 0 && this.base !== undefined) return this.base.equals(offset, text);
    const strings = this.#strings;
    if (start < 0 || start >= strings.length) this.locate(offset);
    // Nearly always the first byte differs, which a native comparison is not worth.
    for (let index = 0; index < text.length; index++)
      if (strings[start + index] !== text[index]) return false;
    return true;
  }

  /** Every offset at which `text` begins, which ends in its NUL: also within a longer string, whose end it is. */
  offsetsOf(text: Uint8Array): Set<number> {
    const offsets = this.base?.offsetsOf(text) ?? new Set<number>();
    const strings = this.#strings;
    for (let at = strings.indexOf(text); at >= 0; at = strings.indexOf(text, at + 1))
      offsets.add(this.firstOffset + at);
    return offsets;
  }

  /** The first of them at which a string begins. */
  offsetOfWhole(text: Uint8Array): number | undefined {
    const inBase = this.base?.offsetOfWhole(text);
    if (inBase !== undefined) return inBase;
    const strings = this.#strings;
    if (strings.subarray(0, text.length).equals(text)) return this.firstOffset;
    const before = strings.indexOf(Buffer.concat([NUL, text]));
    return before < 0 ? undefined : this.firstOffset + before + 1;
  }

  #read(offset: number, { what, longest }: { what: string; longest: number }): string {
    const { strings, start } = this.locate(offset);
    if (strings[start] === 0) return '';
    const end = strings.indexOf(0, start);
    if (end - start > longest)
      throw new BtfError(
        `Cannot read a ${what} of BTF: that at offset ${String(offset)} is longer than ${String(longest)} bytes`,
      );
    return strings.toString('utf8', start, end);
  }

  /** The bytes that the string at an offset is in, and its first one. Throws {@link BtfError}. */
  locate(offset: number): { strings: Buffer; start: number } {
    const start = offset - this.firstOffset;
    if (start < 0 && offset >= 0 && this.base !== undefined) return this.base.locate(offset);
    if (start >= 0 && start < this.#strings.length) return { strings: this.#strings, start };
    throw new BtfError(
      `Cannot read a string of BTF: offset ${String(offset)} is past the ${String(this.length)} bytes of strings`,
    );
  }
}

const NUL = Buffer.alloc(1);
/** No line of a source that is written by hand is longer. */
const LONGEST_STRING = 1 << 16;
/** The kernel takes names of 512 bytes (KSYM_NAME_LEN). A small BTF could have the name of every member be a megabyte. */
const LONGEST_NAME = 1 << 12;
/** Bytes of a name that its hash is made of; the kernel's are at most 512 long (KSYM_NAME_LEN). */
const HASHED = 1 << 10;

/** FNV-1a, for its few operations per byte. */
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** The hash of bytes without their NUL. */
export function hashOf(text: Uint8Array): number {
  return hashBytes(text, 0, Math.min(text.length, HASHED));
}

/** The same of the bytes from `start` to `end`. */
export function hashBytes(bytes: Uint8Array, start: number, end: number): number {
  let hash = FNV_OFFSET;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ (bytes[at] ?? 0), FNV_PRIME);
  return hash >>> 0;
}
