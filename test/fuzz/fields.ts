import type { Dice } from './dice.ts';

/** Offset and size, in bytes. */
export type Field = readonly [offset: number, size: number];

/** Bytes whose fields are overwritten, in the byte order of the file. What lies outside of them is left alone. */
export class FieldWriter {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  readonly #littleEndian: boolean;

  constructor(bytes: Uint8Array, littleEndian: boolean) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#littleEndian = littleEndian;
  }

  word(at: number): number {
    return at >= 0 && at + 4 <= this.bytes.length ? this.#view.getUint32(at, this.#littleEndian) : 0;
  }

  setWord(at: number, value: number): void {
    if (at >= 0 && at + 4 <= this.bytes.length) this.#view.setUint32(at, value, this.#littleEndian);
  }

  set([at, size]: Field, value: bigint): void {
    if (at < 0 || at + size > this.bytes.length) return;
    const fitting = BigInt.asUintN(size * 8, value);
    if (size === 8) this.#view.setBigUint64(at, fitting, this.#littleEndian);
    else if (size === 4) this.#view.setUint32(at, Number(fitting), this.#littleEndian);
    else if (size === 2) this.#view.setUint16(at, Number(fitting), this.#littleEndian);
    else this.#view.setUint8(at, Number(fitting));
  }

  text(at: number, text: string): void {
    const bytes = Buffer.from(text);
    this.bytes.set(bytes.subarray(0, Math.max(0, this.bytes.length - at)), Math.min(at, this.bytes.length));
  }

  /** Up to `most` bytes of a range. */
  scribble({ start, end }: { start: number; end: number }, dice: Dice, most = 4): void {
    if (end <= start) return;
    for (let count = dice.below(most); count >= 0; count--) {
      const at = start + dice.below(end - start);
      if (at < this.bytes.length) this.bytes[at] = dice.onceIn(2) ? dice.pick(BYTES) : dice.below(256);
    }
  }
}

const BYTES = [0, 1, 2, 3, 0x18, 0x7f, 0x80, 0x85, 0xff];
