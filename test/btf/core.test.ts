/** CO-RE relocations without a kernel: what they resolve to, what becomes of the instruction, what is refused. */
import t from 'tap';
import { encodeInstructions, InstructionView } from '../../src/asm/index.ts';
import type { Instruction } from '../../src/asm/index.ts';
import { Btf, BtfBuilder, CoreResolver, coreKindNames, essentialName } from '../../src/btf/index.ts';
import { patchInstruction, POISONED_HELPER } from '../../src/btf/index.ts';
import type { CoreKind, CoreRelocation, CoreResolution } from '../../src/btf/index.ts';
import { thrown } from '../helpers/thrown.ts';
import * as sketch from './type-sketch.ts';
import type { Sketch } from './type-sketch.ts';

const { array, constant, enumeration, enumeration64, float, forward, int, nothing, parse } = sketch;
const { pointer, prototype, struct, typedef, union } = sketch;

function relocation(local: Btf, kind: CoreKind, root: string | number, accessString = '0'): CoreRelocation {
  const typeId = typeof root === 'number' ? root : local.find(root);
  if (typeId === undefined) throw new Error(`there is no ${String(root)}`);
  return { instructionOffset: 0, typeId, accessString, kind: coreKindNames.indexOf(kind) };
}

function resolve(local: Btf, target: Btf, ...rest: [CoreKind, string | number, string?]): CoreResolution {
  return new CoreResolver(local, { main: () => target }).resolve(relocation(local, ...rest));
}

t.test('the essential name ends before the last three underscores between two other characters', (t) => {
  const rows: [string, string][] = [
    ['task_struct', 'task_struct'],
    ['task_struct___old', 'task_struct'],
    ['task_struct___old___older', 'task_struct___old'],
    ['a___b', 'a'],
    ['four____underscores', 'four____underscores'],
    ['a____b___c', 'a____b'],
    ['___leading', '___leading'],
    ['trailing___', 'trailing___'],
    ['trailing____', 'trailing____'],
    ['x___y_', 'x'],
    ['', ''],
  ];
  for (const [name, essential] of rows) t.equal(essentialName(name), essential, name);
  t.end();
});

interface Rules {
  readonly name: string;
  readonly local: Sketch;
  readonly target: Sketch;
  /** Whether the target's may be the type of the same field; the same type; a type that has all of it. */
  readonly field: boolean;
  readonly type: boolean;
  readonly matches: boolean;
}

const u32 = int(32, { signed: false });
const pair = struct('pair', { a: int(32), b: int(64) });
const deep = (levels: number): Sketch => (levels === 0 ? int(8) : pointer(deep(levels - 1)));

