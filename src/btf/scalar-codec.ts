import type { FieldCodec } from './field-codec.ts';
import { integerRange } from './integer-codec.ts';
import type { IntegerCodec } from './integer-codec.ts';
import { Mismatch } from './mismatch.ts';
import type { BtfEnum, BtfEnum64 } from './type.ts';

interface Place {
  readonly size: number;
  readonly typeName: string;
}

/** An integer as number or bigint; written from those, and from decimal and hexadecimal text. */
export function integerValue(integer: IntegerCodec, place: Place): FieldCodec {
  const check = integerChecker(integer, place.typeName);
  return {
    size: place.size,
    read: integer.read,
    write: (view, offset, value) => {
      integer.write(view, offset, check(value));
    },
  };
}

/** `bool`, written from a boolean, 0 and 1, and the text of these. */
export function booleanValue(integer: IntegerCodec, place: Place): FieldCodec {
  return {
    size: place.size,
    read: (view, offset) => Number(integer.read(view, offset)) !== 0,
    write(view, offset, value) {
      integer.write(view, offset, toFlag(value, place.typeName));
    },
  };
}

/** 1 for `true`, 0 for `false`. */
export function toFlag(value: unknown, typeName: string): 0 | 1 {
  const text = String(value);
  if (text === 'true' || text === '1') return 1;
  if (text === 'false' || text === '0') return 0;
  throw new Mismatch(value, typeName, 'it must be true or false');
}

/** An enum as the name of the first enumerator that has the value, or the value where none has it. */
export function enumValue(integer: IntegerCodec, type: BtfEnum | BtfEnum64, place: Place): FieldCodec {
  const names = new Map<number | bigint, string>();
  const values = new Map<string, number | bigint>();
  for (const { name, value } of type.values) {
    const stored = integer.bits > 32 ? BigInt(value) : Number(value);
    if (!names.has(stored)) names.set(stored, name);
    values.set(name, stored);
  }
  const checkNumber = enumChecker(integer, place.typeName);
  return {
    size: place.size,
    read(view, offset) {
      const value = integer.read(view, offset);
      return names.get(value) ?? value;
    },
    write(view, offset, value) {
      const known = typeof value === 'string' ? values.get(value) : undefined;
      if (known === undefined && typeof value === 'string' && parseInteger(value) === undefined) {
        throw notEnumerated(value, [...values.keys()], place.typeName);
      }
      integer.write(view, offset, checkNumber(known ?? value));
    },
  };
}

/** `float` and `double`. */
export function floatValue(place: Place, { littleEndian }: { littleEndian: boolean }): FieldCodec {
  const single = place.size === 4;
  return {
    size: place.size,
    read: single
      ? (view, offset) => view.getFloat32(offset, littleEndian)
      : (view, offset) => view.getFloat64(offset, littleEndian),
    write(view, offset, value) {
      const number = toFloat(value, place.typeName, place.size);
      if (single) view.setFloat32(offset, number, littleEndian);
      else view.setFloat64(offset, number, littleEndian);
    },
  };
}

/** A number, or its text, that `size` bytes have room for; modules of earlier versions do not say how many. */
export function toFloat(value: unknown, typeName: string, size = 8): number {
  const text = typeof value === 'string' && value.trim() !== '';
  const number = text ? Number(value) : value;
  if (typeof number !== 'number' || (text && Number.isNaN(number) && value !== 'NaN')) {
    throw new Mismatch(value, typeName, 'it must be a number');
  }
  if (Number.isFinite(number) && size === 4 && !Number.isFinite(Math.fround(number)))
    throw new Mismatch(
      value,
      typeName,
      'it must be between -3.4028234663852886e+38 and 3.4028234663852886e+38',
    );
  return number;
}

const SHOWN_ENUMERATORS = 8;

/** What is wrong with a text that is neither an enumerator nor a number. */
export function notEnumerated(value: unknown, names: readonly string[], typeName: string): Mismatch {
  const shown = names.slice(0, SHOWN_ENUMERATORS);
  const list = shown.join(', ') + (names.length > shown.length ? ', …' : '');
  return new Mismatch(value, typeName, `it must be ${list}, or an integer`);
}

/** Checks a number that is to be stored in an enum of so many bits. */
export function enumChecker(
  integer: Pick<IntegerCodec, 'bits' | 'signed'>,
  typeName: string,
): (value: unknown) => number | bigint {
  // Before its kind flag (clang 14 and older) BTF took every enum for unsigned, those with negative values too.
  const least = integerRange({ bits: integer.bits, signed: true })[0];
  return rangeChecker([least, integerRange(integer)[1]], integer.bits > 32, typeName);
}

export function integerChecker(
  integer: Pick<IntegerCodec, 'bits' | 'signed'>,
  typeName: string,
): (value: unknown) => number | bigint {
  return rangeChecker(integerRange(integer), integer.bits > 32, typeName);
}

/** Gives the value as the number or bigint that will be stored, or throws {@link Mismatch}. */
export function rangeChecker(
  [least, greatest]: readonly [bigint, bigint],
  wide: boolean,
  typeName: string,
): (value: unknown) => number | bigint {
  const [low, high] = [Number(least), Number(greatest)];
  return (value) => {
    if (typeof value === 'number' && Number.isInteger(value) && !wide && value >= low && value <= high)
      return value;
    const integer = toInteger(value);
    if (integer === undefined) throw new Mismatch(value, typeName, 'it must be an integer');
    if (integer === 'inexact')
      throw new Mismatch(value, typeName, 'numbers above 2^53 must be given as bigint or text');
    if (integer < least || integer > greatest) {
      throw new Mismatch(
        value,
        typeName,
        `it must be between ${least.toString()} and ${greatest.toString()}`,
      );
    }
    return wide ? integer : Number(integer);
  };
}

function toInteger(value: unknown): bigint | 'inexact' | undefined {
  switch (typeof value) {
    case 'bigint':
      return value;
    case 'number':
      if (!Number.isInteger(value)) return undefined;
      return Number.isSafeInteger(value) ? BigInt(value) : 'inexact';
    case 'string':
      return parseInteger(value);
    default:
      return undefined;
  }
}

/** `443`, `-1`, `0x1f`, `-0x1`, `0b101`, `0o17`. */
export function parseInteger(text: string): bigint | undefined {
  const match = /^\s*(-?)(0x[\da-f]+|0b[01]+|0o[0-7]+|\d+)\s*$/i.exec(text);
  if (match?.[2] === undefined) return undefined;
  const magnitude = BigInt(match[2]);
  return match[1] === '-' ? -magnitude : magnitude;
}
