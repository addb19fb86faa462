import type { Btf } from '../btf.ts';
import type { BtfType } from '../type.ts';

/** A type in the words of `bpftool --json btf dump … format raw`, in its order. */
export type RawType = { id: number; kind: string; name: string } & { [field: string]: RawField };
/** What a field of a type holds, as bpftool prints it. */
export type RawField = string | number | bigint | RawElement[];
/** A member, enumerator, parameter or variable of a section. */
export type RawElement = Record<string, string | number | bigint>;

const ANONYMOUS = '(anon)';

/** Where bpftool says it in another word than the kind of ours in capitals. */
const kindWords: Partial<Record<BtfType['kind'], string>> = {
  pointer: 'PTR',
  forward: 'FWD',
  function: 'FUNC',
  function_proto: 'FUNC_PROTO',
  variable: 'VAR',
};

/** Throws {@link BtfError} for a type that is not there or malformed. */
export function rawType(btf: Btf, id: number): RawType {
  const type = btf.type(id);
  const kind = kindWords[type.kind] ?? type.kind.toUpperCase();
  const name = ('name' in type && type.name) || ANONYMOUS;
  return { id, kind, name, ...fields(type) };
}

function fields(type: BtfType): Record<string, RawField> {
  switch (type.kind) {
    case 'void':
      return {};
    case 'int':
      return { size: type.size, bits_offset: type.offset, nr_bits: type.bits, encoding: encoding(type) };
    case 'float':
      return { size: type.size };
    case 'array':
      return { type_id: type.elementTypeId, index_type_id: type.indexTypeId, nr_elems: type.length };
    case 'struct':
    case 'union': {
      const members = type.members.map(({ name, typeId, bitOffset, bitSize }) => ({
        name: name || ANONYMOUS,
        type_id: typeId,
        bits_offset: bitOffset,
        ...(bitSize > 0 && { bitfield_size: bitSize }),
      }));
      return { size: type.size, vlen: members.length, members };
    }
    case 'enum':
    case 'enum64': {
      const values = type.values.map(({ name, value }) => ({ name, val: value }));
      const sign = type.signed ? 'SIGNED' : 'UNSIGNED';
      return { encoding: sign, size: type.size, vlen: values.length, values };
    }
    case 'forward':
      return { fwd_kind: type.of };
    case 'pointer':
    case 'typedef':
    case 'const':
    case 'volatile':
    case 'restrict':
    case 'type_tag':
      return { type_id: type.typeId };
    case 'function':
    case 'variable':
      return { type_id: type.typeId, linkage: type.linkage };
    case 'decl_tag':
      return { type_id: type.typeId, component_idx: type.componentIndex };
    case 'function_proto': {
      const params = type.parameters.map(({ name, typeId }) => ({
        name: name || ANONYMOUS,
        type_id: typeId,
      }));
      if (type.variadic) params.push({ name: ANONYMOUS, type_id: 0 });
      return { ret_type_id: type.returnTypeId, vlen: params.length, params };
    }
    case 'datasec': {
      const vars = type.variables.map(({ typeId, offset, size }) => ({ type_id: typeId, offset, size }));
      return { size: type.size, vlen: vars.length, vars };
    }
  }
}

function encoding(type: Extract<BtfType, { kind: 'int' }>): string {
  if (type.signed) return 'SIGNED';
  if (type.char) return 'CHAR';
  return type.bool ? 'BOOL' : '(none)';
}
