import { BtfError } from '../../errors.ts';
import type { Btf } from '../btf.ts';
import type { BtfComposite, BtfEnum, BtfEnum64, BtfFunctionProto } from '../type.ts';
import { Layouts } from './layout.ts';
import type { UniqueNames } from './names.ts';

/** More levels than any declaration has. */
const MAX_DEPTH = 256;
/**
 * Characters of all declarations: what has no name is written again wherever it is used, so that unions within unions
 * double with each level. The kernel's types are two thirds of the bytes of their BTF.
 */
const MOST_TEXT = 1 << 22;
const TEXT_OF_A_BYTE = 2;

/**
 * A typedef that compilers have built in, so that it cannot be declared: what it stands for takes its place. clang's
 * own for BPF has not the size of the kernel's.
 */
export const BUILT_IN_TYPEDEF = '__builtin_va_list';

/** Of a spelling that is not worth keeping, unless it is long. */
const KEPT_HEIGHT = 4;

/** How variables of a type are declared: `base before variable after`. */
interface Spelling {
  readonly base: string;
  readonly before: string;
  readonly after: string;
  /** What stands next to the variable, qualifiers aside. */
  readonly binds: 'nothing' | 'pointer' | 'array' | 'function';
  /** The base has the members of a struct, union or enum without a name. */
  readonly hasBody: boolean;
  /** Types on the way to the last one that has a name. */
  readonly height: number;
}

/** Writes declarations; what they need declared before them is the caller's care. */
export class Declarations {
  readonly #btf: Btf;
  readonly #names: UniqueNames;
  readonly #layouts: Layouts;
  /** The type that is being declared. */
  #declared = 0;
  #depth = 0;
  #room: number;
  /** By the type and the indentation. */
  readonly #spellings = new Map<number, Spelling>();

  constructor(btf: Btf, names: UniqueNames) {
    this.#btf = btf;
    this.#names = names;
    this.#layouts = new Layouts(btf);
    this.#room = MOST_TEXT + TEXT_OF_A_BYTE * btf.byteLength;
  }

  forward(id: number, tag: string): string {
    this.#declared = id;
    return this.#counted(`${tag};\n`);
  }

  composite(id: number, type: BtfComposite): string {
    this.#declared = id;
    return `${this.#counted(`${type.kind} ${this.#names.tag(id)}`)} ${this.#body(id, type, '')};\n`;
  }

  enumeration(id: number, type: BtfEnum | BtfEnum64): string {
    this.#declared = id;
    const tag = this.#counted(type.name === '' ? 'enum' : `enum ${this.#names.tag(id)}`);
    return type.values.length === 0 ? `${tag};\n` : `${tag} ${this.#enumerators(type, '')};\n`;
  }

  typedef(id: number, targetId: number): string {
    this.#declared = id;
    return `typedef ${this.#spell(targetId, this.#names.typedef(id), '')};\n`;
  }

  #counted(text: string): string {
    this.#count(text.length);
    return text;
  }

  #count(length: number): void {
    this.#room -= length;
    if (this.#room >= 0) return;
    throw new BtfError(
      `Cannot write BTF type ${String(this.#declared)} in C: types without a name make its text too long`,
      { typeId: this.#declared },
    );
  }

  /** In C, declarations read from the inside out: `declarator` is what is declared. */
  #spell(id: number, declarator: string, indent: string): string {
    const name = this.#nameOf(id);
    if (name !== undefined) return this.#counted(declarator === '' ? name : `${name} ${declarator}`);
    const spelling = this.#spelling(id, indent);
    const text = declare(spelling, declarator);
    // What a body has was counted line by line.
    this.#count(spelling.hasBody ? text.length - spelling.base.length : text.length);
    return text;
  }

  /** Kept where it took more than a few steps: a chain of 200 pointers may be used by a hundred thousand typedefs. */
  #spelling(id: number, indent: string): Spelling {
    const name = this.#nameOf(id);
    if (name !== undefined) return named(name);
    const key = id * MAX_DEPTH + indent.length;
    const known = this.#spellings.get(key);
    if (this.#depth + (known?.height ?? 1) > MAX_DEPTH)
      throw new BtfError(`Cannot write BTF type ${String(id)} in C: it refers to itself`, { typeId: id });
    if (known) {
      if (known.hasBody) this.#count(known.base.length);
      return known;
    }
    const enumerators = this.#names.enumerators;
    this.#depth++;
    const spelling = this.#spellKind(id, indent);
    this.#depth--;
    // The enumerators of an enum without a name get other names each time.
    const isSame = this.#names.enumerators === enumerators;
    if (isSame && (spelling.hasBody || spelling.height > KEPT_HEIGHT || spelling.binds === 'function'))
      this.#spellings.set(key, spelling);
    return spelling;
  }

  /** Undefined for a type that is not spelled by its name alone. None is decoded: it may have thousands of members. */
  #nameOf(id: number): string | undefined {
    const kind = this.#btf.kindOf(id);
    switch (kind) {
      case 'void':
        return 'void';
      case 'int':
      case 'float':
        return this.#btf.nameOf(id);
      case 'typedef':
        return this.#btf.nameOf(id) === BUILT_IN_TYPEDEF ? undefined : this.#names.typedef(id);
      case 'struct':
      case 'union':
      case 'enum':
      case 'enum64':
        if (this.#btf.nameOf(id) === '') return undefined;
        return `${kind === 'enum64' ? 'enum' : kind} ${this.#names.tag(id)}`;
      default:
        return undefined;
    }
  }

