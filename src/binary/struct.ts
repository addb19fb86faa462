import { BoundsError } from '../errors.ts';
import type { FieldType } from './field-types.ts';

/** A field at an offset of its own, for layouts that C alignment does not give: unions, packed structs. */
export interface PlacedField<Value> {
  readonly offset: number;
  readonly type: FieldType<Value>;
}

/** The object that a struct is read as. */
export type StructValue<Type> = Type extends StructType<infer Value> ? Value : never;

/**
 * The layout of one C struct: sizes and offsets, and reading and writing as an object.
 *
 * It is itself a field type, so structs nest.
 */
export interface StructType<Value> extends FieldType<Value> {
  readonly name: string;
  readonly offsets: { readonly [Name in keyof Value]: number };
  /** A new buffer of `size` bytes; fields that `value` leaves out are zero. */
  encode(value: Partial<Value>): Uint8Array<ArrayBuffer>;
  /** Writes the given fields only. */
  update(view: DataView, offset: number, value: Partial<Value>): void;
  /** Reads from bytes. Throws {@link BoundsError} where they are too short. */
  decode(bytes: Uint8Array, offset?: number): Value;
}

/** Shorthand for a placed field. */
export function at<Value>(offset: number, type: FieldType<Value>): PlacedField<Value> {
  return { offset, type };
}

/**
 * Declares a struct whose fields follow each other by C's alignment rules.
 *
 * @example
 * const Key = struct('key', { source: u32, port: u16 });
 * Key.size; // 8: two bytes of padding at the end
 */
export function struct<Value extends object>(
  name: string,
  fields: { readonly [Name in keyof Value]: FieldType<Value[Name]> },
): StructType<Value> {
  const placed: [string, PlacedField<unknown>][] = [];
  let end = 0;
  let alignment = 1;
  for (const [field, type] of Object.entries<FieldType<unknown>>(fields)) {
    const offset = alignUp(end, type.alignment);
    placed.push([field, { offset, type }]);
    end = offset + type.size;
    alignment = Math.max(alignment, type.alignment);
  }
  return build(name, alignUp(end, alignment), alignment, placed);
}

/** Declares a struct whose fields stand where they are said to stand, overlapping ones (unions) included. */
export function layout<Value extends object>(
  name: string,
  size: number,
  fields: { readonly [Name in keyof Value]: PlacedField<Value[Name]> },
): StructType<Value> {
  const placed = Object.entries<PlacedField<unknown>>(fields);
  return build(name, size, Math.max(1, ...placed.map(([, field]) => field.type.alignment)), placed);
}

/** The next multiple of `alignment`, which need not be a power of two. */
export function alignUp(value: number, alignment: number): number {
  return Math.ceil(value / alignment) * alignment;
}

function build<Value>(
  name: string,
  size: number,
  alignment: number,
  fields: readonly [string, PlacedField<unknown>][],
): StructType<Value> {
  const update = (view: DataView, offset: number, value: Partial<Value>): void => {
    const given = value as Record<string, unknown>;
    for (const [field, { offset: at, type }] of fields) {
      if (given[field] !== undefined) type.write(view, offset + at, given[field]);
    }
  };
  const read = (view: DataView, offset: number): Value => {
    const value: Record<string, unknown> = {};
    for (const [field, { offset: at, type }] of fields) value[field] = type.read(view, offset + at);
    return value as Value;
  };
  return {
    name,
    size,
    alignment,
    offsets: Object.fromEntries(fields.map(([field, placed]) => [field, placed.offset])) as StructType<Value>['offsets'],
    read,
    write: update,
    update,
    encode(value) {
      const bytes = new Uint8Array(size);
      update(new DataView(bytes.buffer), 0, value);
      return bytes;
    },
    decode(bytes, offset = 0) {
      if (offset + size > bytes.length) throw new BoundsError(offset, size, bytes.length);
      return read(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset);
    },
  };
}
