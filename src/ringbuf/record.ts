import { BoundsError } from '../errors.ts';

const decoder = new TextDecoder();

/**
 * One record of a ring buffer, for as long as the callback that got it runs.
 *
 * It reads straight from the kernel's memory, which no view may leave: the pages are read-only, where a store ends
 * the process, and the kernel reuses them afterwards. So it only reads, within the record, and {@link bytes} copies.
 * One object serves all records; a copy of it kept for later reads whatever record is current then.
 */
export class RingBufferRecord {
  readonly #view: DataView;
  #start = 0;
  #length = 0;

  constructor(view: DataView) {
    this.#view = view;
  }

  /** Bytes. */
  get length(): number {
    return this.#length;
  }

  u8(offset: number): number {
    return this.#view.getUint8(this.#at(offset, 1));
  }

  u16(offset: number): number {
    return this.#view.getUint16(this.#at(offset, 2), true);
  }

  u32(offset: number): number {
    return this.#view.getUint32(this.#at(offset, 4), true);
  }

  i32(offset: number): number {
    return this.#view.getInt32(this.#at(offset, 4), true);
  }

  u64(offset: number): bigint {
    return this.#view.getBigUint64(this.#at(offset, 8), true);
  }

  i64(offset: number): bigint {
    return this.#view.getBigInt64(this.#at(offset, 8), true);
  }

  /** A copy. @default the whole record */
  bytes(offset = 0, length = this.#length - offset): Uint8Array {
    const { buffer, byteOffset } = this.#view;
    return new Uint8Array(buffer, byteOffset + this.#at(offset, length), length).slice();
  }

  /** A `char name[length]`, up to its NUL. */
  string(offset: number, length: number): string {
    const bytes = this.bytes(offset, length);
    const end = bytes.indexOf(0);
    return decoder.decode(end < 0 ? bytes : bytes.subarray(0, end));
  }

  /** Moves on to another record. For the reader that owns this object. */
  moveTo(start: number, length: number): void {
    this.#start = start;
    this.#length = length;
  }

  #at(offset: number, length: number): number {
    if (!(offset >= 0 && length >= 0 && offset + length <= this.#length)) {
      throw new BoundsError(offset, length, this.#length);
    }
    return this.#start + offset;
  }
}
