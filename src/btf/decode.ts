import { BtfError } from '../errors.ts';
import { kindNames } from './kind.ts';
import { elementCount, kindOfInfo, TYPE_SIZE } from './scan.ts';
import type { StringTable } from './string-table.ts';
import type { BtfLinkage, BtfMember, BtfType } from './type.ts';

/** What decoding one type needs to know of the BTF it lies in. */
export interface TypeSource {
  readonly view: DataView;
  readonly littleEndian: boolean;
  /** Whether there is a type of that id. */
  has(id: number): boolean;
  lastId(): number;
  name(offset: number): string;
  readonly strings: StringTable;
}

/**
 * Decodes the type at a byte offset that the scan found, so that all of its bytes are there. Checks every name and
 * type id in it, and sizes. Throws {@link BtfError}.
 */
export function decodeType(source: TypeSource, typeId: number, offset: number): BtfType {
  return new TypeDecoder(source, typeId, offset).decode();
}

/** The members of a struct or union, each decoded when it is asked for: a search by name wants one of a hundred. */
export class Members {
  readonly count: number;
  readonly #source: TypeSource;
  readonly #offset: number;
  readonly #decoder: TypeDecoder;

  /** `offset` is that of the type, which is known to be one. */
  constructor(source: TypeSource, typeId: number, offset: number) {
    this.#source = source;
    this.#offset = offset + TYPE_SIZE;
    this.#decoder = new TypeDecoder(source, typeId, offset);
    this.count = elementCount(source.view.getUint32(offset + 4, source.littleEndian));
  }

  /** Undefined for an index that is not there. Throws {@link BtfError} for a malformed member. */
  at(index: number): BtfMember | undefined {
    return index >= 0 && index < this.count
      ? this.#decoder.member(TYPE_SIZE + index * MEMBER_SIZE)
      : undefined;
  }

  /**
   * The first member from an index on that has the name `text`, which ends in its NUL, or none at all; undefined where
   * there is neither. Throws {@link BtfError}. Nearly always the first byte differs, which a call is not worth.
   */
  next(text: Uint8Array, from: number): { readonly index: number; readonly isNamed: boolean } | undefined {
    const { view, littleEndian, strings } = this.#source;
    const { ownBytes, firstOffset } = strings;
    const first = text[0];
    for (let index = from; index < this.count; index++) {
      const name = view.getUint32(this.#offset + index * MEMBER_SIZE, littleEndian);
      const byte = ownBytes[name - firstOffset];
      if (byte !== undefined && byte !== 0 && byte !== first) continue;
      if (strings.equals(name, text)) return { index, isNamed: true };
      if (strings.equals(name, UNNAMED)) return { index, isNamed: false };
    }
    return undefined;
  }

  /** The type of a member that is there, which is not checked. */
  typeIdAt(index: number): number {
    return this.#source.view.getUint32(this.#offset + index * MEMBER_SIZE + 4, this.#source.littleEndian);
  }
}

const UNNAMED = Uint8Array.of(0);
/** Of `struct btf_member`. */
const MEMBER_SIZE = 12;

/** `BTF_MAX_NAME_OFFSET`: as many bytes of names as there may be, but for such as are the ends of others. */
const MOST_NAMED = 0xff_ffff;

class TypeDecoder {
  readonly #source: TypeSource;
  readonly #typeId: number;
  readonly #offset: number;
  readonly #info: number;
  /** Characters of names that were read. */
  #named = 0;

  constructor(source: TypeSource, typeId: number, offset: number) {
    this.#source = source;
    this.#typeId = typeId;
    this.#offset = offset;
    this.#info = this.#word(4);
  }

