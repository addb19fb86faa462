import { BoundsError, ClosedError } from '../errors.ts';
import { BPF_RINGBUF_DISCARD_BIT } from '../uapi/index.ts';

/** A record that is being written, within its bounds. What was there before is still in it. */
export class UserRecord {
  /** Bytes. */
  readonly length: number;
  readonly #view: DataView;
  readonly #start: number;
  #finish: ((flags: number) => void) | undefined;

  /** For {@link UserRingBuffer}. */
  constructor(
    view: DataView,
    place: { readonly start: number; readonly length: number; readonly finish: (flags: number) => void },
  ) {
    this.#view = view;
    this.#start = place.start;
    this.length = place.length;
    this.#finish = place.finish;
  }

  u8(offset: number, value: number): void {
    this.#view.setUint8(this.#at(offset, 1), value);
  }

  u16(offset: number, value: number): void {
    this.#view.setUint16(this.#at(offset, 2), value, true);
  }

  u32(offset: number, value: number): void {
    this.#view.setUint32(this.#at(offset, 4), value, true);
  }

  u64(offset: number, value: bigint): void {
    this.#view.setBigUint64(this.#at(offset, 8), value, true);
  }

  bytes(offset: number, bytes: Uint8Array): void {
    const at = this.#at(offset, bytes.length);
    new Uint8Array(this.#view.buffer, this.#view.byteOffset + at, bytes.length).set(bytes);
  }

  /** Hands it to programs; it cannot be written any more. @throws ClosedError, also the second time */
  submit(): void {
    this.#end(0);
  }

  /** Gives it up: programs pass over it. @throws ClosedError, also the second time */
  discard(): void {
    this.#end(BPF_RINGBUF_DISCARD_BIT);
  }

  #end(flags: number): void {
    const finish = this.#finish;
    if (!finish) throw new ClosedError('the record');
    this.#finish = undefined;
    finish(flags);
  }

  #at(offset: number, length: number): number {
    if (!this.#finish) throw new ClosedError('the record');
    if (!(offset >= 0 && offset + length <= this.length)) throw new BoundsError(offset, length, this.length);
    return this.#start + offset;
  }
}
