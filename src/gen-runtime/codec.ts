import { wholeValue, type FieldTable, type Input, type ValueCodec } from '../btf/index.ts';

/** Reads and writes values of one C type in memory. */
export interface Codec<Value> extends Omit<ValueCodec<Value>, 'write'> {
  /**
   * Writes all `size` bytes, padding and what `value` leaves out as zeros.
   *
   * @throws ValueError where the value does not fit the type, BoundsError where the bytes are not there
   */
  write(view: DataView, offset: number, value: Input<Value>): void;
  /** How single fields of a struct or union are read; modules of earlier versions do not say. */
  readonly fields?: FieldTable | undefined;
}

/** Makes a codec of compiled functions, which leave bounds and padding to it. */
export function codec<Value>(
  typeName: string,
  access: {
    readonly size: number;
    readonly read: (view: DataView, at: number) => Value;
    readonly write: (view: DataView, at: number, value: unknown, typeName: string) => void;
    readonly fields?: FieldTable | undefined;
  },
): Codec<Value> {
  const { size, read, fields } = access;
  const write = (view: DataView, at: number, value: unknown): void => {
    access.write(view, at, value, typeName);
  };
  return { ...wholeValue({ size, read, write }, typeName), fields };
}
