/** BTF that is well-formed, as far as a reader looks at one type, and made to cost far more than it weighs. */
const HEADER = 24;
const INT = 1;
const POINTER = 2;
const STRUCT = 4;
const UNION = 5;
const ENUM = 6;
const PROTOTYPE = 13;
const TYPEDEF = 8;
const CONST = 10;
const VARIABLE = 14;
const DATASEC = 15;

type Type = readonly [name: number, kind: number, count: number, third: number, ...rest: number[]];

function btf(types: Iterable<Type>, strings: Uint8Array): Uint8Array {
  const words: number[] = [];
  for (const [name, kind, count, third, ...rest] of types) {
    words.push(name, ((kind << 24) | count) >>> 0, third);
    for (const word of rest) words.push(word);
  }
  const bytes = new Uint8Array(HEADER + words.length * 4 + strings.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 0xeb9f, true);
  view.setUint8(2, 1);
  [HEADER, 0, words.length * 4, words.length * 4, strings.length].forEach((word, index) => {
    view.setUint32(4 + index * 4, word, true);
  });
  words.forEach((word, index) => {
    view.setUint32(HEADER + index * 4, word, true);
  });
  bytes.set(strings, HEADER + words.length * 4);
  return bytes;
}

const NAMES = Buffer.from('\0name\0.data\0');
const NAME = 1;
const DATA = 6;
const int: Type = [NAME, INT, 0, 4, 32];

function* repeated(count: number, type: (index: number) => Type): Generator<Type> {
  yield int;
  for (let index = 0; index < count; index++) yield type(index);
}

/** Each is the next one's. */
export const chainOf = (kind: 'typedef' | 'const' | 'pointer', count: number): Uint8Array =>
  btf(
    repeated(count, (index) => [
      kind === 'typedef' ? NAME : 0,
      { typedef: TYPEDEF, const: CONST, pointer: POINTER }[kind],
      0,
      index + 1,
    ]),
    NAMES,
  );

/** Each holds the one before it. */
export const nestedStructs = (count: number): Uint8Array =>
  btf(
    repeated(count, (index) => [NAME, STRUCT, 1, 4, NAME, index + 1, 0]),
    NAMES,
  );

/** Each holds the one before it twice, in the same bytes. */
export const doublingUnions = (count: number): Uint8Array =>
  btf(
    repeated(count, (index) => [NAME, UNION, 2, 4, NAME, index + 1, 0, NAME, index + 1, 0]),
    NAMES,
  );

/** Type 2 is the first. Everything leads back to where it began. */
export const cycle = (): Uint8Array =>
  btf(
    [
      int,
      [NAME, STRUCT, 1, 4, NAME, 3, 0],
      [NAME, TYPEDEF, 0, 4],
      [0, CONST, 0, 2],
      [0, CONST, 0, 5],
      [NAME, TYPEDEF, 0, 6],
      [NAME, VARIABLE, 0, 5, 1],
    ],
    NAMES,
  );

export const hugeDatasec = (count: number): Uint8Array =>
  btf(
    [
      int,
      [NAME, VARIABLE, 0, 1, 1],
      [
        DATA,
        DATASEC,
        count,
        count * 4,
        ...Array.from({ length: count }, (_, index) => [2, index * 4, 4]).flat(),
      ],
    ],
    NAMES,
  );

/** Every name begins a byte later, and ends at the end. */
export function longNames(count: number): Uint8Array {
  const strings = new Uint8Array(1 << 20).fill(0x61);
  strings[0] = 0;
  strings[strings.length - 1] = 0;
  return btf(
    repeated(count, (index) => [1 + index, STRUCT, 0, 0]),
    strings,
  );
}

/** Structs of one name and shape that are told apart only by where their pointers lead. */
export const alikeStructs = (count: number): Uint8Array =>
  btf(
    repeated(count, (index) =>
      index % 2 === 0 ? [0, POINTER, 0, index < 2 ? 1 : index + 1] : [NAME, STRUCT, 1, 8, NAME, index + 1, 0],
    ),
    NAMES,
  );

export const alikeEnums = (count: number): Uint8Array =>
  btf(
    repeated(count, (index) => [NAME, ENUM, 1, 4, NAME, index]),
    NAMES,
  );

/** Unions without a name, each with the one before it twice, in one that has a name. */
export const namelessUnions = (levels: number): Uint8Array =>
  btf(
    repeated(levels + 1, (index) => [
      index === levels ? NAME : 0,
      UNION,
      2,
      4,
      ...[NAME, index + 1, 0, NAME, index + 1, 0],
    ]),
    NAMES,
  );

/** A union of many members, each of the same enum without a name, which has as many enumerators. */
export const namelessEnums = (count: number): Uint8Array =>
  btf(
    [
      int,
      [0, ENUM, count, 4, ...Array.from({ length: count }, (_, index) => [NAME, index]).flat()],
      [NAME, UNION, count, 4, ...Array.from({ length: count }, () => [NAME, 2, 0]).flat()],
    ],
    NAMES,
  );

/** One struct after the other, of the same name of so many bytes. */
export const sameLongName = (count: number, length: number): Uint8Array =>
  btf(
    repeated(count, () => [1, STRUCT, 0, 0]),
    Buffer.from(`\0${'a'.repeat(length)}\0`),
  );

/** An enum of many enumerators, whose names are the ends of one of so many bytes. */
export const longEnumerators = (count: number, length: number): Uint8Array =>
  btf(
    [
      int,
      [0, ENUM, count, 4, ...Array.from({ length: count }, (_, index) => [1 + (index % 8), index]).flat()],
    ],
    Buffer.from(`\0${'a'.repeat(length)}\0`),
  );

/** Enums of one name that differ in their last of many enumerators. */
export const alikeLongEnums = (count: number, enumerators: number): Uint8Array =>
  btf(
    repeated(count, (index) => [
      NAME,
      ENUM,
      enumerators,
      4,
      ...Array.from({ length: enumerators }, (_, at) => [NAME, at === enumerators - 1 ? index : 0]).flat(),
    ]),
    NAMES,
  );

/** A struct of many members, each of the same union without a name, which has far more. */
export const sharedUnion = (members: number, uses: number): Uint8Array =>
  btf(
    [
      int,
      [0, UNION, members, 4, ...Array.from({ length: members }, () => [NAME, 1, 0]).flat()],
      [NAME, STRUCT, uses, uses * 4, ...Array.from({ length: uses }, (_, at) => [NAME, 2, at * 32]).flat()],
    ],
    NAMES,
  );

/** Typedefs of the end of a chain of types without a name. */
export const sharedChain = (kind: 'pointer' | 'const', uses: number): Uint8Array =>
  btf(
    repeated(240 + uses, (index) =>
      index < 240 ? [0, kind === 'pointer' ? POINTER : CONST, 0, index + 1] : [NAME, TYPEDEF, 0, 241],
    ),
    NAMES,
  );

/** Typedefs of one function of many parameters. */
export const sharedFunction = (parameters: number, uses: number): Uint8Array =>
  btf(
    repeated(1 + uses, (index) =>
      index === 0
        ? [0, PROTOTYPE, parameters, 0, ...Array.from({ length: parameters }, () => [0, 1]).flat()]
        : [NAME, TYPEDEF, 0, 2],
    ),
    NAMES,
  );
