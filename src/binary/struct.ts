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

// Structs that a command does not use are left out where modules are joined: hence the annotations.

/** Shorthand for a placed field. */
/* @__NO_SIDE_EFFECTS__ */
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
/* @__NO_SIDE_EFFECTS__ */
export function struct<Value extends object>(
  name: string,
  fields: { readonly [Name in keyof Value]: FieldType<Value[Name]> },
): StructType<Value> {
  const placed: Record<string, PlacedField<unknown>> = {};
  let end = 0;
  let alignment = 1;
  for (const [field, type] of Object.entries<FieldType<unknown>>(fields)) {
    const offset = alignUp(end, type.alignment);
    placed[field] = { offset, type };
    end = offset + type.size;
    alignment = Math.max(alignment, type.alignment);
  }
  return new Layout<Value>(name, alignUp(end, alignment), placed);
}

/** Declares a struct whose fields stand where they are said to stand, overlapping ones (unions) included. */
/* @__NO_SIDE_EFFECTS__ */
export function layout<Value extends object>(
  name: string,
  size: number,
  fields: { readonly [Name in keyof Value]: PlacedField<Value[Name]> },
): StructType<Value> {
  return new Layout<Value>(name, size, fields);
}

/** The next multiple of `alignment`, which need not be a power of two. */
export function alignUp(value: number, alignment: number): number {
  return Math.ceil(value / alignment) * alignment;
}

/** Works out what it needs of its fields when first used: a process declares many structs and uses few. */
class Layout<Value> implements StructType<Value> {
  readonly name: string;
  readonly size: number;
  readonly #declared: Readonly<Record<string, PlacedField<unknown>>>;
  #fields: readonly [string, PlacedField<unknown>][] | undefined;
  #offsets: StructType<Value>['offsets'] | undefined;

  constructor(name: string, size: number, fields: Readonly<Record<string, PlacedField<unknown>>>) {
    this.name = name;
    this.size = size;
    this.#declared = fields;
  }

  get alignment(): number {
    return Math.max(1, ...this.#entries().map(([, field]) => field.type.alignment));
  }

  get offsets(): StructType<Value>['offsets'] {
    this.#offsets ??= Object.fromEntries(
      this.#entries().map(([field, placed]) => [field, placed.offset]),
    ) as StructType<Value>['offsets'];
    return this.#offsets;
  }

  read(view: DataView, offset: number): Value {
    const value: Record<string, unknown> = {};
    for (const [field, { offset: at, type }] of this.#entries()) value[field] = type.read(view, offset + at);
    return value as Value;
  }

  write(view: DataView, offset: number, value: Value): void {
    this.update(view, offset, value);
  }

  update(view: DataView, offset: number, value: Partial<Value>): void {
    const given = value as Record<string, unknown>;
    for (const [field, { offset: at, type }] of this.#entries()) {
      if (given[field] !== undefined) type.write(view, offset + at, given[field]);
    }
  }

  encode(value: Partial<Value>): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(this.size);
    this.update(new DataView(bytes.buffer), 0, value);
    return bytes;
  }

  decode(bytes: Uint8Array, offset = 0): Value {
    if (offset + this.size > bytes.length) throw new BoundsError(offset, this.size, bytes.length);
    return this.read(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset);
  }

  #entries(): readonly [string, PlacedField<unknown>][] {
    this.#fields ??= Object.entries(this.#declared);
    return this.#fields;
  }
}
