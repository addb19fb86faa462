import { wholeValue, type FieldTable, type FlexibleEnd, type Input, type ValueCodec } from '../btf/index.ts';

/** Reads and writes values of one C type in memory. */
export interface Codec<Value> extends Omit<ValueCodec<Value>, 'write'> {
  /**
   * Writes all `size` bytes, or all up to `end`; padding and what `value` leaves out as zeros.
   *
   * @param end Where the elements of a flexible array end that the type ends in; it has none where this is left out.
   * @throws ValueError where the value does not fit the type, BoundsError where the bytes are not there
   */
  write(view: DataView, offset: number, value: Input<Value>, end?: number): void;
  /** How single fields of a struct or union are read; modules of earlier versions do not say. */
  readonly fields?: FieldTable | undefined;
}

/** Makes a codec of compiled functions, which leave bounds and padding to it. */
export function codec<Value>(
  typeName: string,
  access: {
    readonly size: number;
    readonly read: (view: DataView, at: number, end?: number) => Value;
    readonly write: (view: DataView, at: number, value: unknown, typeName: string, end?: number) => void;
    readonly fields?: FieldTable | undefined;
    readonly flexible?: FlexibleEnd | undefined;
  },
): Codec<Value> {
  const { size, read, fields, flexible } = access;
  const write = (view: DataView, at: number, value: unknown, end?: number): void => {
    access.write(view, at, value, typeName, end);
  };
  return { ...wholeValue({ size, read, write, flexible }, typeName), fields };
}
