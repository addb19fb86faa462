import { LayoutError } from '../errors.ts';
import type { MapModel, ObjectModel } from './model.ts';
import type { EnumType, RecordField, RecordType, Shape } from './shape.ts';

/** What a generated module takes for granted of the object that it loads. */
export interface LayoutDescription {
  /** Structs, unions and enums by their name in the module. */
  readonly types: Readonly<Record<string, RecordLayout | EnumLayout>>;
  /** Types of key and value, empty where there is none, and the kind as bpftool says it. */
  readonly maps: Readonly<Record<string, MapLayout>>;
  readonly variables: Readonly<Record<string, string>>;
  readonly events: Readonly<Record<string, string>>;
}

/** Of a map of maps with that of the maps in it. A module without kinds is of an earlier version. */
export type MapLayout = readonly [key: string, value: string, kind?: string, inner?: MapLayout];

/** The size and fields of a struct or union when a module was generated. */
export interface RecordLayout {
  /** As C spells it. */
  readonly type: string;
  /** Bytes. */
  readonly size: number;
  /** Byte and type, of a bitfield also the bit in that byte. */
  readonly fields: Readonly<Record<string, readonly [offset: number, type: string, bit?: number]>>;
}

/** The enumerators of an enum when a module was generated. */
export interface EnumLayout {
  readonly type: string;
  readonly size: number;
  readonly values: Readonly<Record<string, number | bigint>>;
}

/** `u32`, `char[16]`, `s64[2][3]`, `u8:3`, `SimpleEvent`: a shape as descriptions write it. */
export function layoutType(shape: Shape): string {
  const { base, dimensions } = split(shape);
  return base + dimensions;
}

/** The innermost element of an array, and what stands behind it. */
function split(shape: Shape): { base: string; dimensions: string; type?: RecordType | EnumType } {
  switch (shape.kind) {
    case 'integer':
      if (shape.pointer) return { base: 'pointer', dimensions: '' };
      return { base: `${shape.signed ? 's' : 'u'}${String(shape.size * 8)}`, dimensions: '' };
    case 'boolean':
      return { base: shape.size === 1 ? 'bool' : `bool${String(shape.size * 8)}`, dimensions: '' };
    case 'float':
      return { base: `f${String(shape.size * 8)}`, dimensions: '' };
    case 'enum':
      return { base: shape.type.name, dimensions: '', type: shape.type };
    case 'record':
      return { base: shape.type.name, dimensions: '', type: shape.type };
    case 'text':
      return { base: 'char', dimensions: `[${String(shape.size)}]` };
    case 'bytes':
      return { base: 'u8', dimensions: `[${String(shape.size)}]` };
    case 'array': {
      const element = split(shape.element.shape);
      return { ...element, dimensions: `[${String(shape.length)}]${element.dimensions}` };
    }
    case 'bits': {
      const dimensions = `:${String(shape.bits)}`;
      if (shape.of === 'boolean') return { base: 'bool', dimensions };
      if (shape.of !== 'integer') return { base: shape.of.name, dimensions, type: shape.of };
      return { base: `${shape.signed ? 's' : 'u'}${String(shape.size * 8)}`, dimensions };
    }
  }
}

/**
 * Compares what a module was generated from with the object that it is to load.
 *
 * @throws LayoutError at the first difference that reading or writing would trip over
 */
export function checkLayout(
  description: LayoutDescription,
  model: ObjectModel,
  context: { readonly object: string; readonly hint: string },
): void {
  const check = new LayoutCheck(description, context);
  for (const map of model.maps) {
    const wanted = Object.hasOwn(description.maps, map.name) ? description.maps[map.name] : undefined;
    if (wanted) check.map(wanted, map, `map ${map.name}`);
  }
  for (const { name, type } of model.variables) {
    const wanted = Object.hasOwn(description.variables, name) ? description.variables[name] : undefined;
    if (wanted !== undefined) check.type(wanted, type.shape, `variable ${name}`);
  }
  for (const { map, type } of model.events) {
    const wanted = Object.hasOwn(description.events, map) ? description.events[map] : undefined;
    if (wanted !== undefined) check.type(wanted, type.shape, `the events of ${map}`);
  }
}

/** Kinds that differ in what becomes of entries when the map is full, or in how they are found, and in no call about them. */
const INTERCHANGEABLE = [
  ['hash', 'lru_hash'],
  ['percpu_hash', 'lru_percpu_hash'],
  ['devmap', 'devmap_hash'],
];

function sameUse(one: string, other: string): boolean {
  return one === other || INTERCHANGEABLE.some((kinds) => kinds.includes(one) && kinds.includes(other));
}

class LayoutCheck {
  readonly #description: LayoutDescription;
  readonly #context: { readonly object: string; readonly hint: string };
  /** The object's types that each layout was compared with: one type of the module may be several in the object. */
  readonly #done = new Map<RecordLayout | EnumLayout, Set<RecordType | EnumType>>();

  constructor(description: LayoutDescription, context: { readonly object: string; readonly hint: string }) {
    this.#description = description;
    this.#context = context;
  }

