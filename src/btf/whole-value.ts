import { BoundsError } from '../errors.ts';
import { Mismatch } from './mismatch.ts';

/** Reads and writes one value, and nothing around it. */
export interface ValueCodec<Value> {
  /** Bytes, as sizeof. */
  readonly size: number;
  /** The type as C spells it. */
  readonly typeName: string;
  /** @throws {BoundsError} where `size` bytes do not lie at `offset`. */
  read(view: DataView, offset: number): Value;
  /**
   * Writes all `size` bytes, padding and what `value` leaves out as zeros.
   *
   * @throws {ValueError} where the value does not fit the type; the bytes are then undefined.
   * @throws {BoundsError} where `size` bytes do not lie at `offset`.
   */
  write(view: DataView, offset: number, value: unknown): void;
}

/** Makes a codec of what reads and writes without looking at bounds and padding. */
export function wholeValue<Value>(
  { size, read, write }: Pick<ValueCodec<Value>, 'size' | 'read' | 'write'>,
  typeName: string,
): ValueCodec<Value> {
  const check = (view: DataView, offset: number): void => {
    if (!(offset >= 0 && offset + size <= view.byteLength))
      throw new BoundsError(offset, size, view.byteLength);
  };
  return {
    size,
    typeName,
    read(view, offset) {
      check(view, offset);
      return read(view, offset);
    },
    write(view, offset, value) {
      check(view, offset);
      zero(view, { offset, size });
      try {
        write(view, offset, value);
      } catch (error) {
        throw error instanceof Mismatch ? error.toError() : error;
      }
    },
  };
}

/** Below this, making the array that fill() needs costs more than filling. */
const SMALL = 64;

function zero(view: DataView, { offset, size }: { offset: number; size: number }): void {
  if (size > SMALL) new Uint8Array(view.buffer, view.byteOffset + offset, size).fill(0);
  else for (let at = offset; at < offset + size; at++) view.setUint8(at, 0);
}