const rules: Rules[] = [
  { name: 'the same integers', local: int(32), target: int(32), field: true, type: true, matches: true },
  {
    name: 'integers of another size',
    local: int(32),
    target: int(64, { name: 'int32' }),
    field: true,
    type: true,
    matches: false,
  },
  { name: 'integers of another sign', local: int(32), target: u32, field: true, type: true, matches: false },
  {
    name: 'integers of another name',
    local: int(32),
    target: int(32, { name: 'other' }),
    field: true,
    type: true,
    matches: false,
  },
  {
    name: 'bitfields of old',
    local: int(32),
    target: int(32, { offset: 8 }),
    field: false,
    type: false,
    matches: true,
  },
  {
    name: 'an integer and a pointer',
    local: int(64),
    target: pointer(nothing),
    field: false,
    type: false,
    matches: false,
  },
  {
    name: 'qualifiers and typedefs',
    local: constant(typedef('x', int(32))),
    target: int(32),
    field: true,
    type: true,
    matches: true,
  },
  { name: 'floats of any size', local: float(4), target: float(8), field: true, type: false, matches: false },
  {
    name: 'pointers to other things',
    local: pointer(int(32)),
    target: pointer(pair),
    field: true,
    type: false,
    matches: false,
  },
  {
    name: 'pointers to void',
    local: pointer(nothing),
    target: pointer(nothing),
    field: true,
    type: true,
    matches: true,
  },
  {
    name: 'arrays of another length',
    local: array(int(32), 3),
    target: array(int(32), 4),
    field: true,
    type: true,
    matches: false,
  },
  {
    name: 'arrays of other things',
    local: array(int(32), 3),
    target: array(float(4), 3),
    field: false,
    type: false,
    matches: false,
  },
  {
    name: 'arrays of arrays',
    local: array(array(int(32), 2), 3),
    target: array(array(int(64), 2), 3),
    field: true,
    type: true,
    matches: false,
  },
  {
    name: 'structs of another name',
    local: pair,
    target: struct('other', {}),
    field: true,
    type: true,
    matches: false,
  },
  {
    name: 'a struct and a union',
    local: pair,
    target: union('pair', {}),
    field: true,
    type: false,
    matches: false,
  },
  {
    name: 'a flavour of a struct',
    local: struct('pair___x', { a: int(32) }),
    target: pair,
    field: true,
    type: true,
    matches: true,
  },
  {
    name: 'a struct with a member more',
    local: struct('pair', { a: int(32), b: int(64), c: int(8) }),
    target: pair,
    field: true,
    type: true,
    matches: false,
  },
  {
    name: 'a struct with a member less',
    local: struct('pair', { b: int(64) }),
    target: pair,
    field: true,
    type: true,
    matches: true,
  },
  {
    name: 'a struct with a member of another type',
    local: struct('pair', { b: int(32) }),
    target: pair,
    field: true,
    type: true,
    matches: false,
  },
  {
    name: 'a struct with a member of another name',
    local: struct('pair', { c: int(32) }),
    target: pair,
    field: true,
    type: true,
    matches: false,
  },
  {
    name: 'anonymous members, any of which may match',
    local: struct('s', { ' 1': union('', { x: int(8) }) }),
    target: struct('s', { ' 1': union('', { y: int(8) }), ' 2': union('', { x: int(8) }) }),
    field: true,
    type: true,
    matches: true,
  },
  {
    name: 'structs behind pointers by name alone',
    local: struct('s', { p: pointer(struct('pair', { z: int(8) })) }),
    target: struct('s', { p: pointer(pair) }),
    field: true,
    type: true,
    matches: true,
  },
  {
    name: 'a struct behind a pointer and its declaration',
    local: pointer(pair),
    target: pointer(forward('pair', 'struct')),
    field: true,
    type: false,
    matches: true,
  },
  {
    name: 'a struct behind a pointer and a declaration of a union',
    local: pointer(pair),
    target: pointer(forward('pair', 'union')),
    field: true,
    type: false,
    matches: false,
  },
  {
    name: 'a declaration and the struct behind a pointer',
    local: pointer(forward('pair', 'struct')),
    target: pointer(pair),
    field: true,
    type: false,
    matches: true,
  },
  {
    name: 'a declaration and the struct itself',
    local: forward('pair', 'struct'),
    target: pair,
    field: false,
    type: false,
    matches: false,
  },
  {
    name: 'declarations',
    local: forward('pair', 'struct'),
    target: forward('pair', 'struct'),
    field: true,
    type: true,
    matches: true,
  },
  {
    name: 'declarations of a struct and a union',
    local: forward('pair', 'struct'),
    target: forward('pair', 'union'),
    field: true,
    type: true,
    matches: false,
  },
  {
    name: 'declarations of another name',
    local: forward('pair', 'struct'),
    target: forward('other', 'struct'),
    field: false,
    type: true,
    matches: false,
  },
  {
    name: 'enums with other values',
    local: enumeration('e', { A: 1 }),
    target: enumeration('e', { B: 1, A: 2 }),
    field: true,
    type: true,
    matches: true,
  },
  {
    name: 'an enum with a name more',
    local: enumeration('e', { A: 1, C: 2 }),
    target: enumeration('e', { A: 1, B: 2 }),
    field: true,
    type: true,
    matches: false,
  },
  {
    name: 'enums of another name',
    local: enumeration('e', { A: 1 }),
    target: enumeration('f', { A: 1 }),
    field: false,
    type: true,
    matches: false,
  },
  {
    name: 'enums of which one is anonymous',
    local: enumeration('e', { A: 1 }),
    target: enumeration('', { A: 1 }),
    field: true,
    type: true,
    matches: false,
  },
  {
    name: 'enums of another size',
    local: enumeration('e', { A: 1 }),
    target: enumeration('e', { A: 1 }, 1),
    field: true,
    type: true,
    matches: false,
  },
  {
    name: 'enums of 32 and 64 bits',
    local: enumeration('e', { A: 1 }, 8),
    target: enumeration64('e', { A: 1n }),
    field: true,
    type: true,
    matches: true,
  },
  {
    name: 'callbacks',
    local: pointer(prototype(int(32), pointer(pair), u32)),
    target: pointer(prototype(int(32), pointer(pair), u32)),
    field: true,
    type: true,
    matches: true,
  },
  {
    name: 'callbacks with a parameter more',
    local: pointer(prototype(int(32), u32, u32)),
    target: pointer(prototype(int(32), u32)),
    field: true,
    type: false,
    matches: false,
  },
  {
    name: 'callbacks with a parameter of another kind',
    local: pointer(prototype(int(32), u32)),
    target: pointer(prototype(int(32), pointer(pair))),
    field: true,
    type: false,
    matches: false,
  },
  {
    name: 'callbacks with a result of another size',
    local: pointer(prototype(int(32))),
    target: pointer(prototype(int(64))),
    field: true,
    type: true,
    matches: false,
  },
  {
    name: 'callbacks of which one is variadic',
    local: pointer(prototype(int(32), u32, '...')),
    target: pointer(prototype(int(32), u32)),
    field: true,
    type: false,
    matches: false,
  },
  {
    name: 'pointers as deep as they are followed',
    local: deep(30),
    target: deep(30),
    field: true,
    type: true,
    matches: true,
  },
];

