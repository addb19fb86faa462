import { resolveType, sizeOf } from '../../src/btf/index.ts';
import type { Btf, BtfComposite, BtfMember } from '../../src/btf/index.ts';
import { bitfieldUnits, bpfAttrStructs } from './modules.ts';

/** A descriptor as source text, with what has to be imported or declared before it. */
export interface PrintedStruct {
  readonly name: string;
  readonly text: string;
  /** Names of src/binary. */
  readonly fieldTypes: ReadonlySet<string>;
  /** Other structs, which are descriptors of their own. */
  readonly nested: ReadonlySet<string>;
}

interface Field {
  readonly name: string;
  readonly offset: number;
  readonly type: string;
  readonly comment?: string;
}

/** Prints the `layout()` descriptor of a struct, or of a union where the name says so: `union bpf_attr`. */
export function printStruct(btf: Btf, tagged: string): PrintedStruct {
  const name = tagged.replace(/^union /, '');
  const id = btf.find(name, name === tagged ? 'struct' : 'union');
  if (id === undefined) throw new Error(`Cannot find ${tagged} in the headers`);
  return new StructPrinter(btf).print(name, composite(btf, id));
}

/** Prints one descriptor for each struct that `union bpf_attr` consists of. */
export function printBpfAttr(btf: Btf): PrintedStruct[] {
  const union = composite(btf, btf.find('bpf_attr', 'union') ?? 0);
  return union.members.map((member) => {
    const struct = composite(btf, resolveType(btf, member.typeId));
    const name = member.name === '' ? bpfAttrStructs[firstField(btf, struct)] : member.name;
    if (name === undefined)
      throw new Error(`Cannot name the struct of ${firstField(btf, struct)} in union bpf_attr`);
    return new StructPrinter(btf).print(`bpf_attr_${name}`, struct);
  });
}

function composite(btf: Btf, id: number): BtfComposite {
  const type = btf.type(id);
  if (type.kind !== 'struct' && type.kind !== 'union')
    throw new Error(`Cannot print a ${type.kind} as a struct`);
  return type;
}

function firstField(btf: Btf, struct: BtfComposite): string {
  const first = struct.members[0]!;
  return first.name === '' ? firstField(btf, composite(btf, resolveType(btf, first.typeId))) : first.name;
}

class StructPrinter {
  readonly #btf: Btf;
  readonly #fieldTypes = new Set(['at', 'layout']);
  readonly #nested = new Set<string>();

  constructor(btf: Btf) {
    this.#btf = btf;
  }

  print(name: string, type: BtfComposite): PrintedStruct {
    const text =
      `export const ${name} = ${this.#layout(name, type, '')};\n` +
      `export type ${name} = StructValue<typeof ${name}>;\n`;
    return { name, text, fieldTypes: this.#fieldTypes, nested: this.#nested };
  }

  #layout(name: string, type: BtfComposite, indent: string): string {
    const fields = this.#fields(name, type, 0, indent);
    if (new Set(fields.map((field) => field.name)).size !== fields.length) {
      throw new Error(`Cannot print struct ${name}: two of its fields have the same name`);
    }
    const lines = fields.map(({ name: field, offset, type: fieldType, comment }) => {
      const line = `${indent}  ${field}: at(${String(offset)}, ${fieldType}),`;
      return comment === undefined ? line : `${indent}  /** ${comment} */\n${line}`;
    });
    return `layout('${name}', ${String(type.size)}, {\n${lines.join('\n')}\n${indent}})`;
  }

