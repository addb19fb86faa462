import { BtfError } from '../errors.ts';
import { kindNumber } from './kind.ts';
import type { BtfComposite, BtfLinkage, BtfType } from './type.ts';

/** Gives the offset of a string, which it adds where it is not there yet. */
export type Intern = (text: string) => number;

const KIND_FLAG = 0x80000000;
/** What BTF knew before Linux 7.2 widened the count of elements to 24 bits. */
const MAX_ELEMENTS = 0xffff;

interface Encoding {
  readonly name: string;
  /** The number of elements, or the linkage of a function. */
  readonly count: number;
  readonly kindFlag: boolean;
  readonly sizeOrType: number;
  /** The words that follow the 12 bytes all types have. */
  readonly words: readonly number[];
}

/** The 32-bit words of a type. Throws {@link BtfError} for what the format cannot say. */
export function encodeType(type: BtfType, intern: Intern): number[] {
  const { name, count, kindFlag, sizeOrType, words } = encoding(type, intern);
  if (count > MAX_ELEMENTS) {
    throw new BtfError(
      `Cannot build BTF: ${type.kind} ${name} has more than ${String(MAX_ELEMENTS)} elements`,
    );
  }
  const info = ((kindNumber[type.kind] << 24) | count | (kindFlag ? KIND_FLAG : 0)) >>> 0;
  return [intern(name), info, sizeOrType, ...words];
}

function encoding(type: BtfType, intern: Intern): Encoding {
  const plain = { name: '', count: 0, kindFlag: false, sizeOrType: 0, words: [] };
  switch (type.kind) {
    case 'void':
      throw new BtfError('Cannot build BTF: void is type 0 and cannot be added');
    case 'int': {
      const flags = (type.signed ? 1 : 0) | (type.char ? 2 : 0) | (type.bool ? 4 : 0);
      return {
        ...plain,
        name: type.name,
        sizeOrType: type.size,
        words: [(flags << 24) | (type.offset << 16) | type.bits],
      };
    }
    case 'float':
      return { ...plain, name: type.name, sizeOrType: type.size };
    case 'pointer':
    case 'volatile':
    case 'const':
    case 'restrict':
      return { ...plain, sizeOrType: type.typeId };
    case 'typedef':
      return { ...plain, name: type.name, sizeOrType: type.typeId };
    case 'type_tag':
      return { ...plain, name: type.name, kindFlag: type.attribute, sizeOrType: type.typeId };
    case 'forward':
      return { ...plain, name: type.name, kindFlag: type.of === 'union' };
    case 'array':
      return { ...plain, words: [type.elementTypeId, type.indexTypeId, type.length] };
    case 'struct':
    case 'union':
      return composite(type, intern);
    case 'enum': {
      const words = type.values.flatMap(({ name, value }) => [intern(name), value]);
      return {
        name: type.name,
        count: type.values.length,
        kindFlag: type.signed,
        sizeOrType: type.size,
        words,
      };
    }
    case 'enum64': {
      const words = type.values.flatMap(({ name, value }) => [
        intern(name),
        Number(value & 0xffffffffn),
        Number((value >> 32n) & 0xffffffffn),
      ]);
      return {
        name: type.name,
        count: type.values.length,
        kindFlag: type.signed,
        sizeOrType: type.size,
        words,
      };
    }
    case 'function':
      return { ...plain, name: type.name, count: linkageNumber[type.linkage], sizeOrType: type.typeId };
    case 'function_proto': {
      const words = type.parameters.flatMap(({ name, typeId }) => [intern(name), typeId]);
      if (type.variadic) words.push(0, 0);
      return { ...plain, count: words.length / 2, sizeOrType: type.returnTypeId, words };
    }
    case 'variable':
      return { ...plain, name: type.name, sizeOrType: type.typeId, words: [linkageNumber[type.linkage]] };
    case 'datasec': {
      const words = type.variables.flatMap(({ typeId, offset, size }) => [typeId, offset, size]);
      return { ...plain, name: type.name, count: type.variables.length, sizeOrType: type.size, words };
    }
    case 'decl_tag':
      return {
        ...plain,
        name: type.name,
        kindFlag: type.attribute,
        sizeOrType: type.typeId,
        words: [type.componentIndex],
      };
  }
}

const linkageNumber: Readonly<Record<BtfLinkage, number>> = { static: 0, global: 1, extern: 2 };

function composite(type: BtfComposite, intern: Intern): Encoding {
  // With the kind flag each member's offset has 24 bits, below the width of a bitfield.
  const kindFlag = type.members.some(({ bitSize }) => bitSize > 0);
  const words = type.members.flatMap(({ name, typeId, bitOffset, bitSize }) => {
    if (kindFlag && (bitOffset > 0xffffff || bitSize > 0xff)) {
      throw new BtfError(
        `Cannot build BTF: bitfield ${name} of ${type.kind} ${type.name} lies too far from its start`,
      );
    }
    return [intern(name), typeId, kindFlag ? ((bitSize << 24) | bitOffset) >>> 0 : bitOffset];
  });
  return { name: type.name, count: type.members.length, kindFlag, sizeOrType: type.size, words };
}
