import type { Btf } from '../../btf/index.ts';

/** Deeper types than any signature has; BTF from elsewhere may refer to itself. */
const DEEPEST = 64;

/** A function as bpftool heads it: `int count(struct xdp_md * ctx)`. */
export function signatureText(btf: Btf, functionId: number): string {
  const fn = btf.type(functionId);
  if (fn.kind !== 'function') return '';
  const proto = btf.type(fn.typeId);
  if (proto.kind !== 'function_proto') return '';
  const parameters = proto.parameters.map(({ name, typeId }) =>
    name === '' ? spell(btf, typeId).trimEnd() : `${spell(btf, typeId)}${name}`,
  );
  if (proto.variadic) parameters.push('...');
  return `${spell(btf, proto.returnTypeId)}${fn.name}(${parameters.join(', ')})`;
}

/** With a space behind every word and asterisk. */
function spell(btf: Btf, id: number, depth = 0): string {
  const type = btf.type(id);
  if (depth > DEEPEST) return '… ';
  switch (type.kind) {
    case 'void':
      return 'void ';
    case 'int':
    case 'float':
    case 'typedef':
      return `${type.name} `;
    case 'struct':
    case 'union':
      return `${type.kind} ${type.name} `;
    case 'enum':
    case 'enum64':
      return `enum ${type.name} `;
    case 'forward':
      return `${type.of} ${type.name} `;
    case 'pointer':
      return `${spell(btf, type.typeId, depth + 1)}* `;
    case 'array':
      return `${spell(btf, type.elementTypeId, depth + 1)}[${type.length}]`;
    case 'const':
    case 'volatile':
    case 'restrict':
      return `${type.kind} ${spell(btf, type.typeId, depth + 1)}`;
    case 'function_proto': {
      const parameters = type.parameters.map(({ typeId }) => spell(btf, typeId, depth + 1).trimEnd());
      return `${spell(btf, type.returnTypeId, depth + 1)}(${parameters.join(', ')})`;
    }
    case 'type_tag':
    case 'decl_tag':
    case 'variable':
    case 'function':
      return spell(btf, type.typeId, depth + 1);
    case 'datasec':
      return '';
  }
}
