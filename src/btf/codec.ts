import { BtfError } from '../errors.ts';
import { arrayValue, bytesValue, textValue } from './array-codec.ts';
import type { Btf } from './btf.ts';
import type { FieldCodec } from './field-codec.ts';
import { fieldsOf } from './fields.ts';
import { lastFields } from './flexible.ts';
import { flexibleArray, flexibleBytes, flexibleText, withoutEnd } from './flexible-codec.ts';
import { formatType } from './format-type.ts';
import type { FieldTable } from './in-place.ts';
import { bitfield, wholeInteger } from './integer-codec.ts';
import type { IntegerCodec } from './integer-codec.ts';
import { resolveType, sizeOf } from './resolve.ts';
import { booleanValue, enumValue, floatValue, integerValue } from './scalar-codec.ts';
import { structValue } from './struct-codec.ts';
import type { PlacedCodec } from './struct-codec.ts';
import type { BtfArray, BtfMember, BtfType, BtfVariable } from './type.ts';
import type { BtfValue } from './value.ts';
import { wholeValue, type ValueCodec } from './whole-value.ts';

/** Reads and writes the values of one type. */
export interface Codec extends ValueCodec<BtfValue> {
  /** Of a struct or union: how its fields are read one by one. */
  readonly fields?: FieldTable | undefined;
}

/**
 * Compiles a type to a codec, once; using it looks no type up.
 *
 * Values: an integer is a number up to 32 bits and a bigint above, whatever its value; `bool` a boolean; an enum the
 * name of its enumerator, or the number where none matches; a pointer a bigint; `char[N]` a string up to the NUL;
 * an array of unsigned bytes a `Uint8Array` (a copy); any other array an array; a struct or union an object by C's
 * field names, with the fields of anonymous members among its own.
 *
 * A flexible array (`data[]`) at the end of a type has as many whole elements as lie before the end that reading and writing are
 * told: of a record, of a map's value, of a variable that C initialises with elements. Without one it is empty, as it is in a
 * value of exactly `size` bytes, and as are arrays without elements anywhere else.
 *
 * @example
 * const codec = createCodec(btf, btf.find('event', 'struct')!);
 * codec.read(view, 0); // { pid: 42, comm: 'curl', daddr: Uint8Array(16) [...] }
 * @throws {BtfError} for a type that has no values (void, a function, a forward declaration) or is malformed.
 */
export function createCodec(btf: Btf, typeId: number): Codec {
  const codec = new CodecCompiler(btf).compile(typeId);
  return {
    ...wholeValue(codec, formatType(btf, typeId)),
    get fields() {
      return codec.fields;
    },
  };
}

/** `MAX_RESOLVE_DEPTH` of kernel/bpf/btf.c: nothing that the kernel accepts nests deeper. */
const MAX_DEPTH = 32;
/**
 * Members of unions share their bytes, and structs may have none, so that a type of few bytes may have any number of values:
 * more than these, and more than this many for each byte, no type has that was not made for it.
 */
const MOST_VALUES = 1 << 20;
const MOST_VALUES_OF_A_BYTE = 16;
/** Of what may be there any number of times; more than a small union has. */
const MOST_VALUES_OF_AN_ELEMENT_BYTE = 64;

class CodecCompiler {
  readonly #btf: Btf;
  /** By the type as it was asked for: how many objects, numbers and texts reading it makes. */
  readonly #values = new Map<number, number>();
  #depth = 0;
  /** `undefined` while a type is being compiled: meeting it then means that it contains itself. */
  readonly #compiled = new Map<number, FieldCodec | undefined>();

  constructor(btf: Btf) {
    this.#btf = btf;
  }

  compile(typeId: number): FieldCodec {
    // Kept by the id that was asked for: error messages name the typedef, not what it stands for.
    const known = this.#compiled.get(typeId);
    if (known !== undefined) return known;
    if (this.#compiled.has(typeId)) throw this.#error(typeId, 'it contains itself');
    this.#compiled.set(typeId, undefined);
    if (++this.#depth > MAX_DEPTH) throw this.#error(typeId, 'it is nested too deeply');
    const resolved = resolveType(this.#btf, typeId);
    const type = this.#btf.type(resolved);
    const codec =
      type.kind === 'variable' ? this.#variable(typeId, type) : this.#compileType(type, { typeId, resolved });
    this.#depth--;
    this.#compiled.set(typeId, codec);
    return codec;
  }

  #variable(typeId: number, { typeId: of }: BtfVariable): FieldCodec {
    const codec = this.compile(of);
    this.#values.set(typeId, this.#valuesOf(of));
    return codec;
  }

  #valuesOf(typeId: number): number {
    return this.#values.get(typeId) ?? 1;
  }

  #checkValues(typeId: number, { values, size }: { values: number; size: number }): void {
    if (values > Math.max(MOST_VALUES, size * MOST_VALUES_OF_A_BYTE))
      throw this.#error(typeId, `its ${size} bytes would be ${values} values`);
    this.#values.set(typeId, values);
  }

