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
    const name = this.#named(id);
    if (name !== undefined) return join(name, declarator);
    if (this.#btf.kindOf(id) === 'datasec') return `section ${this.#btf.nameOf(id)}`;
    const type = this.#btf.type(id);
    switch (type.kind) {
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
      default:
        throw new BtfError(`Cannot spell BTF type ${String(id)}: its kind is not known`, { typeId: id });
    }
  }

  /** Of what has a name of its own. None is decoded: it may have thousands of members, and be asked for as often. */
  #named(id: number): string | undefined {
    const kind = this.#btf.kindOf(id);
    switch (kind) {
      case 'void':
        return 'void';
      case 'int':
      case 'float':
      case 'typedef':
        return this.#btf.nameOf(id) || '(anonymous)';
      case 'struct':
      case 'union':
        return tagged(kind, this.#btf.nameOf(id));
      case 'enum':
      case 'enum64':
        return tagged('enum', this.#btf.nameOf(id));
      default:
        return undefined;
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
