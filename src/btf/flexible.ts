import type { Btf } from './btf.ts';
import { resolveType } from './resolve.ts';

/** A flexible array (`data[]`) in the place where C has it grow: at the end of a type. */
export interface FlexibleArray {
  /** The names of the fields that lead to it; none where the type is the array. */
  readonly path: readonly string[];
  /** Bytes from the start of the value. */
  readonly offset: number;
  /** Bytes. */
  readonly elementSize: number;
  /** What the array is read as. */
  readonly of: 'text' | 'bytes' | 'array';
}

/** The end of a type whose values are as long as their elements need. */
export interface FlexibleEnd {
  /** The fewest bytes of a value: what its other fields need, which can be less than `sizeof` by the padding that ends it. */
  readonly smallest: number;
  /** Several where a union ends in them. */
  readonly arrays: readonly FlexibleArray[];
}

/** The whole elements between `at` and `end`; none where nothing says an end. */
export function flexibleLength(at: number, end: number | undefined, elementSize: number): number {
  return end === undefined || end <= at ? 0 : Math.floor((end - at) / elementSize);
}

const encoder = new TextEncoder();

/**
 * Bytes that a value takes, as C's compiler has it for an initialised one: up to the end of the last element, and never less
 * than `sizeof`. What is no array has no elements here, and is refused where it is written.
 */
export function flexibleSize(
  value: unknown,
  { size, arrays }: { size: number; arrays: readonly FlexibleArray[] },
): number {
  return arrays.reduce((most, array) => {
    const { path, offset, elementSize } = array;
    const given = path.reduce<unknown>(fieldOf, value);
    return Math.max(most, given === undefined ? 0 : offset + countOf(given, array) * elementSize);
  }, size);
}

function fieldOf(value: unknown, name: string): unknown {
  const has = typeof value === 'object' && value !== null && Object.hasOwn(value, name);
  return has ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
}

function countOf(value: unknown, { of }: FlexibleArray): number {
  if (of === 'text') return typeof value === 'string' ? encoder.encode(value).length : 0;
  if (of === 'bytes') return parseBytes(value)?.length ?? 0;
  return Array.isArray(value) ? value.length : 0;
}

/** `0a1b2c`, `0x0a1b2c`, `0a:1b:2c`, `0a 1b 2c`, bytes, or an array of numbers. */
export function parseBytes(value: unknown): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value;
  if (Array.isArray(value)) {
    const isByte = (item: unknown): item is number =>
      typeof item === 'number' && Number.isInteger(item) && item >= 0 && item <= 255;
    return value.every(isByte) ? Uint8Array.from(value) : undefined;
  }
  if (typeof value !== 'string') return undefined;
  const digits = value.trim().replace(/^0x/i, '');
  // One pattern for all of it would need a stack as deep as the text is long, and V8 gives up at some megabytes.
  const groups = digits === '' ? [] : digits.split(/[: ]/);
  if (!groups.every((group) => group !== '' && group.length % 2 === 0)) return undefined;
  return /[^\da-f: ]/i.test(digits) ? undefined : Buffer.from(groups.join(''), 'hex');
}

/**
 * The names of the fields that C lets end in a flexible array: the last member of a struct, each of a union. Everywhere else an
 * array without elements (`mark[0]`) only marks a place.
 */
export function lastFields(btf: Btf, id: number): ReadonlySet<string> {
  const names = new Set<string>();
  collectLast(btf, id, { names, visited: new Set() });
  return names;
}

function collectLast(btf: Btf, id: number, found: { names: Set<string>; visited: Set<number> }): void {
  const type = btf.type(id);
  if ((type.kind !== 'struct' && type.kind !== 'union') || found.visited.has(id)) return;
  found.visited.add(id);
  for (const member of type.kind === 'union' ? type.members : type.members.slice(-1)) {
    if (member.name !== '') found.names.add(member.name);
    else if (member.bitSize === 0) collectLast(btf, resolveType(btf, member.typeId), found);
  }
}
