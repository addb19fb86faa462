import type { FieldCodec } from './field-codec.ts';
import { Mismatch } from './mismatch.ts';
import type { BtfValue } from './value.ts';

/** A field with the codec that its type has been compiled to. */
export interface PlacedCodec {
  readonly name: string;
  /** Bytes from the start of the struct; 0 for a bitfield, which knows its own place. */
  readonly offset: number;
  readonly codec: FieldCodec;
}

/**
 * A struct or union as an object with the fields in C's order. All members of a union are read, since nothing tells
 * which one is meant.
 */
export function structValue(
  fields: readonly PlacedCodec[],
  { size, typeName }: { size: number; typeName: string },
): FieldCodec {
  const byName = new Map(fields.map((field) => [field.name, field]));
  // `__proto__` is a legal name in C and would set the prototype here.
  const ordinary = !byName.has('__proto__');
  return {
    size,
    read(view, offset) {
      const value: Record<string, BtfValue> = {};
      for (const { name, offset: at, codec } of fields) {
        const read = codec.read(view, offset + at);
        if (ordinary) value[name] = read;
        else
          Object.defineProperty(value, name, {
            value: read,
            enumerable: true,
            configurable: true,
            writable: true,
          });
      }
      return value;
    },
    write(view, offset, value) {
      if (
        typeof value !== 'object' ||
        value === null ||
        Array.isArray(value) ||
        value instanceof Uint8Array
      ) {
        throw new Mismatch(value, typeName, 'it must be an object');
      }
      for (const [name, given] of Object.entries(value as Record<string, unknown>)) {
        const field = byName.get(name);
        if (field === undefined)
          throw Mismatch.within(`.${name}`, new Mismatch(given, typeName, unknownField(byName)));
        if (given === undefined) continue;
        try {
          field.codec.write(view, offset + field.offset, given);
        } catch (error) {
          throw Mismatch.within(`.${name}`, error);
        }
      }
    },
  };
}

function unknownField(byName: ReadonlyMap<string, unknown>): string {
  return `there is no such field; there are ${[...byName.keys()].join(', ')}`;
}
