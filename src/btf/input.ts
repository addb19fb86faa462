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