  map(wanted: MapLayout, { kind, key, value, inner }: MapModel, where: string): void {
    const [wantedKey, wantedValue, wantedKind, wantedInner] = wanted;
    if (wantedKind !== undefined && !sameUse(wantedKind, kind))
      throw this.#error(where, { found: kind, expected: wantedKind });
    if (key && wantedKey !== '') this.type(wantedKey, key.shape, `the key of ${where}`);
    if (value && wantedValue !== '') this.type(wantedValue, value.shape, `the value of ${where}`);
    if (inner && wantedInner) this.map(wantedInner, inner, `the maps in ${where}`);
  }

  type(wanted: string, shape: Shape, where: string): void {
    const { base, dimensions, type } = split(shape);
    const [, wantedBase = '', wantedDimensions = ''] = /^(\w+)(.*)$/.exec(wanted) ?? [];
    const { types } = this.#description;
    const layout = Object.hasOwn(types, wantedBase) ? types[wantedBase] : undefined;
    const sameBase = type === undefined ? layout === undefined && base === wantedBase : layout !== undefined;
    if (!sameBase || dimensions !== wantedDimensions) {
      const found = (type?.typeName ?? base) + dimensions;
      throw this.#error(where, { found, expected: (layout?.type ?? wantedBase) + wantedDimensions });
    }
    if (type === undefined || layout === undefined || this.#isDone(layout, type)) return;
    if (type.kind === 'record' && 'fields' in layout) this.#record(layout, type);
    else if (type.kind === 'enum' && 'values' in layout) this.#enum(layout, type);
    else throw this.#error(where, { found: type.typeName, expected: layout.type });
  }

  #isDone(layout: RecordLayout | EnumLayout, type: RecordType | EnumType): boolean {
    const compared = this.#done.get(layout) ?? new Set();
    if (compared.has(type)) return true;
    this.#done.set(layout, compared.add(type));
    return false;
  }

  #record(layout: RecordLayout, type: RecordType): void {
    const fields = new Map(type.fields.map((field) => [field.name, field]));
    for (const [name, wanted] of Object.entries(layout.fields)) {
      this.#field({ layout, name, wanted }, fields.get(name));
    }
    const known = type.fields.find(({ name }) => !Object.hasOwn(layout.fields, name));
    if (known) {
      const why = `field ${known.name} of ${layout.type} is in the object and not in the generated module`;
      throw this.#refuse(why, { struct: layout.type, field: known.name });
    }
    if (type.size !== layout.size) {
      const bytes = { found: `${String(type.size)} bytes`, expected: `${String(layout.size)} bytes` };
      throw this.#error(`the size of ${layout.type}`, bytes);
    }
  }

  #field(
    place: { layout: RecordLayout; name: string; wanted: readonly [number, string, number?] },
    field: RecordField | undefined,
  ): void {
    const { layout, name, wanted } = place;
    const [byte, type, bit] = wanted;
    const facts = { struct: layout.type, field: name };
    if (!field) {
      const why = `field ${name} of ${layout.type} is in the generated module and not in the object`;
      throw this.#refuse(why, facts);
    }
    const where = `field ${name} of ${layout.type}`;
    const expectedBit = byte * 8 + (bit ?? 0);
    if (field.bitOffset !== expectedBit) {
      const bits = bit !== undefined || field.bitOffset % 8 !== 0;
      const [unit, found, expected] = bits
        ? ['bit', field.bitOffset, expectedBit]
        : ['byte', field.bitOffset / 8, byte];
      const why = `${where} is at ${unit} ${String(found)} in the object and at ${unit} ${String(expected)} in the generated module`;
      const offsets = { foundOffset: field.bitOffset / 8, expectedOffset: expectedBit / 8 };
      throw this.#refuse(why, { ...facts, ...offsets });
    }
    this.type(type, field.shape, where);
  }

  #enum(layout: EnumLayout, type: EnumType): void {
    if (type.size !== layout.size) {
      const bytes = { found: `${String(type.size)} bytes`, expected: `${String(layout.size)} bytes` };
      throw this.#error(`the size of ${layout.type}`, bytes);
    }
    for (const { name, value } of type.values) {
      const wanted = Object.hasOwn(layout.values, name) ? layout.values[name] : undefined;
      if (wanted !== undefined && BigInt(wanted) === BigInt(value)) continue;
      const values = { found: String(value), expected: wanted === undefined ? 'missing' : String(wanted) };
      throw this.#error(`enumerator ${name} of ${layout.type}`, values);
    }
    const names = new Set(type.values.map(({ name }) => name));
    const gone = Object.keys(layout.values).find((name) => !names.has(name));
    if (gone === undefined) return;
    const values = { found: 'missing', expected: String(layout.values[gone]) };
    throw this.#error(`enumerator ${gone} of ${layout.type}`, values);
  }

  #error(where: string, { found, expected }: { found: string; expected: string }): LayoutError {
    const [, field, struct] = /^field (\w+) of (.*)$/.exec(where) ?? [];
    const why = `${where} is ${found} in the object and ${expected} in the generated module`;
    return this.#refuse(why, { struct, field });
  }

  #refuse(why: string, facts: ConstructorParameters<typeof LayoutError>[1]): LayoutError {
    const { object, hint } = this.#context;
    return new LayoutError(`Cannot load ${object}: ${why}`, { ...facts, hint });
  }
}