t.test('what may stand for what', (t) => {
  for (const { name, local, target, ...expected } of rules) {
    const around = (type: Sketch): Btf => parse(struct('around', { f: type }), typedef('named', type));
    const [ours, theirs] = [around(local), around(target)];
    const holds = (...rest: [CoreKind, string, string?]): boolean =>
      resolve(ours, theirs, ...rest).value === 1n;
    const found = {
      field: holds('field_exists', 'around', '0:0'),
      type: holds('type_exists', 'named'),
      matches: holds('type_matches', 'named'),
    };
    t.same(found, expected, name);
  }
  t.end();
});

t.test('candidates', (t) => {
  const named = (name: string, size = 1): Sketch =>
    struct(name, Object.fromEntries(Array.from({ length: size }, (_, at) => [`m${String(at)}`, u32])));
  const local = parse(
    named('s'),
    named('s___mine'),
    typedef('t', u32),
    union('u', { a: u32 }),
    struct('', { a: u32 }),
  );

  t.test('are the types of the same essential name and kind', (t) => {
    const target = parse(
      union('s', { a: u32 }),
      named('s___a', 2),
      forward('s', 'struct'),
      named('ss___s', 3),
    );
    const found = resolve(local, target, 'type_size', 's');
    t.equal(found.value, 128n);
    t.equal(found.candidates, 1);
    t.equal(found.target, `<type_size> [${String(target.find('s___a'))}] struct s___a`);
    t.equal(resolve(local, target, 'type_size', 's___mine').value, 128n);
    t.same(resolve(local, target, 'type_exists', 't'), {
      spec: '<type_exists> [6] typedef t',
      target: undefined,
      candidates: 0,
      expected: 1n,
      value: 0n,
      resize: undefined,
    });
    t.end();
  });

  t.test('do not include the flavour that an essential name is of another name', (t) => {
    const ours = parse(named('a___b___c'));
    t.equal(resolve(ours, parse(named('a___b')), 'type_exists', 'a___b___c').value, 0n);
    t.equal(resolve(ours, parse(named('a')), 'type_exists', 'a___b___c').value, 0n);
    t.equal(resolve(ours, parse(named('a___b___d')), 'type_exists', 'a___b___c').value, 1n);
    t.end();
  });

  t.test('must agree', (t) => {
    const target = parse(named('s___a', 2), named('s___b', 2), named('s', 3));
    const ids = ['s___a', 's___b', 's'].map((name) => target.find(name));
    t.equal(resolve(local, target, 'byte_off', 's', '0:0').value, 0n);
    t.equal(
      thrown(() => resolve(local, target, 'type_size', 's')).message,
      'Cannot relocate <type_size> [2] struct s: cannot choose between candidates: ' +
        `it is 128 by <type_size> [${String(ids[0])}] struct s___a and 192 by <type_size> [${String(ids[2])}] struct s`,
    );
    t.end();
  });

  t.test('that lack a field are left out of what is resolved later', (t) => {
    const versions = parse(struct('v', { only: u32, both: u32 }));
    const target = parse(
      struct('v___1', { both: u32, only: u32 }),
      struct('v___2', { other: u32, both: u32 }),
    );
    const resolver = new CoreResolver(versions, { main: () => target });
    const both = relocation(versions, 'byte_off', 'v', '0:1');
    t.match(thrown(() => resolver.resolve(both)).message, /cannot choose/);
    const later = new CoreResolver(versions, { main: () => target });
    t.equal(later.resolve(relocation(versions, 'byte_off', 'v', '0:0')).value, 64n);
    t.equal(later.resolve(both).value, 0n);
    t.end();
  });

  t.test('are looked for in modules when the kernel has none, flavours included', (t) => {
    const kernel = parse(named('k'), named('s___k', 5));
    const module = (...types: Sketch[]): Btf => {
      const builder = new BtfBuilder({ base: kernel });
      for (const type of types) type(builder);
      return Btf.parse(builder.build(), { base: kernel });
    };
    const modules = [module(named('u')), module(union('u', { a: u32, b: u32 }), named('s', 7))];
    const resolver = new CoreResolver(local, { main: () => kernel, modules: () => modules });
    const found = resolver.resolve(relocation(local, 'target_type_id', 'u'));
    t.equal(found.value, BigInt(modules[1]?.find('u', 'union') ?? 0));
    t.equal(resolver.resolve(relocation(local, 'type_size', 's')).value, 5n * 64n, 'the kernel comes first');
    t.end();
  });

  t.test('are not asked for where the answer is in the program', (t) => {
    const resolver = new CoreResolver(local, {
      main: () => {
        throw new Error('the target was read');
      },
    });
    t.equal(resolver.resolve(relocation(local, 'local_type_id', 's')).value, 2n);
    t.equal(
      resolver.describe(relocation(local, 'byte_off', 'u', '3:0')),
      '<byte_off> [8] union u[3].a (3:0 @ offset 192)',
    );
    t.end();
  });
  t.end();
});