  decode(): BtfType {
    const kind = kindNames[kindOfInfo(this.#info)];
    switch (kind) {
      case 'int':
        return this.#int();
      case 'array':
        return {
          kind,
          elementTypeId: this.#reference(TYPE_SIZE),
          indexTypeId: this.#reference(TYPE_SIZE + 4),
          length: this.#word(TYPE_SIZE + 8),
        };
      case 'struct':
      case 'union':
        return { kind, name: this.#name(), size: this.#word(8), members: this.#members() };
      case 'enum':
        return this.#enum();
      case 'enum64':
        return this.#enum64();
      case 'forward':
        return { kind, name: this.#name(), of: this.#kindFlag() ? 'union' : 'struct' };
      case 'pointer':
      case 'volatile':
      case 'const':
      case 'restrict':
        return { kind, typeId: this.#reference(8) };
      case 'typedef':
        return { kind, name: this.#name(), typeId: this.#reference(8) };
      case 'type_tag':
        return { kind, name: this.#name(), attribute: this.#kindFlag(), typeId: this.#reference(8) };
      case 'function':
        return {
          kind,
          name: this.#name(),
          typeId: this.#reference(8),
          linkage: this.#linkage(elementCount(this.#info)),
        };
      case 'function_proto':
        return this.#functionProto();
      case 'variable':
        return {
          kind,
          name: this.#name(),
          typeId: this.#reference(8),
          linkage: this.#linkage(this.#word(TYPE_SIZE)),
        };
      case 'datasec':
        return { kind, name: this.#name(), size: this.#word(8), variables: this.#sectionVariables() };
      case 'float':
        return { kind, name: this.#name(), size: this.#size([2, 4, 8, 12, 16]) };
      case 'decl_tag':
        return {
          kind,
          name: this.#name(),
          attribute: this.#kindFlag(),
          typeId: this.#reference(8),
          componentIndex: this.#word(TYPE_SIZE) | 0,
        };
      case 'void':
      case undefined:
        break;
    }
    throw this.#error(`kind ${String(kindOfInfo(this.#info))} is not known`);
  }

  #int(): BtfType {
    const size = this.#size([1, 2, 4, 8, 16]);
    const encoding = this.#word(TYPE_SIZE);
    const bits = encoding & 0xff;
    const offset = (encoding >>> 16) & 0xff;
    if (bits === 0) throw this.#error('it has no bits');
    if (bits + offset > size * 8) {
      throw this.#error(
        `bits ${String(offset)} to ${String(bits + offset)} lie outside of ${String(size)} bytes`,
      );
    }
    return {
      kind: 'int',
      name: this.#name(),
      size,
      bits,
      offset,
      signed: (encoding & (1 << 24)) !== 0,
      char: (encoding & (1 << 25)) !== 0,
      bool: (encoding & (1 << 26)) !== 0,
    };
  }

  #members(): BtfMember[] {
    return this.#elements(MEMBER_SIZE, (at) => this.member(at));
  }

  /** That of a struct or union whose record is at a byte offset from the type's. */
  member(at: number): BtfMember {
    // With the kind flag the upper 8 bits of a member's offset are the width of a bitfield.
    const bitfields = this.#kindFlag();
    const position = this.#word(at + 8);
    const bitOffset = bitfields ? position & 0xffffff : position;
    const bitSize = bitfields ? position >>> 24 : 0;
    if (bitOffset + bitSize > this.#word(8) * 8)
      throw this.#error(`a member at bit ${String(bitOffset)} lies outside of it`);
    return { name: this.#name(at), typeId: this.#reference(at + 4), bitOffset, bitSize };
  }

  #enum(): BtfType {
    const signed = this.#kindFlag();
    const values = this.#elements(8, (at) => {
      const value = this.#word(at + 4);
      return { name: this.#name(at), value: signed ? value | 0 : value };
    });
    return { kind: 'enum', name: this.#name(), size: this.#enumSize(), signed, values };
  }

  #enum64(): BtfType {
    const signed = this.#kindFlag();
    const values = this.#elements(12, (at) => {
      const value = (BigInt(this.#word(at + 8)) << 32n) | BigInt(this.#word(at + 4));
      return { name: this.#name(at), value: signed ? BigInt.asIntN(64, value) : value };
    });
    return { kind: 'enum64', name: this.#name(), size: this.#enumSize(), signed, values };
  }

  /** Clang gives 0 bytes to an enum that is declared and not defined. */
  #enumSize(): number {
    return this.#size(elementCount(this.#info) === 0 ? [0, 1, 2, 4, 8] : [1, 2, 4, 8]);
  }

  #functionProto(): BtfType {
    const parameters = this.#elements(8, (at) => ({ name: this.#name(at), typeId: this.#reference(at + 4) }));
    // A last parameter without name and type is C's `...`.
    const last = parameters.at(-1);
    const variadic = last?.typeId === 0 && last.name === '';
    if (variadic) parameters.pop();
    return { kind: 'function_proto', returnTypeId: this.#reference(8), parameters, variadic };
  }

  #sectionVariables(): { typeId: number; offset: number; size: number }[] {
    return this.#elements(12, (at) => ({
      typeId: this.#reference(at),
      offset: this.#word(at + 4),
      size: this.#word(at + 8),
    }));
  }

  #elements<Element>(size: number, read: (at: number) => Element): Element[] {
    const elements: Element[] = [];
    const count = elementCount(this.#info);
    this.#named = 0;
    for (let index = 0; index < count; index++) {
      elements.push(read(TYPE_SIZE + index * size));
      if (this.#named > MOST_NAMED) throw this.#error('its names are too long altogether');
    }
    return elements;
  }

  #linkage(linkage: number): BtfLinkage {
    if (linkage === 0) return 'static';
    if (linkage === 1) return 'global';
    if (linkage === 2) return 'extern';
    throw this.#error(`linkage ${String(linkage)} is not known`);
  }

  #size(allowed: readonly number[]): number {
    const size = this.#word(8);
    if (!allowed.includes(size)) throw this.#error(`it cannot have ${String(size)} bytes`);
    return size;
  }

  #reference(at: number): number {
    const id = this.#word(at);
    if (!this.#source.has(id))
      throw this.#error(`it refers to type ${String(id)}, and the last is ${String(this.#source.lastId())}`);
    return id;
  }

  #name(at = 0): string {
    const name = this.#source.name(this.#word(at));
    this.#named += name.length;
    return name;
  }

  #kindFlag(): boolean {
    return this.#info >>> 31 === 1;
  }

  #word(at: number): number {
    return this.#source.view.getUint32(this.#offset + at, this.#source.littleEndian);
  }

  #error(why: string): BtfError {
    return new BtfError(`Cannot read BTF type ${String(this.#typeId)}: ${why}`, { typeId: this.#typeId });
  }
}
