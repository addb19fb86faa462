import { BtfError } from '../../errors.ts';
import { sizeOf } from '../resolve.ts';
import type { BtfType } from '../type.ts';
import type { AccessSpec } from './access-spec.ts';
import type { DecodedTypes, TypeReference } from './decoded-types.ts';

/** The answer to a relocation in the types of one BTF. */
export interface CoreValue {
  /** As a C `__u64`. */
  readonly value: bigint;
  /** The compiler must have come to the same value for its own types. */
  readonly certain: boolean;
  /** What a load or store of the field moves; undefined for bitfields and for what is no offset. */
  readonly access: MemoryAccess | undefined;
}

export interface MemoryAccess {
  /** Bytes. Of an array, those of its innermost elements. */
  readonly size: number;
  readonly type: TypeReference;
}

/** The answer where the spec leads to something. Throws {@link BtfError} where that has no such property. */
export function valueOf(spec: AccessSpec): CoreValue {
  switch (spec.kind) {
    case 'field_exists':
    case 'type_exists':
    case 'type_matches':
    case 'enumval_exists':
      return plain(1n);
    case 'local_type_id':
    case 'target_type_id':
      // Linking several objects into one renumbers the types, and not the instructions.
      return { value: BigInt(spec.rootTypeId), certain: false, access: undefined };
    case 'type_size':
      return plain(BigInt(sizeOf(spec.types.btf, spec.rootTypeId)));
    case 'enumval_value':
      return plain(enumeratorValue(spec));
    case 'byte_off':
    case 'byte_sz':
    case 'signed':
    case 'lshift_u64':
    case 'rshift_u64':
      return fieldValue(spec, spec.kind);
  }
}

/** The answer where the target has no such thing; undefined where there is none and the instruction must not run. */
export function valueOfAbsence({ kind }: AccessSpec): CoreValue | undefined {
  switch (kind) {
    case 'byte_off':
    case 'byte_sz':
    case 'signed':
    case 'lshift_u64':
    case 'rshift_u64':
    case 'enumval_value':
      return undefined;
    default:
      return plain(0n);
  }
}

function plain(value: bigint): CoreValue {
  return { value, certain: true, access: undefined };
}

/**
 * Sign-extended whatever the enum says, as libbpf does it: whether an enum is signed is known only since Linux 6.0's
 * BTF, and negative values are older.
 */
function enumeratorValue({ types, accessors: [accessor] }: AccessSpec): bigint {
  const type = types.type(accessor?.typeId ?? 0);
  const index = accessor?.index ?? 0;
  if (type.kind === 'enum') return BigInt.asUintN(64, BigInt((type.values[index]?.value ?? 0) | 0));
  return BigInt.asUintN(64, (type.kind === 'enum64' && type.values[index]?.value) || 0n);
}

type FieldKind = 'byte_off' | 'byte_sz' | 'signed' | 'lshift_u64' | 'rshift_u64';

function fieldValue(spec: AccessSpec, kind: FieldKind): CoreValue {
  const { types, bitOffset } = spec;
  const last = spec.accessors.at(-1);
  if (last?.name === undefined) return elementValue(spec, kind);
  const member = types.members(last.typeId)?.at(last.index);
  const fieldId = types.resolveId(member?.typeId ?? 0);
  if (kind === 'signed') return plain(isSigned(types, fieldId) ? 1n : 0n);
  const bitSize = member?.bitSize ?? 0;
  const isBitfield = bitSize > 0;
  const storage = isBitfield
    ? bitfieldStorage(types.type(fieldId), { bitOffset, bitSize })
    : { byteOffset: Math.floor(bitOffset / 8), byteSize: sizeOf(types.btf, fieldId) };
  const { byteOffset, byteSize } = storage;
  const bits = isBitfield ? bitSize : byteSize * 8;
  switch (kind) {
    case 'byte_off': {
      const access = isBitfield
        ? undefined
        : { size: elementSize(types, fieldId), type: { types, id: fieldId } };
      return { value: BigInt(byteOffset), certain: !isBitfield, access };
    }
    case 'byte_sz':
      return { value: BigInt(byteSize), certain: !isBitfield, access: undefined };
    case 'lshift_u64': {
      const skipped = bitOffset - byteOffset * 8;
      const shift = types.btf.littleEndian ? 64 - (skipped + bits) : (8 - byteSize) * 8 + skipped;
      return { value: BigInt.asUintN(64, BigInt(shift)), certain: !isBitfield, access: undefined };
    }
    case 'rshift_u64':
      return plain(BigInt.asUintN(64, BigInt(64 - bits)));
  }
}

function elementValue(spec: AccessSpec, kind: FieldKind): CoreValue {
  const { types, accessors, bitOffset } = spec;
  const typeId = accessors.at(-1)?.typeId ?? 0;
  if (kind === 'byte_sz') return plain(BigInt(sizeOf(types.btf, typeId)));
  if (kind !== 'byte_off') throw new BtfError(`Cannot tell the ${kind} of an element of an array`);
  const access = { size: elementSize(types, typeId), type: { types, id: typeId } };
  return { value: BigInt(Math.floor(bitOffset / 8)), certain: true, access };
}

/** Of the innermost elements of an array: `a[0]` is loaded through a relocation of `a`. */
function elementSize(types: DecodedTypes, id: number): number {
  let element = types.resolveId(id);
  for (let depth = 0; types.btf.kindOf(element) === 'array' && depth < 32; depth++) {
    const array = types.type(element);
    if (array.kind === 'array') element = types.resolveId(array.elementTypeId);
  }
  return sizeOf(types.btf, element);
}

/** The smallest aligned integer that holds a bitfield: of its declared type, or wider where it straddles two. */
function bitfieldStorage(
  type: BtfType,
  { bitOffset, bitSize }: { bitOffset: number; bitSize: number },
): { byteOffset: number; byteSize: number } {
  if (type.kind !== 'int' && type.kind !== 'enum' && type.kind !== 'enum64')
    throw new BtfError(`Cannot load a bitfield whose type is of kind ${type.kind}`);
  for (let byteSize = type.size; ; byteSize *= 2) {
    const byteOffset = Math.floor(bitOffset / 8 / byteSize) * byteSize;
    if (bitOffset + bitSize - byteOffset * 8 <= byteSize * 8) return { byteOffset, byteSize };
    if (byteSize === 0 || byteSize >= 8)
      throw new BtfError('Cannot load a bitfield that no aligned 64 bits cover');
  }
}

function isSigned(types: DecodedTypes, id: number): boolean {
  if (types.members(id) !== undefined) return false;
  const type = types.type(id);
  return (type.kind === 'int' || type.kind === 'enum' || type.kind === 'enum64') && type.signed;
}