t.test('enumerators of 64 bits', (t) => {
  const local = parse(enumeration('e', { SMALL: 1, BIG: 2 }), enumeration64('f', { NEGATIVE: -1n }, true));
  const target = parse(
    enumeration64('e', { BIG: 0xfedc_ba98_7654_3210n }),
    enumeration('f', { NEGATIVE: 0xffff_fffe }),
  );
  t.equal(resolve(local, target, 'enumval_value', 'e', '1').value, 0xfedc_ba98_7654_3210n);
  t.equal(resolve(local, target, 'enumval_value', 'f').value, 0xffff_ffff_ffff_fffen);
  t.equal(resolve(local, target, 'enumval_value', 'f').spec, '<enumval_value> [2] enum64 f::NEGATIVE = -1');
  t.equal(
    resolve(local, target, 'enumval_value', 'f').target,
    '<enumval_value> [2] enum f::NEGATIVE = 4294967294',
  );
  t.equal(resolve(local, target, 'enumval_value', 'e', '0').value, undefined);
  t.end();
});

t.test('what makes no sense is refused', (t) => {
  const bits =
    (bitOffset: number, bitSize: number): Sketch =>
    (builder) => {
      const typeId = int(64)(builder);
      return builder.add({
        kind: 'struct',
        name: 'bits',
        size: 64,
        members: [{ name: 'b', typeId, bitOffset, bitSize }],
      });
    };
  const local = parse(
    struct('s', { a: array(u32, 3), p: pointer(u32), z: array(u32, 0), y: u32 }),
    enumeration('e', { A: 1 }),
    typedef('v', nothing),
    bits(0, 3),
    struct('', {}),
    array(u32, 2),
  );
  const s = local.find('s');
  const cut = (
    accessString: string,
    why: string,
    root = 's',
  ): [string, string | number, string, CoreKind, string] => [
    why,
    root,
    accessString,
    'byte_off',
    `Cannot read the CO-RE access ${JSON.stringify(accessString)} into type [${String(local.find(root))}]: ${why}`,
  ];
  const rows: [string, string | number, string, CoreKind, string][] = [
    cut('', 'it is no list of numbers'),
    cut(':0', 'it is no list of numbers'),
    cut('0:', 'it is no list of numbers'),
    cut('0:-1', 'it is no list of numbers'),
    cut('0:99999999999', 'it is no list of numbers'),
    cut(Array.from({ length: 65 }, () => '0').join(':'), 'it has more than 64 levels'),
    cut('0:4', `[${String(s)}] has no member 4`),
    cut('0:0:3', '[3] has no element 3'),
    cut('0:2:0', '[8] has no element 0'),
    cut('0:1:0', '[5] is of kind pointer, which has no parts'),
    cut('4294967295:0', 'it lies beyond 512 MiB'),
    [
      'a type with parts',
      's',
      '0:0',
      'type_size',
      `Cannot read the CO-RE access "0:0" into type [${String(s)}]: a whole type has no parts`,
    ],
    [
      'no enum',
      's',
      '0',
      'enumval_value',
      `Cannot read the CO-RE access "0" into type [${String(s)}]: that type is no enum`,
    ],
    [
      'no such value',
      'e',
      '1',
      'enumval_value',
      `Cannot read the CO-RE access "1" into type [${String(local.find('e'))}]: the enum has no such value`,
    ],
    [
      'parts of a value',
      'e',
      '0:0',
      'enumval_value',
      `Cannot read the CO-RE access "0:0" into type [${String(local.find('e'))}]: the enum has no such value`,
    ],
    [
      'the sign of an element',
      's',
      '0:0:1',
      'signed',
      `Cannot relocate <signed> [${String(s)}] struct s.a[1] (0:0:1 @ offset 4): cannot tell the signed of an element of an array`,
    ],
    [
      'the size of void',
      'v',
      '0',
      'type_size',
      'Cannot relocate <type_size> [12] typedef v: cannot tell the size of BTF type 12: a void has none',
    ],
    [
      'a bitfield that 64 bits do not cover',
      'bits',
      '0:0',
      'byte_sz',
      'Cannot relocate <byte_sz> [14] struct bits.b (0:0 @ offset 0): cannot load a bitfield that no aligned 64 bits cover',
    ],
    [
      'a struct without a name',
      15,
      '0',
      'type_size',
      'Cannot relocate <type_size> [15] struct <anon>: cannot find a counterpart of a type without a name',
    ],
    [
      'void',
      0,
      '0',
      'type_exists',
      'Cannot relocate <type_exists> [0] void <anon>: cannot find a counterpart of a type without a name',
    ],
    ['a type that is not there', 99, '0', 'type_exists', 'Cannot find BTF type 99: ids go from 0 to 18'],
  ];
  const target = parse(bits(60, 8));
  for (const [name, root, access, kind, message] of rows) {
    t.equal(thrown(() => resolve(local, target, kind, root, access)).message, message, name);
  }
  const unknown = { instructionOffset: 0, typeId: 1, accessString: '0', kind: 13 };
  t.equal(
    thrown(() => new CoreResolver(local, { main: () => target }).resolve(unknown)).message,
    'Cannot read the CO-RE access "0" into type [1]: its kind 13 is not known',
  );

  t.test('types without end too', (t) => {
    const builder = new BtfBuilder();
    const member = (name: string) => ({ name, typeId: 1, bitOffset: 0, bitSize: 0 });
    builder.add({ kind: 'struct', name: 'loop', size: 8, members: [member(''), member(''), member('self')] });
    builder.add({ kind: 'pointer', typeId: 2 });
    builder.add({ kind: 'typedef', name: 'endless', typeId: 2 });
    const loop = Btf.parse(builder.build());
    const ours = parse(struct('loop', { x: u32 }), typedef('endless', pointer(deep(40))));
    const message = (from: Btf, ...rest: [CoreKind, string, string?]): string =>
      thrown(() => resolve(from, loop, ...rest)).message;
    t.match(
      message(ours, 'byte_off', 'loop', '0:0'),
      /: cannot search the fields of a type: a type refers to itself, or they nest too deeply$/,
    );
    t.match(message(loop, 'type_matches', 'loop'), /: cannot match types: a type refers to itself/);
    t.match(message(loop, 'type_exists', 'endless'), /: cannot compare types: a type refers to itself/);
    t.match(message(ours, 'type_exists', 'endless'), /: cannot compare types: a type refers to itself/);
    t.end();
  });
  t.end();
});