  /** The fields of a struct, those of its anonymous structs and unions among them, at offsets from `base` on. */
  #fields(owner: string, type: BtfComposite, base: number, indent: string): Field[] {
    const fields: Field[] = [];
    let unit = -1;
    for (const member of type.members) {
      if (member.bitSize > 0) {
        const field = this.#bitfieldUnit(owner, type, member, base);
        if (field.offset !== unit && field.name !== undefined) fields.push({ ...field, name: field.name });
        unit = field.offset;
        continue;
      }
      unit = -1;
      const offset = base + member.bitOffset / 8;
      const target = resolveType(this.#btf, member.typeId);
      if (member.name === '')
        fields.push(...this.#fields(owner, composite(this.#btf, target), offset, indent));
      else if (sizeOf(this.#btf, target) > 0) {
        const fieldType = this.#fieldType(`${owner}.${member.name}`, member.typeId, indent);
        fields.push({ name: member.name, offset, type: fieldType });
      }
    }
    return fields;
  }

  /** The integer that a run of bitfields lies in: the descriptors of src/binary have no bitfields. */
  #bitfieldUnit(
    owner: string,
    type: BtfComposite,
    member: BtfMember,
    base: number,
  ): Omit<Field, 'name'> & { name: string | undefined } {
    const size = sizeOf(this.#btf, member.typeId);
    const unitOf = (other: BtfMember): number => Math.floor(other.bitOffset / (size * 8)) * size;
    const run = type.members.filter((other) => other.bitSize > 0 && unitOf(other) === unitOf(member));
    const key = `${owner}.${run[0]!.name}`;
    if (run.length > 1 && !Object.hasOwn(bitfieldUnits, key))
      throw new Error(`Cannot name the bitfields at ${key}`);
    const bits = run.map((bitfield) => {
      const first = bitfield.bitOffset - unitOf(bitfield) * 8;
      const last = first + bitfield.bitSize - 1;
      return `${bitfield.name} ${first === last ? String(first) : `${String(first)}-${String(last)}`}`;
    });
    return {
      name: run.length > 1 ? bitfieldUnits[key] : run[0]!.name,
      offset: base + unitOf(member),
      type: this.#use(`u${String(size * 8)}`),
      comment: `Bits: ${bits.join(', ')}.`,
    };
  }

  #fieldType(path: string, id: number, indent: string): string {
    const names = this.#typedefNames(id);
    if (names.includes('__be16')) return this.#use('be16');
    if (names.includes('__be32')) return this.#use('be32');
    const type = this.#btf.type(resolveType(this.#btf, id));
    switch (type.kind) {
      case 'int':
        if (type.size > 8) break;
        return this.#use(`${type.signed && !type.bool ? 'i' : 'u'}${String(type.size * 8)}`);
      case 'enum':
        return this.#use(`${type.signed ? 'i' : 'u'}${String(type.size * 8)}`);
      case 'pointer':
        return this.#use('u64');
      case 'array':
        return this.#arrayType(path, type.elementTypeId, type.length, indent);
      case 'struct':
      case 'union':
        if (type.name === '' || type.kind === 'union') return this.#layout(path, type, `${indent}  `);
        this.#nested.add(type.name);
        return type.name;
      default:
        break;
    }
    throw new Error(`Cannot print ${path}: src/binary has no field type for a ${type.kind}`);
  }

  #arrayType(path: string, elementId: number, length: number, indent: string): string {
    const element = this.#btf.type(resolveType(this.#btf, elementId));
    if (element.kind === 'int' && element.size === 1) {
      if (element.name === 'char') return `${this.#use('chars')}(${String(length)})`;
      if (!element.signed) return `${this.#use('bytes')}(${String(length)})`;
    }
    return `${this.#use('array')}(${this.#fieldType(path, elementId, indent)}, ${String(length)})`;
  }

  /** The names of the typedefs on the way to a type: only they tell `__be32` from `__u32`. */
  #typedefNames(id: number): string[] {
    const type = this.#btf.type(id);
    if (type.kind === 'typedef') return [type.name, ...this.#typedefNames(type.typeId)];
    return type.kind === 'const' || type.kind === 'volatile' ? this.#typedefNames(type.typeId) : [];
  }

  #use(fieldType: string): string {
    this.#fieldTypes.add(fieldType);
    return fieldType;
  }
}
