import { BtfError } from '../errors.ts';
import type { Btf } from './btf.ts';
import type { BtfFunctionProto } from './type.ts';

/** More parts than any declaration has: prototypes that each name the next one twice would multiply without end. */
const MAX_PARTS = 1 << 10;

/**
 * A type as C spells it where it has no declarator: `unsigned int`, `struct foo *`, `__u8[16]`,
 * `int (*)(void *, __u32)`. Throws {@link BtfError} for a type that refers to itself other than by name.
 */
export function formatType(btf: Btf, id: number): string {
  return new Speller(btf, id).spell(id, '');
}

class Speller {
  readonly #btf: Btf;
  readonly #outermost: number;
  #parts = 0;

  constructor(btf: Btf, outermost: number) {
    this.#btf = btf;
    this.#outermost = outermost;
  }

  /** `declarator` is what stands to the right: in C, declarations read from the inside out. */
  spell(id: number, declarator: string): string {
    if (++this.#parts > MAX_PARTS) {
      const why = 'it refers to itself, or is too long';
      throw new BtfError(`Cannot spell BTF type ${String(this.#outermost)}: ${why}`, {
        typeId: this.#outermost,
      });
    }
    const type = this.#btf.type(id);
    switch (type.kind) {
      case 'void':
        return join('void', declarator);
      case 'int':
      case 'float':
      case 'typedef':
        return join(type.name || '(anonymous)', declarator);
      case 'struct':
      case 'union':
        return join(tagged(type.kind, type.name), declarator);
      case 'enum':
      case 'enum64':
        return join(tagged('enum', type.name), declarator);
      case 'forward':
        return join(tagged(type.of, type.name), declarator);
      case 'pointer':
        return this.spell(
          type.typeId,
          this.#bindsTighter(type.typeId) ? `(*${declarator})` : `*${declarator}`,
        );
      case 'array':
        return this.spell(type.elementTypeId, `${declarator}[${String(type.length)}]`);
      case 'function_proto':
        return this.spell(type.returnTypeId, `${declarator}(${this.#parameters(type)})`);
      case 'const':
      case 'volatile':
      case 'restrict':
        // The qualifier of a pointer stands behind its asterisk, that of anything else in front.
        if (this.#btf.kindOf(type.typeId) === 'pointer')
          return this.spell(type.typeId, join(type.kind, declarator));
        return `${type.kind} ${this.spell(type.typeId, declarator)}`;
      case 'function':
      case 'variable':
        return this.spell(type.typeId, type.name);
      case 'type_tag':
      case 'decl_tag':
        return this.spell(type.typeId, declarator);
      case 'datasec':
        return `section ${type.name}`;
    }
  }

  #parameters({ parameters, variadic }: BtfFunctionProto): string {
    const spelled = parameters.map((parameter) => this.spell(parameter.typeId, ''));
    if (variadic) spelled.push('...');
    return spelled.join(', ') || 'void';
  }

  /** Arrays and functions bind tighter than a pointer, so that a pointer to one needs parentheses. */
  #bindsTighter(id: number): boolean {
    const kind = this.#btf.kindOf(id);
    return kind === 'array' || kind === 'function_proto';
  }
}

function tagged(tag: string, name: string): string {
  return name === '' ? `${tag} (anonymous)` : `${tag} ${name}`;
}

function join(base: string, declarator: string): string {
  return declarator === '' || declarator.startsWith('[') ? base + declarator : `${base} ${declarator}`;
}