t.test('the instruction', (t) => {
  const plain: CoreResolution = {
    spec: 'SPEC',
    target: 'TARGET',
    candidates: 1,
    expected: 4n,
    value: 24n,
    resize: undefined,
  };
  const widen = { from: 4, to: 8, preservesValue: true };
  type Row = [string, Partial<Instruction>[], Partial<CoreResolution>, Partial<Instruction>[] | string];
  const poisoned = { opcode: 0x85, immediate: POISONED_HELPER };
  const rows: Row[] = [
    [
      'rX = <imm>',
      [{ opcode: 0xb7, destination: 3, immediate: 4 }],
      {},
      [{ opcode: 0xb7, destination: 3, immediate: 24 }],
    ],
    [
      'wX = <imm>',
      [{ opcode: 0xb4, immediate: 4 }],
      { value: 0xffff_ffffn },
      [{ opcode: 0xb4, immediate: -1 }],
    ],
    ['rX += <imm>', [{ opcode: 0x07, immediate: 4 }], {}, [{ opcode: 0x07, immediate: 24 }]],
    [
      'rX = <imm> of a negative value',
      [{ opcode: 0xb7, immediate: -4 }],
      { expected: (1n << 64n) - 4n, value: (1n << 64n) - 24n },
      [{ opcode: 0xb7, immediate: -24 }],
    ],
    [
      'rX = <imm64>',
      [{ opcode: 0x18, immediate: -1 }, { immediate: 1 }],
      { expected: 0x1_ffff_ffffn, value: 0xfedc_ba98_8000_0001n },
      [{ opcode: 0x18, immediate: 0x8000_0001 | 0 }, { immediate: 0xfedc_ba98 | 0 }],
    ],
    ['a load', [{ opcode: 0x61, source: 2, offset: 4 }], {}, [{ opcode: 0x61, source: 2, offset: 24 }]],
    [
      'a store of a register',
      [{ opcode: 0x7b, offset: 4 }],
      { value: 0x7fffn },
      [{ opcode: 0x7b, offset: 0x7fff }],
    ],
    [
      'a store of a number',
      [{ opcode: 0x62, offset: 4, immediate: 9 }],
      {},
      [{ opcode: 0x62, offset: 24, immediate: 9 }],
    ],
    [
      'a load that gets wider',
      [{ opcode: 0x61, offset: 4 }],
      { resize: widen },
      [{ opcode: 0x79, offset: 24 }],
    ],
    [
      'a load that gets narrower',
      [{ opcode: 0x69, offset: 4 }],
      { resize: { from: 2, to: 1, preservesValue: true } },
      [{ opcode: 0x71, offset: 24 }],
    ],
    [
      'a load with sign extension keeps its mode',
      [{ opcode: 0x91, offset: 4 }],
      { resize: { from: 1, to: 2, preservesValue: true } },
      [{ opcode: 0x89, offset: 24 }],
    ],
    [
      'an address of a field of another size',
      [{ opcode: 0x07, immediate: 4 }],
      { resize: { ...widen, preservesValue: false } },
      [{ opcode: 0x07, immediate: 24 }],
    ],
    [
      'a value that linking may have changed',
      [{ opcode: 0xb7, immediate: 77 }],
      { expected: undefined },
      [{ opcode: 0xb7, immediate: 24 }],
    ],
    [
      'arithmetic without a value',
      [{ opcode: 0xb7, destination: 3, immediate: 9 }],
      { value: undefined },
      [poisoned],
    ],
    ['a load without a value', [{ opcode: 0x61, source: 2, offset: 9 }], { value: undefined }, [poisoned]],
    [
      'rX = <imm64> without a value',
      [{ opcode: 0x18, immediate: 9 }, {}],
      { value: undefined },
      [poisoned, poisoned],
    ],
    [
      'a load whose value would change',
      [{ opcode: 0x61, offset: 4 }],
      { resize: { ...widen, preservesValue: false } },
      [poisoned],
    ],
    [
      'another value than expected',
      [{ opcode: 0xb7, immediate: 5 }],
      {},
      'the instruction has 5 where the compiler must have put 4',
    ],
    [
      'another offset than expected',
      [{ opcode: 0x61, offset: -4 }],
      {},
      'the instruction has -4 where the compiler must have put 4',
    ],
    [
      'another rX = <imm64> than expected',
      [{ opcode: 0x18, immediate: 4 }, { immediate: 1 }],
      {},
      'the instruction has 4294967300 where the compiler must have put 4',
    ],
    [
      'an offset without room',
      [{ opcode: 0x61, offset: 4 }],
      { value: 0x8000n },
      'offset 32768 does not fit the 16 bits of a load or store',
    ],
    [
      'an immediate without room',
      [{ opcode: 0xb7, immediate: 4 }],
      { value: 1n << 32n },
      '4294967296 does not fit the 32 bits of the instruction',
    ],
    [
      'a load of another width than the field',
      [{ opcode: 0x69, offset: 4 }],
      { resize: widen },
      'a load or store cannot go from 4 to 8 bytes',
    ],
    [
      'a load to a width that there is not',
      [{ opcode: 0x61, offset: 4 }],
      { resize: { ...widen, to: 16 } },
      'a load or store cannot go from 4 to 16 bytes',
    ],
    ['arithmetic with a register', [{ opcode: 0xbf }], {}, 'opcode 0xbf is none that can be relocated'],
    ['a jump', [{ opcode: 0x15 }], { value: undefined }, 'opcode 0x15 is none that can be relocated'],
    [
      'a load of a map',
      [{ opcode: 0x18, source: 1, immediate: 4 }, {}],
      {},
      'opcode 0x18 is none that can be relocated',
    ],
    [
      'half of rX = <imm64>',
      [{ opcode: 0x18, immediate: 4 }],
      {},
      'opcode 0x18 is none that can be relocated',
    ],
    ['nothing', [], {}, 'the instruction is not there'],
  ];
  for (const [name, before, change, after] of rows) {
    const bytes = encodeInstructions(before);
    const patch = (): string | undefined =>
      patchInstruction(new InstructionView(bytes), 0, { ...plain, ...change });
    if (typeof after === 'string') {
      t.equal(thrown(patch).message, `Cannot relocate SPEC: ${after}`, name);
    } else {
      const reason = patch();
      t.same(bytes, encodeInstructions(after), name);
      t.equal(reason !== undefined, after[0] === poisoned, `${name}: ${String(reason)}`);
    }
  }
  t.end();
});
