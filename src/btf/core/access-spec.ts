import { BtfError } from '../../errors.ts';
import type { CoreRelocation } from '../btf-ext.ts';
import { sizeOf } from '../resolve.ts';
import type { BtfArray } from '../type.ts';
import type { DecodedTypes } from './decoded-types.ts';
import { coreKindNames, familyOf } from './kind.ts';
import type { CoreKind } from './kind.ts';

/** Levels of nesting that libbpf allows (BPF_CORE_SPEC_MAX_LEN). */
export const MAX_INDEXES = 64;
/** libbpf counts the bits of an offset in 32 bits. */
const MAX_BIT_OFFSET = 0xffff_ffff;

/** A step of an access that means something in C: a named field, or an element of an array. */
export interface Accessor {
  /** The struct or union that has the field; the type of the element. */
  readonly typeId: number;
  readonly index: number;
  /** Of the field or enumerator; undefined for an element. */
  readonly name: string | undefined;
}

/**
 * What a relocation is about, in the types of one BTF: `struct sample.a[3]`. The first accessor of a field is the
 * element of the array that every pointer points into, nearly always 0; that of an enumerator is all there is, and a
 * type has none.
 */
export interface AccessSpec {
  readonly types: DecodedTypes;
  readonly kind: CoreKind;
  readonly rootTypeId: number;
  readonly accessors: readonly Accessor[];
  /** The index on each level, those into anonymous structs and unions included. */
  readonly indexes: readonly number[];
  /** From the start of the root, or of the array that it is element 0 of. */
  readonly bitOffset: number;
}

/**
 * Reads the access string of a relocation against the program's own types.
 *
 * @throws {BtfError} where it does not lead to anything, or the kind is not known.
 */
export function parseAccessSpec(types: DecodedTypes, relocation: CoreRelocation): AccessSpec {
  const { typeId, accessString } = relocation;
  const kind = coreKindNames[relocation.kind];
  if (kind === undefined) throw unreadable(relocation, `its kind ${String(relocation.kind)} is not known`);
  const root = { types, kind, rootTypeId: typeId };
  if (familyOf(kind) === 'type') {
    if (accessString !== '0') throw unreadable(relocation, 'a whole type has no parts');
    return { ...root, accessors: [], indexes: [], bitOffset: 0 };
  }
  const indexes = parseIndexes(relocation);
  const found = familyOf(kind) === 'enumerator' ? enumerator : field;
  return { ...root, indexes, ...found(types, relocation, indexes) };
}

function parseIndexes(relocation: CoreRelocation): number[] {
  const { accessString } = relocation;
  if (accessString.length > LONGEST_ACCESS) throw unreadable(relocation, 'it has more than 64 levels');
  if (!/^\d{1,10}(:\d{1,10})*$/.test(accessString)) throw unreadable(relocation, 'it is no list of numbers');
  const indexes = accessString.split(':').map(Number);
  if (indexes.length > MAX_INDEXES) throw unreadable(relocation, 'it has more than 64 levels');
  return indexes;
}

/** Of 64 indexes of ten digits each. */
const LONGEST_ACCESS = 11 * MAX_INDEXES;

type Found = Pick<AccessSpec, 'accessors' | 'bitOffset'>;

function enumerator(types: DecodedTypes, relocation: CoreRelocation, indexes: readonly number[]): Found {
  const { id, type } = types.resolve(relocation.typeId);
  if (type.kind !== 'enum' && type.kind !== 'enum64') throw unreadable(relocation, 'that type is no enum');
  const [index = 0, ...more] = indexes;
  const value = type.values[index];
  if (value === undefined || more.length > 0) throw unreadable(relocation, 'the enum has no such value');
  return { accessors: [{ typeId: id, index, name: value.name }], bitOffset: 0 };
}

function field(types: DecodedTypes, relocation: CoreRelocation, indexes: readonly number[]): Found {
  let id = types.resolveId(relocation.typeId);
  const [first = 0, ...rest] = indexes;
  const accessors: Accessor[] = [{ typeId: id, index: first, name: undefined }];
  let bitOffset = elementOffset(types, id, first);
  for (const index of rest) {
    const members = types.members(id);
    const type = members === undefined ? types.type(id) : undefined;
    if (members !== undefined) {
      const member = members.at(index);
      if (member === undefined)
        throw unreadable(relocation, `[${String(id)}] has no member ${String(index)}`);
      if (member.name !== '') accessors.push({ typeId: id, index, name: member.name });
      bitOffset += member.bitOffset;
      id = types.resolveId(member.typeId);
    } else if (type?.kind === 'array') {
      if (index >= type.length && !isFlexibleArray(types, type, accessors.at(-1)))
        throw unreadable(relocation, `[${String(id)}] has no element ${String(index)}`);
      id = types.resolveId(type.elementTypeId);
      accessors.push({ typeId: id, index, name: undefined });
      bitOffset += elementOffset(types, id, index);
    } else {
      throw unreadable(relocation, `[${String(id)}] is of kind ${types.btf.kindOf(id)}, which has no parts`);
    }
  }
  if (bitOffset > MAX_BIT_OFFSET) throw unreadable(relocation, 'it lies beyond 512 MiB');
  return { accessors, bitOffset };
}

/** In bits. The first element lies at 0 whatever its size, even where it has none. */
export function elementOffset(types: DecodedTypes, typeId: number, index: number): number {
  return index === 0 ? 0 : index * sizeOf(types.btf, typeId) * 8;
}

/** An array without a length that ends a struct may be indexed at will; `last` is the accessor that led to it. */
export function isFlexibleArray(types: DecodedTypes, array: BtfArray, last: Accessor | undefined): boolean {
  if (array.length > 0 || last?.name === undefined) return false;
  const members = types.members(last.typeId);
  return members !== undefined && last.index === members.count - 1;
}

function unreadable({ typeId, accessString }: CoreRelocation, why: string): BtfError {
  return new BtfError(
    `Cannot read the CO-RE access ${JSON.stringify(accessString.slice(0, LONGEST_ACCESS))} into type [${String(typeId)}]: ${why}`,
    { typeId },
  );
}
