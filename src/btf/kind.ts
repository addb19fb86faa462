/** The kinds of type in the order of their numbers in the format (`BTF_KIND_*`); 0 stands for `void` itself. */
export const kindNames = [
  'void',
  'int',
  'pointer',
  'array',
  'struct',
  'union',
  'enum',
  'forward',
  'typedef',
  'volatile',
  'const',
  'restrict',
  'function',
  'function_proto',
  'variable',
  'datasec',
  'float',
  'decl_tag',
  'type_tag',
  'enum64',
] as const;

/** The kinds of types that BTF has (`BTF_KIND_…`). */
export type BtfKind = (typeof kindNames)[number];

/** The number of a kind in the format. */
export const kindNumber = Object.fromEntries(kindNames.map((name, number) => [name, number])) as Readonly<
  Record<BtfKind, number>
>;
