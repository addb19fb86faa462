/** CO-RE relocations without a kernel: what they resolve to, what becomes of the instruction, what is refused. */
import t from 'tap';
import { encodeInstructions, InstructionView } from '../../src/asm/index.ts';
import { Btf, BtfBuilder, CoreResolver, coreKindNames, essentialName } from '../../src/btf/index.ts';
import { patchInstruction, POISONED_HELPER } from '../../src/btf/index.ts';
import type { CoreKind, CoreRelocation, CoreResolution } from '../../src/btf/index.ts';
import { thrown } from '../helpers/thrown.ts';
import { instructions, plain } from './core-instructions.ts';
import { deep, rules, u32 } from './core-rules.ts';
import * as sketch from './type-sketch.ts';
import type { Sketch } from './type-sketch.ts';

const { array, enumeration, enumeration64, forward, int, nothing, parse } = sketch;
const { pointer, struct, typedef, union } = sketch;

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

t.test('what may stand for what', (t) => {
  for (const [name, local, target, expected] of rules) {
    const around = (type: Sketch): Btf => parse(struct('around', { f: type }), typedef('named', type));
    const [ours, theirs] = [around(local), around(target)];
    const questions = {
      field: ['around', '0:0', 'field_exists'],
      type: ['named', '0', 'type_exists'],
      matches: ['named', '0', 'type_matches'],
    } as const;
    const found = Object.entries(questions).filter(
      ([, [root, access, kind]]) => resolve(ours, theirs, kind, root, access).value === 1n,
    );
    t.equal(found.map(([word]) => word).join(' '), expected, name);
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
  for (const [name, before, change, after] of instructions) {
    const bytes = encodeInstructions(before);
    const resolution = { ...plain, ...change };
    const patch = (): string | undefined => patchInstruction(new InstructionView(bytes), 0, resolution);
    if (typeof after === 'string') {
      t.equal(thrown(patch).message, `Cannot relocate SPEC: ${after}`, name);
    } else {
      const reason = patch();
      t.same(bytes, encodeInstructions(after), name);
      t.equal(reason !== undefined, after[0]?.immediate === POISONED_HELPER, `${name}: ${String(reason)}`);
    }
  }
  t.end();
});