  #spellKind(id: number, indent: string): Spelling {
    const type = this.#btf.type(id);
    switch (type.kind) {
      case 'struct':
      case 'union':
        return body(`${type.kind} ${this.#body(id, type, indent)}`);
      case 'enum':
      case 'enum64':
        return body(`enum ${this.#enumerators(type, indent)}`);
      case 'forward':
        return named(`${type.of} ${type.name}`);
      case 'pointer': {
        const target = higher(this.#spelling(type.typeId, indent));
        // Arrays and functions bind tighter than a pointer, so that a pointer to one needs parentheses.
        const tight = target.binds === 'array' || target.binds === 'function';
        return around(target, { before: tight ? '(*' : '*', after: tight ? ')' : '', binds: 'pointer' });
      }
      case 'array': {
        const element = higher(this.#spelling(type.elementTypeId, indent));
        return around(element, { before: '', after: `[${String(type.length)}]`, binds: 'array' });
      }
      case 'function_proto': {
        const parameters = this.#parameters(type, indent);
        const returned = higher(this.#spelling(type.returnTypeId, indent));
        return around(returned, { before: '', after: `(${parameters})`, binds: 'function' });
      }
      case 'const':
      case 'volatile':
      case 'restrict':
        return qualified(type.kind, higher(this.#spelling(type.typeId, indent)));
      default:
        return higher(this.#spelling(this.#btf.sizeOrTypeId(id), indent));
    }
  }

  #parameters({ parameters, variadic }: BtfFunctionProto, indent: string): string {
    const spelled = parameters.map((parameter) => this.#spell(parameter.typeId, '', indent));
    if (variadic) spelled.push('...');
    return spelled.join(', ') || 'void';
  }

  #body(id: number, type: BtfComposite, indent: string): string {
    const { parts, packed, aligned } = this.#layouts.of(id, type);
    const inner = `${indent}\t`;
    const lines = parts.map((part) => {
      if (part.kind === 'padding') return this.#counted(`${inner}${part.type}: ${String(part.bits)};\n`);
      const { name, typeId, bitSize } = part.member;
      const width = bitSize === 0 ? '' : `: ${String(bitSize)}`;
      return `${this.#counted(inner)}${this.#spell(typeId, name, inner)}${width};\n`;
    });
    const attributes = [
      packed ? ['packed'] : [],
      aligned === undefined ? [] : [`aligned(${String(aligned)})`],
    ];
    return `{\n${lines.join('')}${indent}}${attributeText(attributes.flat())}`;
  }

  #enumerators(type: BtfEnum | BtfEnum64, indent: string): string {
    const inner = `${indent}\t`;
    let lines = '';
    for (const { name, value } of type.values) {
      const line = `${inner}${this.#names.enumerator(name)} = ${integerText(value)},\n`;
      this.#count(line.length);
      lines += line;
    }
    return `{\n${lines}${indent}}${attributeText(enumMode(type))}`;
  }
}

/** The attribute that gives an enum a size which is not that of its values. */
function enumMode({ size, values }: BtfEnum | BtfEnum64): string[] {
  if (size === 1) return ['mode(byte)'];
  if (size === 2) return ['mode(HI)'];
  const fits = size === 8 && values.every(({ value }) => value >= -0x8000_0000 && value <= 0xffff_ffff);
  return fits ? ['mode(DI)'] : [];
}

function integerText(value: number | bigint): string {
  if (value === -(2n ** 63n)) return '(-9223372036854775807LL - 1)';
  if (value > 0x7fff_ffff_ffff_ffffn) return `${value.toString()}ULL`;
  const wide = value > 0xffff_ffff || value < -0x8000_0000;
  return wide ? `${value.toString()}LL` : value.toString();
}

function attributeText(attributes: readonly string[]): string {
  return attributes.length === 0 ? '' : ` __attribute__((${attributes.join(', ')}))`;
}

const named = (base: string): Spelling => ({
  base,
  before: '',
  after: '',
  binds: 'nothing',
  hasBody: false,
  height: 1,
});

const body = (base: string): Spelling => ({ ...named(base), hasBody: true });

function higher({ base, before, after, binds, hasBody, height }: Spelling): Spelling {
  return { base, before, after, binds, hasBody, height: height + 1 };
}

function around(
  { base, before, after, hasBody, height }: Spelling,
  next: Pick<Spelling, 'before' | 'after' | 'binds'>,
): Spelling {
  const [outer, inner] = [`${before}${next.before}`, `${next.after}${after}`];
  return { base, before: outer, after: inner, binds: next.binds, hasBody, height };
}

function qualified(qualifier: 'const' | 'volatile' | 'restrict', target: Spelling): Spelling {
  switch (target.binds) {
    case 'pointer':
      // The qualifier of a pointer stands behind its asterisk, that of anything else in front.
      return around(target, { before: `${qualifier} `, after: '', binds: 'pointer' });
    case 'array':
    case 'function':
      // GCC qualifies an array besides its elements, and writes __attribute__((noreturn)) and ((const)) of functions
      // as qualifiers, which C has not.
      return target;
    case 'nothing':
      return { ...target, base: `${qualifier} ${target.base}` };
  }
}

function declare({ base, before, after }: Spelling, declarator: string): string {
  const inner = declarator === '' ? `${before.trimEnd()}${after}` : `${before}${declarator}${after}`;
  return inner === '' ? base : `${base} ${inner}`;
}
