import { BtfError } from '../../errors.ts';
import type { Btf } from '../btf.ts';
import type { BtfKind } from '../kind.ts';
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
const TEXT_OF_A_BYTE = 4;

/**
 * A typedef that compilers have built in, so that it cannot be declared: what it stands for takes its place. clang's
 * own for BPF has not the size of the kernel's.
 */
export const BUILT_IN_TYPEDEF = '__builtin_va_list';

const TAGGED: ReadonlySet<BtfKind> = new Set(['struct', 'union', 'enum', 'enum64']);
const TRANSPARENT: ReadonlySet<BtfKind> = new Set(['const', 'volatile', 'restrict', 'type_tag']);

/** Writes declarations; what they need declared before them is the caller's care. */
export class Declarations {
  readonly #btf: Btf;
  readonly #names: UniqueNames;
  readonly #layouts: Layouts;
  /** The type that is being declared. */
  #declared = 0;
  #depth = 0;
  #room: number;

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
    this.#room -= text.length;
    if (this.#room >= 0) return text;
    throw new BtfError(
      `Cannot write BTF type ${String(this.#declared)} in C: types without a name make its text too long`,
      { typeId: this.#declared },
    );
  }

  #join(base: string, declarator: string): string {
    return this.#counted(join(base, declarator));
  }

  /** In C, declarations read from the inside out: `declarator` is what stands to the right. */
  #spell(id: number, declarator: string, indent: string): string {
    if (++this.#depth > MAX_DEPTH)
      throw new BtfError(`Cannot write BTF type ${String(id)} in C: it refers to itself`, { typeId: id });
    try {
      return this.#spellKind(id, declarator, indent);
    } finally {
      this.#depth--;
    }
  }

  #spellKind(id: number, declarator: string, indent: string): string {
    // By its name alone: it may have thousands of members, and be used as often.
    const kind = this.#btf.kindOf(id);
    if (TAGGED.has(kind) && this.#btf.nameOf(id) !== '')
      return this.#join(`${kind === 'enum64' ? 'enum' : kind} ${this.#names.tag(id)}`, declarator);
    const type = this.#btf.type(id);
    switch (type.kind) {
      case 'void':
        return this.#join('void', declarator);
      case 'int':
      case 'float':
        return this.#join(type.name, declarator);
      case 'typedef':
        if (type.name === BUILT_IN_TYPEDEF) return this.#spell(type.typeId, declarator, indent);
        return this.#join(this.#names.typedef(id), declarator);
      case 'struct':
      case 'union':
        return join(`${type.kind} ${this.#body(id, type, indent)}`, this.#counted(declarator));
      case 'enum':
      case 'enum64':
        return join(`enum ${this.#enumerators(type, indent)}`, this.#counted(declarator));
      case 'forward':
        return this.#join(`${type.of} ${type.name}`, declarator);
      case 'pointer': {
        const starred = this.#bindsTighter(type.typeId) ? `(*${declarator})` : `*${declarator}`;
        return this.#spell(type.typeId, starred, indent);
      }
      case 'array':
        return this.#spell(type.elementTypeId, `${declarator}[${String(type.length)}]`, indent);
      case 'function_proto':
        return this.#spell(type.returnTypeId, `${declarator}(${this.#parameters(type, indent)})`, indent);
      case 'const':
      case 'volatile':
      case 'restrict':
        return this.#qualified(type.kind, type.typeId, { declarator, indent });
      default:
        return this.#spell(this.#btf.sizeOrTypeId(id), declarator, indent);
    }
  }

  #qualified(
    qualifier: 'const' | 'volatile' | 'restrict',
    targetId: number,
    { declarator, indent }: { declarator: string; indent: string },
  ): string {
    switch (this.#btf.kindOf(this.#unqualified(targetId))) {
      case 'pointer':
        // The qualifier of a pointer stands behind its asterisk, that of anything else in front.
        return this.#spell(targetId, this.#join(qualifier, declarator), indent);
      case 'array':
      case 'function_proto':
        // GCC qualifies an array besides its elements, and writes __attribute__((noreturn)) and ((const)) of functions
        // as qualifiers, which C has not.
        return this.#spell(targetId, declarator, indent);
      default:
        return `${this.#counted(qualifier)} ${this.#spell(targetId, declarator, indent)}`;
    }
  }

  #unqualified(id: number): number {
    let target = id;
    for (let level = 0; level < MAX_DEPTH; level++) {
      if (!TRANSPARENT.has(this.#btf.kindOf(target))) break;
      target = this.#btf.sizeOrTypeId(target);
    }
    return target;
  }

  /** Arrays and functions bind tighter than a pointer, so that a pointer to one needs parentheses. */
  #bindsTighter(id: number): boolean {
    const kind = this.#btf.kindOf(this.#unqualified(id));
    return kind === 'array' || kind === 'function_proto';
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
    const lines = type.values.map(({ name, value }) =>
      this.#counted(`${indent}\t${this.#names.enumerator(name)} = ${integerText(value)},\n`),
    );
    return `{\n${lines.join('')}${indent}}${attributeText(enumMode(type))}`;
  }
}

/** The attribute that gives an enum a size which is not that of its values. */
function enumMode({ size, values }: BtfEnum | BtfEnum64): string[] {
  if (size === 1) return ['mode(byte)'];
  if (size === 2) return ['mode(HI)'];
  const fits = values.every(({ value }) => BigInt(value) >= -0x8000_0000n && BigInt(value) <= 0xffff_ffffn);
  return size === 8 && fits ? ['mode(DI)'] : [];
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

function join(base: string, declarator: string): string {
  return declarator === '' ? base : `${base} ${declarator}`;
}
