import { ElfError } from '../../errors.ts';

/** Names may share their bytes: linkers keep equal ones once, and one that another ends with. */
const READS_OF_A_BYTE = 16;
const BYTES_OF_A_NAME = 64;

/**
 * The names that a table of an executable refers to. Each ends at a NUL, however far that is, so that a small file could
 * have every name be a megabyte: together they may have no more bytes than a linker ever lets them share.
 */
export class NameReader {
  readonly #file: { readonly name: string };
  readonly #bytes: Buffer;
  #left: number;

  /** `count`: of the entries that have a name. */
  constructor(file: { readonly name: string }, bytes: Uint8Array, { count }: { count: number }) {
    this.#file = file;
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#left = READS_OF_A_BYTE * bytes.length + BYTES_OF_A_NAME * count;
  }

  /** Up to the NUL, or the end; empty behind that. @throws ElfError once the names have too many bytes together */
  at(offset: number): string {
    if (offset >= this.#bytes.length) return '';
    const found = this.#bytes.indexOf(0, offset);
    const end = found < 0 ? this.#bytes.length : found;
    this.#left -= end - offset;
    if (this.#left < 0)
      throw new ElfError('ELF_INVALID', `Cannot read ${this.#file.name}: its names overlap`, { offset });
    return this.#bytes.toString('latin1', offset, end);
  }
}
