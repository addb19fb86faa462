import {
  createCodec,
  flexibleLength,
  resolveType,
  sizeOf,
  type Btf,
  type BtfArray,
  type BtfMember,
  type BtfType,
} from '../../btf/index.ts';
import { BoundsError, BtfError } from '../../errors.ts';
import type { Json } from '../output/error-report.ts';

/** Where a value lies. */
export interface ValuePlace {
  readonly view: DataView;
  /** Bytes from the start of the view. */
  readonly at: number;
  /** Where the elements of a flexible array end that the value ends in. @default there are none */
  readonly end?: number | undefined;
  /** What is shown instead of an address, where that is undefined the address. */
  readonly pointer?: (targetTypeId: number, value: bigint) => Json | undefined;
}

/**
 * A value by its type, in the shape that `bpftool -j` gives it: integers are numbers of any size, bitfields hexadecimal
 * text, members without a name stay objects under an empty one, arrays of `char` that are printable and end in a NUL
 * text, other arrays lists. What bpftool leaves empty is there too: the elements of a variable that ends in a flexible array.
 */
export function bpftoolValue(btf: Btf, typeId: number, place: ValuePlace): Json {
  checkValue(btf, typeId, place);
  return valueOf(btf, typeId, place);
}

/** By BTF, the types that are known to hold together, with their sizes: maps have millions of values of one type. */
const checked = new WeakMap<Btf, Map<number, number>>();

/** Codecs are made of types that end somewhere and whose parts lie within them, and of no others. */
function checkValue(btf: Btf, typeId: number, { view, at }: ValuePlace): void {
  const known = checked.get(btf) ?? new Map<number, number>();
  checked.set(btf, known);
  const size = known.get(typeId) ?? checkedSize(btf, typeId);
  known.set(typeId, size);
  if (at + size > view.byteLength) throw new BoundsError(at, size, view.byteLength);
}

function checkedSize(btf: Btf, typeId: number): number {
  const type = btf.type(resolveType(btf, typeId));
  if (type.kind !== 'datasec') return createCodec(btf, typeId).size;
  return type.variables.reduce(
    (end, { typeId: variable, offset }) => Math.max(end, offset + createCodec(btf, variable).size),
    0,
  );
}

function valueOf(btf: Btf, typeId: number, place: ValuePlace): Json {
  const { view, at } = place;
  const type = btf.type(resolveType(btf, typeId));
  switch (type.kind) {
    case 'int':
      return intValue(type, view, at);
    case 'enum':
    case 'enum64': {
      const value = integer(view, { at, size: type.size, signed: type.signed || type.kind === 'enum' });
      const found = type.values.find((one) => BigInt(one.value) === BigInt.asIntN(64, value));
      const unsigned = type.values.find(
        (one) => BigInt.asUintN(type.size * 8, BigInt(one.value)) === BigInt.asUintN(type.size * 8, value),
      );
      return (found ?? unsigned)?.name ?? plain(value);
    }
    case 'pointer': {
      const value = integer(view, { at, size: 8, signed: false });
      return place.pointer?.(type.typeId, value) ?? plain(value);
    }
    case 'float':
      return type.size === 4 ? view.getFloat32(at, true) : view.getFloat64(at, true);
    case 'array':
      return arrayValue(btf, type, place);
    case 'struct':
    case 'union':
      return Object.fromEntries(
        type.members.map((member, index) => {
          const isLast = type.kind === 'union' || index === type.members.length - 1;
          return [member.name, memberValue(btf, member, { ...place, end: isLast ? place.end : undefined })];
        }),
      );
    case 'datasec':
      return {
        [type.name]: type.variables.map(({ typeId: variable, offset, size }) => {
          // A variable is larger than its type where C initialises the flexible array that this ends in.
          const end =
            size > sizeOf(btf, variable) ? Math.min(at + offset + size, view.byteLength) : undefined;
          return valueOf(btf, variable, { ...place, at: at + offset, end });
        }),
      };
    case 'variable':
      return { [type.name]: valueOf(btf, type.typeId, place) };
    default:
      throw new BtfError(`Cannot show a value of BTF type ${typeId}: there are no values of a ${type.kind}`, {
        typeId,
      });
  }
}

function arrayValue(btf: Btf, { length, elementTypeId }: BtfArray, place: ValuePlace): Json {
  const { view, at, end } = place;
  const size = sizeOf(btf, elementTypeId);
  const count = length === 0 && size > 0 ? flexibleLength(at, end, size) : length;
  const text = isText(btf, elementTypeId) ? printable(view, at, count) : undefined;
  if (text !== undefined) return text;
  return Array.from({ length: count }, (_, index) =>
    valueOf(btf, elementTypeId, { ...place, at: at + index * size, end: undefined }),
  );
}

function memberValue(btf: Btf, { typeId, bitOffset, bitSize }: BtfMember, place: ValuePlace): Json {
  const { view, at } = place;
  if (bitSize === 0) return valueOf(btf, typeId, { ...place, at: at + bitOffset / 8 });
  return bits(view, { bitOffset: at * 8 + bitOffset, bitSize });
}

function intValue(type: Extract<BtfType, { kind: 'int' }>, view: DataView, at: number): Json {
  if (type.bool) return view.getUint8(at) !== 0;
  if (type.offset !== 0 || type.bits % 8 !== 0)
    return bits(view, { bitOffset: at * 8 + type.offset, bitSize: type.bits });
  const value = integer(view, { at, size: type.size, signed: type.signed && type.size <= 8 });
  return type.size > 8 ? `0x${value.toString(16)}` : plain(value);
}

function bits(view: DataView, { bitOffset, bitSize }: { bitOffset: number; bitSize: number }): string {
  const first = Math.floor(bitOffset / 8);
  const last = Math.floor((bitOffset + bitSize - 1) / 8);
  const value = integer(view, { at: first, size: last - first + 1, signed: false });
  return `0x${BigInt.asUintN(bitSize, value >> BigInt(bitOffset % 8)).toString(16)}`;
}

function integer(
  view: DataView,
  { at, size, signed }: { at: number; size: number; signed: boolean },
): bigint {
  let value = 0n;
  for (let index = size - 1; index >= 0; index--) value = (value << 8n) | BigInt(view.getUint8(at + index));
  return signed ? BigInt.asIntN(size * 8, value) : value;
}

/** A number where it is one exactly: most are, and they are what JSON.stringify makes of them. */
function plain(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function isText(btf: Btf, elementTypeId: number): boolean {
  const element = btf.type(resolveType(btf, elementTypeId));
  return element.kind === 'int' && element.size === 1 && element.name === 'char';
}

/** The text of a `char[length]`; undefined where a character is not printable, or none is NUL. */
function printable(view: DataView, at: number, length: number): string | undefined {
  let text = '';
  for (let index = 0; index < length; index++) {
    const byte = view.getUint8(at + index);
    if (byte === 0) return text;
    if (byte <= 0x1f || byte >= 0x7f) return undefined;
    text += String.fromCharCode(byte);
  }
  return undefined;
}
