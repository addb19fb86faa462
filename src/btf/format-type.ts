import { BtfError } from '../errors.ts';
import type { Btf } from './btf.ts';

const MAX_DEPTH = 64;

/**
 * A type as C spells it where it has no declarator: `unsigned int`, `struct foo *`, `__u8[16]`,
 * `int (*)(void *, __u32)`. Throws {@link BtfError} for a type that refers to itself other than by name.
 */
export function formatType(btf: Btf, id: number): string {
  return declaration(btf, id, { declarator: '', depth: 0 });
}

interface Declarator {
  /** What is written to the right of the type that is looked at: in C, declarations read from the inside out. */
  readonly declarator: string;
  readonly depth: number;
}

function declaration(btf: Btf, id: number, { declarator, depth }: Declarator): string {
  if (depth > MAX_DEPTH) {
    throw new BtfError(`Cannot spell BTF type ${String(id)}: it refers to itself, or is nested too deeply`, {
      typeId: id,
    });
  }
  const inner = (typeId: number, text: string): string =>
    declaration(btf, typeId, { declarator: text, depth: depth + 1 });
  const type = btf.type(id);
  switch (type.kind) {
    case 'void':
      return join('void', declarator);
    case 'int':
    case 'float':
    case 'typedef':
      return join(type.name, declarator);
    case 'struct':
    case 'union':
      return join(tagged(type.kind, type.name), declarator);
    case 'enum':
    case 'enum64':
      return join(tagged('enum', type.name), declarator);
    case 'forward':
      return join(tagged(type.of, type.name), declarator);
    case 'pointer':
      return inner(type.typeId, bindsTighter(btf, type.typeId) ? `(*${declarator})` : `*${declarator}`);
    case 'array':
      return inner(type.elementTypeId, `${declarator}[${String(type.length)}]`);
    case 'function_proto': {
      const parameters = type.parameters.map((parameter) => inner(parameter.typeId, ''));
      if (type.variadic) parameters.push('...');
      return inner(type.returnTypeId, `${declarator}(${parameters.join(', ') || 'void'})`);
    }
    case 'const':
    case 'volatile':
    case 'restrict':
      // The qualifier of a pointer stands behind its asterisk, that of anything else in front.
      if (btf.kindOf(type.typeId) === 'pointer') {
        return inner(
          type.typeId,
          `${type.kind}${declarator === '' || declarator.startsWith('[') ? '' : ' '}${declarator}`,
        );
      }
      return `${type.kind} ${inner(type.typeId, declarator)}`;
    case 'function':
    case 'variable':
      return inner(type.typeId, type.name);
    case 'type_tag':
    case 'decl_tag':
      return inner(type.typeId, declarator);
    case 'datasec':
      return `section ${type.name}`;
  }
}

function tagged(tag: string, name: string): string {
  return name === '' ? `${tag} (anonymous)` : `${tag} ${name}`;
}

function join(base: string, declarator: string): string {
  return declarator === '' || declarator.startsWith('[') ? base + declarator : `${base} ${declarator}`;
}

/** Arrays and functions bind tighter than a pointer, so that a pointer to one needs parentheses. */
function bindsTighter(btf: Btf, id: number): boolean {
  const kind = btf.kindOf(id);
  return kind === 'array' || kind === 'function_proto';
}
