import type { BtfKind } from '../kind.ts';
import type { AccessSpec } from './access-spec.ts';
import { familyOf } from './kind.ts';

/** The words of the C tools where they differ from ours. */
const KIND_WORDS: Partial<Record<BtfKind, string>> = {
  pointer: 'ptr',
  forward: 'fwd',
  function: 'func',
  function_proto: 'func_proto',
  variable: 'var',
};

/** A spec as libbpf's log prints it: `<byte_off> [7] struct task_struct.pid (0:1 @ offset 4)`. */
export function formatSpec(spec: AccessSpec): string {
  const { types, kind, rootTypeId } = spec;
  const rootKind = types.btf.kindOf(rootTypeId);
  const name = types.btf.nameOf(rootTypeId) || '<anon>';
  const root = `<${kind}> [${String(rootTypeId)}] ${KIND_WORDS[rootKind] ?? rootKind} ${name}`;
  switch (familyOf(kind)) {
    case 'type':
      return root;
    case 'enumerator':
      return root + formatEnumerator(spec);
    case 'field':
      return root + formatPath(spec);
  }
}

function formatEnumerator({ types, accessors }: AccessSpec): string {
  const [accessor] = accessors;
  const type = types.type(accessor?.typeId ?? 0);
  const values = type.kind === 'enum' || type.kind === 'enum64' ? type.values : [];
  const value = values[accessor?.index ?? 0];
  return `::${accessor?.name ?? ''} = ${String(value?.value)}`;
}

function formatPath({ accessors, indexes, bitOffset }: AccessSpec): string {
  const path = accessors.map(({ name, index }, level) => {
    if (name !== undefined) return `.${name}`;
    return level > 0 || index > 0 ? `[${String(index)}]` : '';
  });
  const bits = bitOffset % 8 === 0 ? '' : `.${String(bitOffset % 8)}`;
  return `${path.join('')} (${indexes.join(':')} @ offset ${String(Math.floor(bitOffset / 8))}${bits})`;
}
