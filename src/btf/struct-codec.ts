import type { FieldCodec } from './field-codec.ts';
import type { FlexibleEnd } from './flexible.ts';
import type { FieldTable } from './in-place.ts';
import { Mismatch } from './mismatch.ts';
import type { BtfValue } from './value.ts';

/** A field with the codec that its type has been compiled to. */
export interface PlacedCodec {
  readonly name: string;
  /** Bytes from the start of the struct; 0 for a bitfield, which knows its own place. */
  readonly offset: number;
  readonly codec: FieldCodec;
  /** Bytes from the start of the struct to the end of what it always has. */
  readonly end: number;
}

/**
 * A struct or union as an object with the fields in C's order. All members of a union are read, since nothing tells
 * which one is meant.
 */
export function structValue(
  fields: readonly PlacedCodec[],
  { size, typeName }: { size: number; typeName: string },
): FieldCodec {
  const names = new Set(fields.map(({ name }) => name));
  // A field that is called as a property of every object (`constructor`) is not there by that.
  const placed = fields.map((field) => ({ ...field, inherited: field.name in Object.prototype }));
  // `__proto__` is a legal name in C and would set the prototype here.
  const ordinary = !names.has('__proto__');
  const flexible = flexibleEnd(fields);
  return {
    size,
    flexible,
    get fields() {
      return tableOf(fields);
    },
    read: flexible
      ? (view, offset, end) => {
          const value: Record<string, BtfValue> = {};
          for (const { name, offset: at, codec } of fields) {
            const read = codec.read(view, offset + at, end);
            if (ordinary) value[name] = read;
            else define(value, name, read);
          }
          return value;
        }
      : (view, offset) => {
          const value: Record<string, BtfValue> = {};
          for (const { name, offset: at, codec } of fields) {
            const read = codec.read(view, offset + at);
            if (ordinary) value[name] = read;
            else define(value, name, read);
          }
          return value;
        },
    write(view, offset, value, end) {
      const given = toRecord(value, typeName);
      let found = 0;
      let current = '';
      try {
        for (const field of placed) {
          current = field.name;
          const one = given[current];
          if (one === undefined || (field.inherited && !Object.hasOwn(given, current))) continue;
          field.codec.write(view, offset + field.offset, one, end);
          found++;
        }
      } catch (error) {
        throw Mismatch.within(`.${current}`, error);
      }
      if (Object.keys(given).length !== found) refuseUnknown(given, names, typeName);
    },
  };
}

function define(record: Record<string, BtfValue>, name: string, value: BtfValue): void {
  Object.defineProperty(record, name, { value, enumerable: true, configurable: true, writable: true });
}

/** Only what can grow where it stands has a flexible array here: see `withoutEnd`. */
function flexibleEnd(fields: readonly PlacedCodec[]): FlexibleEnd | undefined {
  const arrays = fields.flatMap(({ name, offset: at, codec }) =>
    (codec.flexible?.arrays ?? []).map(({ path, offset, ...array }) => ({
      path: [name, ...path],
      offset: at + offset,
      ...array,
    })),
  );
  if (arrays.length === 0) return undefined;
  return { smallest: Math.max(...fields.map(({ end }) => end)), arrays };
}

function tableOf(fields: readonly PlacedCodec[]): FieldTable {
  const table = Object.create(null) as Record<string, FieldTable[string]>;
  for (const { name, offset, codec } of fields) {
    const isStruct = codec.fields !== undefined;
    if (isStruct) table[name] = { offset, of: codec, closed: codec.closed };
    else if (codec.flexible) table[name] = (view, at, end) => codec.read(view, at + offset, end);
    else table[name] = (view, at) => codec.read(view, at + offset);
  }
  return table;
}

/** What has fields by name. */
export function toRecord(value: unknown, typeName: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || isOpaque(value)) {
    throw new Mismatch(value, typeName, 'it must be an object');
  }
  return value as Readonly<Record<string, unknown>>;
}

/** What keeps its contents elsewhere than in properties would be written as zeros. */
function isOpaque(value: object): boolean {
  return (
    Array.isArray(value) ||
    ArrayBuffer.isView(value) ||
    value instanceof ArrayBuffer ||
    value instanceof Map ||
    value instanceof Set ||
    value instanceof Date
  );
}

/** Finds the property that is no field. */
export function refuseUnknown(
  given: Readonly<Record<string, unknown>>,
  names: ReadonlySet<string>,
  typeName: string,
): void {
  for (const name of Object.keys(given)) {
    if (names.has(name)) continue;
    const why = `there is no such field; there are ${[...names].join(', ')}`;
    throw Mismatch.within(`.${name}`, new Mismatch(given[name], typeName, why));
  }
}
