import { BoundsError } from '../errors.ts';

const decoder = new TextDecoder();

/**
 * Bounds-checked access to foreign bytes. Every read throws {@link BoundsError} instead of returning what is not
 * there, so that a parser needs no length checks of its own. Offsets are absolute within the given bytes.
 */
export class Cursor {
  readonly bytes: Uint8Array;
  readonly littleEndian: boolean;
  readonly #view: DataView;

  constructor(bytes: Uint8Array, littleEndian = true) {
    this.bytes = bytes;
    this.littleEndian = littleEndian;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get length(): number {
    return this.bytes.length;
  }

  u8(offset: number): number {
    this.check(offset, 1);
    return this.#view.getUint8(offset);
  }

  u16(offset: number): number {
    this.check(offset, 2);
    return this.#view.getUint16(offset, this.littleEndian);
  }

  u32(offset: number): number {
    this.check(offset, 4);
    return this.#view.getUint32(offset, this.littleEndian);
  }

  i32(offset: number): number {
    this.check(offset, 4);
    return this.#view.getInt32(offset, this.littleEndian);
  }

  u64(offset: number): bigint {
    this.check(offset, 8);
    return this.#view.getBigUint64(offset, this.littleEndian);
  }

  /** The lower half of 64 bits: where there are thousands of them, bigints take too long. */
  low32(offset: number): number {
    return this.u32(this.littleEndian ? offset : offset + 4);
  }

  /** The upper half of 64 bits. */
  high32(offset: number): number {
    return this.u32(this.littleEndian ? offset + 4 : offset);
  }

  /** A 64-bit file offset or size as a number. Throws {@link BoundsError} above 2^53-1, which no buffer can hold. */
  size64(offset: number): number {
    const value = this.high32(offset) * 2 ** 32 + this.low32(offset);
    if (value > Number.MAX_SAFE_INTEGER) throw new BoundsError(offset, Number.MAX_SAFE_INTEGER, this.length);
    return value;
  }

  /** A view on the bytes, not a copy. */
  slice(offset: number, length: number): Uint8Array {
    this.check(offset, length);
    return this.bytes.subarray(offset, offset + length);
  }

  /** The string that starts at `offset` and ends at a NUL before `limit`. */
  string(offset: number, limit = this.length): string {
    this.check(offset, 0);
    const end = this.bytes.indexOf(0, offset);
    if (end < 0 || end >= limit) throw new BoundsError(offset, limit - offset + 1, limit - offset);
    return decoder.decode(this.bytes.subarray(offset, end));
  }

  /** Throws {@link BoundsError} unless `length` bytes lie at `offset`. */
  check(offset: number, length: number): void {
    if (!(offset >= 0 && length >= 0 && offset + length <= this.bytes.length)) {
      throw new BoundsError(offset, length, this.bytes.length);
    }
  }
}
