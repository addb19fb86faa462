import { BoundsError } from '../errors.ts';
import { flexibleSize, type FlexibleEnd } from './flexible.ts';
import { Mismatch } from './mismatch.ts';

/** Reads and writes one value, and nothing around it. */
export interface ValueCodec<Value> {
  /** Bytes, as sizeof: without the elements of a flexible array. */
  readonly size: number;
  /** The type as C spells it. */
  readonly typeName: string;
  /** Where the type ends in a flexible array; undefined for all others, whose values have `size` bytes. */
  readonly flexible?: FlexibleEnd | undefined;
  /**
   * @param end Where in the view the value ends, of a type that ends in a flexible array: that has the whole elements up to
   * there, and none where it is left out. Without meaning for other types.
   * @throws {BoundsError} where the value does not lie at `offset`.
   */
  read(view: DataView, offset: number, end?: number): Value;
  /**
   * Writes all `size` bytes, or all up to `end`; padding and what `value` leaves out as zeros.
   *
   * @param end As of {@link read}: the elements that are given must fit.
   * @throws {ValueError} where the value does not fit the type; the bytes are then undefined.
   * @throws {BoundsError} where the bytes do not lie at `offset`.
   */
  write(view: DataView, offset: number, value: unknown, end?: number): void;
  /** Bytes that `value` takes: `size`, or as many as the elements of its flexible array need. */
  lengthOf(value: unknown): number;
}

/** What reads and writes without looking at bounds and padding. */
type Access<Value> = Pick<ValueCodec<Value>, 'size' | 'read' | 'write' | 'flexible'>;

/** Makes a codec of what reads and writes without looking at bounds and padding. */
export function wholeValue<Value>(access: Access<Value>, typeName: string): ValueCodec<Value> {
  const { size, read, write, flexible } = access;
  if (flexible !== undefined) return flexibleValue(access, { typeName, flexible });
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
    lengthOf: () => size,
  };
}

function flexibleValue<Value>(
  { size, read, write }: Access<Value>,
  { typeName, flexible }: { typeName: string; flexible: FlexibleEnd },
): ValueCodec<Value> {
  const { smallest, arrays } = flexible;
  /** The bytes of the value. */
  const check = (view: DataView, offset: number, end: number | undefined): number => {
    const length = end === undefined ? size : end - offset;
    if (end !== undefined && !(length >= smallest)) throw new BoundsError(offset, smallest, end);
    if (!(offset >= 0 && offset + length <= view.byteLength))
      throw new BoundsError(offset, length, view.byteLength);
    return length;
  };
  return {
    size,
    typeName,
    flexible,
    read(view, offset, end) {
      check(view, offset, end);
      return read(view, offset, end);
    },
    write(view, offset, value, end) {
      zero(view, { offset, size: check(view, offset, end) });
      try {
        write(view, offset, value, end);
      } catch (error) {
        throw error instanceof Mismatch ? error.toError() : error;
      }
    },
    lengthOf: (value) => flexibleSize(value, { size, arrays }),
  };
}

/** Below this, making the array that fill() needs costs more than filling. */
const SMALL = 64;

function zero(view: DataView, { offset, size }: { offset: number; size: number }): void {
  if (size > SMALL) new Uint8Array(view.buffer, view.byteOffset + offset, size).fill(0);
  else for (let at = offset; at < offset + size; at++) view.setUint8(at, 0);
}
