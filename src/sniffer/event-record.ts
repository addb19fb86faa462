import { BtfError, ValueError } from '../errors.ts';

const decoder = new TextDecoder();

/** Typed, checked access to the fields of an event that was decoded by BTF. */
export class EventRecord {
  readonly #fields: Readonly<Record<string, unknown>>;

  constructor(fields: Readonly<Record<string, unknown>>) {
    this.#fields = fields;
  }

  isInteger(field: string): boolean {
    const value = this.#value(field);
    return typeof value === 'number' || typeof value === 'bigint';
  }

  /** An unsigned integer of up to 32 bits, not above `maximum`. */
  unsigned(field: string, bits: number, maximum = 2 ** bits - 1): number {
    const value = this.#value(field);
    const number = typeof value === 'bigint' ? Number(value) : value;
    if (typeof number !== 'number' || !Number.isInteger(number) || number < 0 || number > maximum) {
      throw mismatch(field, `u${String(bits)}`, `an integer from 0 to ${String(maximum)}`, value);
    }
    return number;
  }

  unsigned64(field: string): bigint {
    const value = this.#value(field);
    if (typeof value === 'bigint' && value >= 0n && value < 1n << 64n) return value;
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return BigInt(value);
    throw mismatch(field, 'u64', 'an unsigned integer of 64 bits', value);
  }

  /** The bytes of `u8 field[length]`, which BTF decoders give as a typed array or as numbers. */
  bytes(field: string, length: number): Uint8Array {
    const value = this.#value(field);
    const wanted = `an array of ${String(length)} bytes`;
    const type = `u8[${String(length)}]`;
    if (value instanceof Uint8Array && value.length === length) return value;
    if (!Array.isArray(value) || value.length !== length) throw mismatch(field, type, wanted, value);
    return Uint8Array.from(value, (element: unknown, index) => {
      if (Number.isInteger(element) && (element as number) >= 0 && (element as number) <= 0xff)
        return element as number;
      throw mismatch(`${field}[${String(index)}]`, 'u8', 'an integer from 0 to 255', element);
    });
  }

  /** `char field[n]` up to its NUL, which BTF decoders give as a string or as bytes. */
  text(field: string): string {
    const value = this.#value(field);
    if (typeof value === 'string') return value;
    if (!(value instanceof Uint8Array)) throw mismatch(field, 'char[]', 'a string', value);
    const end = value.indexOf(0);
    return decoder.decode(end < 0 ? value : value.subarray(0, end));
  }

  #value(field: string): unknown {
    const value = this.#fields[field];
    if (value === undefined) {
      throw new BtfError(`Cannot read a sniffer event: its struct has no field ${field}`, {
        hint: 'The object was built from another version of the sniffer; name the struct of its events yourself.',
      });
    }
    return value;
  }
}

function mismatch(field: string, type: string, wanted: string, value: unknown): ValueError {
  return new ValueError(
    field,
    type,
    `Cannot read ${field} of a sniffer event: it is ${describe(value)}, not ${wanted}`,
  );
}

function describe(value: unknown): string {
  if (value instanceof Uint8Array || Array.isArray(value)) return `an array of ${String(value.length)}`;
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  if (value === null) return 'null';
  const kind = typeof value;
  return /^[aeiou]/.test(kind) ? `an ${kind}` : `a ${kind}`;
}
