import { kindNumber, type BtfKind } from './kind.ts';

/** What the 32-bit words of a kind mean. The first three of every type are its name, its info, and a size or a type id. */
export interface KindLayout {
  /** The third word is a type id. */
  readonly refersByThird: boolean;
  /** Words after the first three, before the elements. */
  readonly fixedWords: number;
  /** How many of these, from the first on, are type ids. */
  readonly fixedReferences: number;
  /** Words of one element; 0 for a kind without elements. */
  readonly elementWords: number;
  /** Which word of an element is a name; -1 for none. */
  readonly elementName: number;
  /** Which word of an element is a type id; -1 for none. */
  readonly elementType: number;
}

const plain: KindLayout = {
  refersByThird: false,
  fixedWords: 0,
  fixedReferences: 0,
  elementWords: 0,
  elementName: -1,
  elementType: -1,
};
const reference: KindLayout = { ...plain, refersByThird: true };
const composite: KindLayout = { ...plain, elementWords: 3, elementName: 0, elementType: 1 };

const layouts: Readonly<Record<Exclude<BtfKind, 'void'>, KindLayout>> = {
  int: { ...plain, fixedWords: 1 },
  pointer: reference,
  array: { ...plain, fixedWords: 3, fixedReferences: 2 },
  struct: composite,
  union: composite,
  enum: { ...plain, elementWords: 2, elementName: 0 },
  forward: plain,
  typedef: reference,
  volatile: reference,
  const: reference,
  restrict: reference,
  function: reference,
  function_proto: { ...reference, elementWords: 2, elementName: 0, elementType: 1 },
  variable: { ...reference, fixedWords: 1 },
  datasec: { ...plain, elementWords: 3, elementType: 0 },
  float: plain,
  decl_tag: { ...reference, fixedWords: 1 },
  type_tag: reference,
  enum64: { ...plain, elementWords: 3, elementName: 0 },
};

/** By the number of the kind in the format; undefined for `void` and for kinds that are not known. */
export const kindLayouts: readonly (KindLayout | undefined)[] = makeTable();

function makeTable(): (KindLayout | undefined)[] {
  const table: (KindLayout | undefined)[] = [];
  for (const [kind, layout] of Object.entries(layouts)) table[kindNumber[kind as BtfKind]] = layout;
  return table;
}
