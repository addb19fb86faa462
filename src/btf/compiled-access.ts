/** What compiled readers and writers call. Writers throw a `Mismatch`, which the outermost codec turns into an error. */
import { bitfield, wholeInteger } from './integer-codec.ts';
import { Mismatch } from './mismatch.ts';
import { enumChecker, integerChecker, notEnumerated, parseInteger } from './scalar-codec.ts';

/** An integer of at most 32 bits. */
export function toUnsigned(value: unknown, bits: number, typeName: string): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 2 ** bits) return value;
  return Number(integerChecker({ bits, signed: false }, typeName)(value));
}

/** An integer of at most 32 bits. */
export function toSigned(value: unknown, bits: number, typeName: string): number {
  const half = 2 ** (bits - 1);
  if (typeof value === 'number' && Number.isInteger(value) && value >= -half && value < half) return value;
  return Number(integerChecker({ bits, signed: true }, typeName)(value));
}

/** An integer of more than 32 bits. */
export function toBigUnsigned(value: unknown, bits: number, typeName: string): bigint {
  return BigInt(integerChecker({ bits, signed: false }, typeName)(value));
}

/** An integer of more than 32 bits. */
export function toBigSigned(value: unknown, bits: number, typeName: string): bigint {
  return BigInt(integerChecker({ bits, signed: true }, typeName)(value));
}

/** Where and how wide an enum is. */
export interface EnumPlace {
  readonly bits: number;
  readonly signed: boolean;
  readonly typeName: string;
}

/** The value of an enumerator, or the number itself. */
export function toEnumerator(
  value: unknown,
  enumerators: Readonly<Record<string, number | bigint>>,
  { bits, signed, typeName }: EnumPlace,
): number | bigint {
  const known =
    typeof value === 'string' && Object.hasOwn(enumerators, value) ? enumerators[value] : undefined;
  if (known === undefined && typeof value === 'string' && parseInteger(value) === undefined) {
    throw notEnumerated(value, Object.keys(enumerators), typeName);
  }
  return enumChecker({ bits, signed }, typeName)(known ?? value);
}

/** A field that is called as a property of every object (`constructor`) is not there by that. */
export function ownField(given: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(given, name) ? given[name] : undefined;
}

/** Leads the error of a field, or of an element, to where it is. */
export function within(segment: string, error: unknown): unknown {
  return Mismatch.within(segment, error);
}

/** `length` elements, each read by its index. */
export function readElements<Element>(length: number, read: (index: number) => Element): Element[] {
  const elements: Element[] = [];
  for (let index = 0; index < length; index++) elements.push(read(index));
  return elements;
}

const signed128 = wholeInteger(16, { signed: true, littleEndian: true });
const unsigned128 = wholeInteger(16, { signed: false, littleEndian: true });

/** Reads a little-endian `unsigned __int128`. */
export function readUnsigned128(view: DataView, offset: number): bigint {
  return BigInt(unsigned128.read(view, offset));
}

/** Reads a little-endian `__int128`. */
export function readSigned128(view: DataView, offset: number): bigint {
  return BigInt(signed128.read(view, offset));
}

/** Writes an integer of 128 bits, little-endian; both signs. */
export function write128(view: DataView, offset: number, value: bigint): void {
  unsigned128.write(view, offset, value);
}

/** Changes `bitSize` bits, counted from the least significant one at `offset`, and leaves those around them. */
export function writeBits(
  view: DataView,
  offset: number,
  { bitOffset, bitSize, value }: { bitOffset: number; bitSize: number; value: number | bigint },
): void {
  bitfield({ bitOffset, bitSize }, { signed: false, littleEndian: true }).write(view, offset, value);
}
