import {
  createCodec,
  formatType,
  lastFields,
  resolveType,
  type Btf,
  type BtfArray,
  type BtfMember,
  type BtfType,
} from '../btf/index.ts';
import { DeclarationTags } from './declaration-tags.ts';
import { listFields } from './fields.ts';
import { TypeNames } from './names.ts';
import {
  flexibleEnd,
  type EnumType,
  type NamedType,
  type RecordField,
  type RecordType,
  type Shape,
  type TypedShape,
} from './shape.ts';

/** Turns BTF types into shapes, and names the structs, unions and enums met on the way. */
export class ShapeBuilder {
  readonly names = new TypeNames();
  readonly tags: DeclarationTags;
  readonly #btf: Btf;
  readonly #records = new Map<number, RecordType>();
  readonly #enums = new Map<number, EnumType>();

  constructor(btf: Btf) {
    this.#btf = btf;
    this.tags = new DeclarationTags(btf);
  }

  /** Every named type so far; a type comes after those that it contains. */
  get types(): NamedType[] {
    return [...this.#records.values(), ...this.#enums.values()];
  }

  /**
   * The shape of a type that keys, values, events or variables are of. `place` names what has no name.
   *
   * @throws BtfError as {@link createCodec} does: for what has no values, or is malformed
   */
  shape(typeId: number, place: string): TypedShape {
    createCodec(this.#btf, typeId);
    return this.#typed(typeId, place);
  }

  #typed(typeId: number, place: string): TypedShape {
    return { shape: this.#shape(typeId, place), typeName: formatType(this.#btf, typeId) };
  }

  #shape(typeId: number, place: string): Shape {
    const resolved = resolveType(this.#btf, typeId);
    const type = this.#btf.type(resolved);
    switch (type.kind) {
      case 'int':
        return type.bool
          ? { kind: 'boolean', size: type.size }
          : { kind: 'integer', size: type.size, signed: type.signed, pointer: false };
      case 'enum':
      case 'enum64': {
        const { size, signed } = type;
        return { kind: 'enum', size, signed, type: this.#enum(resolved, { typeId, place }) };
      }
      case 'float':
        return { kind: 'float', size: type.size };
      case 'array':
        return this.#array(type, { typeId: resolved, place });
      case 'struct':
      case 'union':
        return { kind: 'record', size: type.size, type: this.#record(resolved, { typeId, place }) };
      case 'variable':
        return this.#shape(type.typeId, place);
      default:
        // createCodec() has refused whatever else there is.
        return { kind: 'integer', size: 8, signed: false, pointer: true };
    }
  }

  #array({ length, elementTypeId }: BtfArray, { typeId, place }: { typeId: number; place: string }): Shape {
    const flexible = length === 0 ? createCodec(this.#btf, typeId).flexible : undefined;
    const element = this.#btf.type(resolveType(this.#btf, elementTypeId));
    if (element.kind === 'int' && element.size === 1) {
      if (element.name === 'char') return { kind: 'text', size: length, flexible };
      if (!element.signed && !element.bool) return { kind: 'bytes', size: length, flexible };
    }
    const typed = this.#typed(elementTypeId, place);
    return { kind: 'array', size: typed.shape.size * length, length, element: typed, flexible };
  }

  #record(id: number, use: { typeId: number; place: string }): RecordType {
    const known = this.#records.get(id);
    if (known) return known;
    const type = this.#btf.type(id) as Extract<BtfType, { kind: 'struct' | 'union' }>;
    const name = this.names.choose(this.#nameOf(id, use), type.kind);
    const last = lastFields(this.#btf, id);
    const fields = listFields(this.#btf, id).map(({ member, of, index }): RecordField => ({
      name: member.name,
      ...this.#field(member, `${name}_${member.name}`),
      last: last.has(member.name),
      tags: this.tags.of(of, index),
    }));
    const { size } = type;
    const typeName = formatType(this.#btf, this.#spelledBy(id, use));
    const grows = fields.some((field) => field.last && flexibleEnd(field.shape) !== undefined);
    const flexible = grows ? createCodec(this.#btf, id).flexible : undefined;
    const tags = this.tags.of(id);
    const record: RecordType = { kind: 'record', name, typeName, size, flexible, fields, tags };
    this.#records.set(id, record);
    return record;
  }

  #field(member: BtfMember, place: string): TypedShape & { bitOffset: number } {
    const { typeId, bitOffset, bitSize } = member;
    const type = this.#btf.type(resolveType(this.#btf, typeId));
    // Old BTF describes a bitfield by an int that uses a part of its bytes.
    const old = type.kind === 'int' && (type.bits !== type.size * 8 || type.offset !== 0);
    if (bitSize === 0 && !old) return { ...this.#typed(typeId, place), bitOffset };
    const bits = bitSize > 0 || type.kind !== 'int' ? bitSize : type.bits;
    const typeName = `${formatType(this.#btf, typeId)}:${String(bits)}`;
    const place8 = bitSize > 0 || type.kind !== 'int' ? bitOffset : bitOffset + type.offset;
    const shape = this.#shape(typeId, place);
    const signed = 'signed' in shape && shape.signed;
    const of = shape.kind === 'enum' ? shape.type : shape.kind === 'boolean' ? 'boolean' : 'integer';
    return {
      shape: { kind: 'bits', size: shape.size, bits, signed, of },
      typeName,
      bitOffset: place8,
    };
  }

  #enum(id: number, use: { typeId: number; place: string }): EnumType {
    const known = this.#enums.get(id);
    if (known) return known;
    const type = this.#btf.type(id) as Extract<BtfType, { kind: 'enum' | 'enum64' }>;
    const name = this.names.choose(this.#nameOf(id, use), 'enum');
    const { size, values } = type;
    const typeName = formatType(this.#btf, this.#spelledBy(id, use));
    const made: EnumType = { kind: 'enum', name, typeName, size, values, tags: this.tags.of(id) };
    this.#enums.set(id, made);
    return made;
  }

  /** The tag, or the typedef that it is used by, or the place where it is declared. */
  #nameOf(id: number, { typeId, place }: { typeId: number; place: string }): string {
    const spelled = this.#spelledBy(id, { typeId });
    return this.#btf.nameOf(spelled) || place;
  }

  /** Of an anonymous type the typedef that leads to it, where one does. */
  #spelledBy(id: number, { typeId }: { typeId: number }): number {
    let current = typeId;
    while (this.#btf.nameOf(id) === '' && current !== id) {
      if (this.#btf.kindOf(current) === 'typedef') return current;
      current = this.#btf.sizeOrTypeId(current);
    }
    return id;
  }
}
