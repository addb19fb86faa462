import { wholeValue, type ValueCodec } from '../btf/index.ts';

/**
 * What may be written where `Value` is read: fields may be left out, which makes them zero; 64-bit integers may be
 * numbers up to 2^53, integers decimal or hexadecimal text, bytes hexadecimal text.
 */
export type Input<Value> = Value extends Uint8Array
  ? Uint8Array | string | readonly number[]
  : Value extends bigint
    ? bigint | number
    : Value extends readonly unknown[]
      ? { readonly [Index in keyof Value]: Input<Value[Index]> }
      : Value extends object
        ? { readonly [Field in keyof Value]?: Input<Value[Field]> | undefined }
        : Value;

/** Reads and writes values of one C type in memory. */
export interface Codec<Value> extends Omit<ValueCodec<Value>, 'write'> {
  /**
   * Writes all `size` bytes, padding and what `value` leaves out as zeros.
   *
   * @throws ValueError where the value does not fit the type, BoundsError where the bytes are not there
   */
  write(view: DataView, offset: number, value: Input<Value>): void;
}

/** Makes a codec of compiled functions, which leave bounds and padding to it. */
export function codec<Value>(
  typeName: string,
  access: {
    readonly size: number;
    readonly read: (view: DataView, at: number) => Value;
    readonly write: (view: DataView, at: number, value: unknown, typeName: string) => void;
  },
): Codec<Value> {
  const { size, read } = access;
  const write = (view: DataView, at: number, value: unknown): void => {
    access.write(view, at, value, typeName);
  };
  return wholeValue({ size, read, write }, typeName);
}
