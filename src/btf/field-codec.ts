import type { FlexibleEnd } from './flexible.ts';
import type { FieldTable } from './in-place.ts';
import type { BtfValue } from './value.ts';

/**
 * A codec as part of another. The outermost one checks bounds and zeroes all bytes first, so that what overlaps in a
 * union, or is padding here and a field there, is not wiped out by what is written later.
 */
export interface FieldCodec {
  /** Bytes, as sizeof. */
  readonly size: number;
  /** Of a struct or union. */
  readonly fields?: FieldTable | undefined;
  /** Of a type that ends in a flexible array, which is empty where no `end` is given. */
  readonly flexible?: FlexibleEnd | undefined;
  /** Of such a type where other fields follow. */
  readonly closed?: boolean | undefined;
  read(view: DataView, offset: number, end?: number): BtfValue;
  /** Throws a `Mismatch` where the value does not fit. */
  write(view: DataView, offset: number, value: unknown, end?: number): void;
}
