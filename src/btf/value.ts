/** A decoded C value; which of these a type gives is said at {@link createCodec}. */
export type BtfValue =
  number | bigint | boolean | string | Uint8Array | BtfValue[] | { [field: string]: BtfValue };

/** What JSON can carry. */
export type Json = string | number | boolean | null | Json[] | { [field: string]: Json };

/**
 * A decoded value as JSON can carry it: a bigint as a decimal string whatever its size, bytes as lowercase
 * hexadecimal, a float that is not finite as a string.
 */
export function toJson(value: BtfValue): Json {
  switch (typeof value) {
    case 'bigint':
      return value.toString();
    case 'number':
      return Number.isFinite(value) ? value : String(value);
    case 'object':
      if (value instanceof Uint8Array)
        return Buffer.from(value.buffer, value.byteOffset, value.length).toString('hex');
      if (Array.isArray(value)) return value.map(toJson);
      return Object.fromEntries(Object.entries(value).map(([field, inner]) => [field, toJson(inner)]));
    default:
      return value;
  }
}
