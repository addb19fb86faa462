import { execFileSync } from 'node:child_process';
import type { BtfType } from '../../src/btf/index.ts';

/** A type as `bpftool --json btf dump … format raw` prints it. */
export type BpftoolType = Record<string, unknown> & { id: number };

/** What bpftool reads from a file, by type id. */
export function bpftoolTypes(options: readonly string[]): BpftoolType[] {
  const output = execFileSync('bpftool', ['--json', 'btf', 'dump', ...options, 'format', 'raw'], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  return (JSON.parse(output) as { types: BpftoolType[] }).types;
}

const kinds: Partial<Record<BtfType['kind'], string>> = {
  pointer: 'PTR',
  forward: 'FWD',
  function: 'FUNC',
  function_proto: 'FUNC_PROTO',
  variable: 'VAR',
};

/** A type of ours in bpftool's words. */
export function inBpftoolsWords(id: number, type: BtfType): BpftoolType {
  const common = { id, kind: kinds[type.kind] ?? type.kind.toUpperCase(), name: nameOf(type) };
  switch (type.kind) {
    case 'int':
      return {
        ...common,
        size: type.size,
        bits_offset: type.offset,
        nr_bits: type.bits,
        encoding: encoding(type),
      };
    case 'array':
      return {
        ...common,
        type_id: type.elementTypeId,
        index_type_id: type.indexTypeId,
        nr_elems: type.length,
      };
    case 'struct':
    case 'union': {
      const members = type.members.map((member) => ({
        name: member.name || '(anon)',
        type_id: member.typeId,
        bits_offset: member.bitOffset,
        ...(member.bitSize > 0 && { bitfield_size: member.bitSize }),
      }));
      return { ...common, size: type.size, vlen: members.length, members };
    }
    case 'enum':
    case 'enum64': {
      // bpftool widens the 32-bit value as a signed one before it prints it as an unsigned one.
      const widened = (value: number | bigint): number =>
        type.kind === 'enum' && Number(value) > 0x7fffffff
          ? Number(value) - 2 ** 32 + 2 ** 64
          : Number(value);
      const values = type.values.map(({ name, value }) => ({ name, val: widened(value) }));
      const sign = type.signed ? 'SIGNED' : 'UNSIGNED';
      return { ...common, encoding: sign, size: type.size, vlen: values.length, values };
    }
    case 'forward':
      return { ...common, fwd_kind: type.of };
    case 'pointer':
    case 'typedef':
    case 'const':
    case 'volatile':
    case 'restrict':
    case 'type_tag':
      return { ...common, type_id: type.typeId };
    case 'function':
      return { ...common, type_id: type.typeId, linkage: type.linkage };
    case 'variable':
      return { ...common, type_id: type.typeId, linkage: type.linkage };
    case 'decl_tag':
      return { ...common, type_id: type.typeId, component_idx: type.componentIndex };
    case 'float':
      return { ...common, size: type.size };
    case 'function_proto': {
      const params = type.parameters.map(({ name, typeId }) => ({ name: name || '(anon)', type_id: typeId }));
      if (type.variadic) params.push({ name: '(anon)', type_id: 0 });
      return { ...common, ret_type_id: type.returnTypeId, vlen: params.length, params };
    }
    case 'datasec': {
      const vars = type.variables.map(({ typeId, offset, size }) => ({ type_id: typeId, offset, size }));
      return { ...common, size: type.size, vlen: vars.length, vars };
    }
    case 'void':
      return common;
  }
}

function nameOf(type: BtfType): string {
  return ('name' in type && type.name) || '(anon)';
}

function encoding(type: Extract<BtfType, { kind: 'int' }>): string {
  if (type.signed) return 'SIGNED';
  if (type.char) return 'CHAR';
  return type.bool ? 'BOOL' : '(none)';
}