  /** The bytes that a flexible array reads are a record's, and not in the type. */
  #checkElement(typeId: number, size: number): void {
    const values = this.#valuesOf(typeId);
    if (values > size * MOST_VALUES_OF_AN_ELEMENT_BYTE)
      throw this.#error(typeId, `its ${size} bytes would be ${values} values`);
  }

  #compileType(type: BtfType, { typeId, resolved }: { typeId: number; resolved: number }): FieldCodec {
    const { littleEndian } = this.#btf;
    const typeName = formatType(this.#btf, typeId);
    switch (type.kind) {
      case 'int':
      case 'enum':
      case 'enum64': {
        const integer = wholeInteger(type.size, { signed: type.signed, littleEndian });
        return this.#scalar(type, integer, { size: type.size, typeName });
      }
      case 'pointer':
        return integerValue(wholeInteger(8, { signed: false, littleEndian }), { size: 8, typeName });
      case 'float':
        if (type.size !== 4 && type.size !== 8) break;
        return floatValue({ size: type.size, typeName }, { littleEndian });
      case 'array':
        return this.#array(type, { typeId, typeName });
      case 'struct':
      case 'union': {
        const { size } = type;
        const members = fieldsOf(this.#btf, resolved);
        const last = lastFields(this.#btf, resolved);
        const fields = members.map((field) => {
          const placed = this.#field(field, resolved, size);
          return last.has(field.name) ? placed : { ...placed, codec: withoutEnd(placed.codec) };
        });
        const values = members.reduce((sum, member) => sum + this.#valuesOf(member.typeId), 1);
        this.#checkValues(typeId, { values, size });
        return structValue(fields, { size, typeName });
      }
      default:
        break;
    }
    throw this.#error(
      typeId,
      `there are no values of ${type.kind === 'float' ? 'this float' : `a ${type.kind}`}`,
    );
  }

  #scalar(
    type: Extract<BtfType, { kind: 'int' | 'enum' | 'enum64' }>,
    integer: IntegerCodec,
    place: { size: number; typeName: string },
  ): FieldCodec {
    if (type.kind !== 'int') return enumValue(integer, type, place);
    return type.bool ? booleanValue(integer, place) : integerValue(integer, place);
  }

  #array(type: BtfArray, { typeId, typeName }: { typeId: number; typeName: string }): FieldCodec {
    const { length, elementTypeId } = type;
    const element = this.#btf.type(resolveType(this.#btf, elementTypeId));
    if (element.kind === 'int' && element.size === 1) {
      if (element.name === 'char')
        return length === 0 ? flexibleText(typeName) : textValue({ length, typeName });
      if (!element.signed && !element.bool)
        return length === 0 ? flexibleBytes(typeName) : bytesValue({ length, typeName });
    }
    const elements = withoutEnd(this.compile(elementTypeId));
    if (length === 0 && elements.size > 0) {
      this.#checkElement(elementTypeId, elements.size);
      return flexibleArray(elements, typeName);
    }
    const codec = arrayValue(elements, { length, typeName });
    this.#checkValues(typeId, { values: 1 + length * this.#valuesOf(elementTypeId), size: codec.size });
    return codec;
  }

  #field(field: BtfMember, structId: number, structSize: number): PlacedCodec {
    const { name, typeId } = field;
    const place = this.#bitfieldPlace(field);
    if (place !== undefined) {
      const end = Math.ceil((place.bitOffset + place.bitSize) / 8);
      return { name, offset: 0, codec: this.#bitfield(field, place), end };
    }
    const codec = this.compile(typeId);
    if (field.bitOffset % 8 !== 0 || field.bitOffset / 8 + codec.size > structSize) {
      throw this.#error(structId, `its field ${name} lies outside of it, or not on a byte`);
    }
    const offset = field.bitOffset / 8;
    return { name, offset, codec, end: offset + (codec.flexible?.smallest ?? codec.size) };
  }

  /** The bits of a bitfield: the member's, or those of an int that uses a part of its bytes, as old BTF has it. */
  #bitfieldPlace({
    typeId,
    bitOffset,
    bitSize,
  }: BtfMember): { bitOffset: number; bitSize: number } | undefined {
    if (bitSize > 0) return { bitOffset, bitSize };
    const type = this.#btf.type(resolveType(this.#btf, typeId));
    if (type.kind !== 'int' || (type.bits === type.size * 8 && type.offset === 0)) return undefined;
    return { bitOffset: bitOffset + type.offset, bitSize: type.bits };
  }

  #bitfield(field: BtfMember, place: { bitOffset: number; bitSize: number }): FieldCodec {
    const type = this.#btf.type(resolveType(this.#btf, field.typeId));
    const typeName = `${formatType(this.#btf, field.typeId)}:${String(place.bitSize)}`;
    if (type.kind !== 'int' && type.kind !== 'enum' && type.kind !== 'enum64') {
      throw this.#error(field.typeId, `a ${type.kind} cannot be a bitfield`);
    }
    if (place.bitSize > type.size * 8)
      throw this.#error(field.typeId, 'a bitfield of it has more bits than it');
    const integer = bitfield(place, { signed: type.signed, littleEndian: this.#btf.littleEndian });
    return this.#scalar(type, integer, { size: sizeOf(this.#btf, field.typeId), typeName });
  }

  #error(typeId: number, why: string): BtfError {
    return new BtfError(`Cannot read and write values of BTF type ${String(typeId)}: ${why}`, { typeId });
  }
}
