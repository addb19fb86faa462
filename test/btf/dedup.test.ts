/** Several BTFs as one, each type once: by hand, and against what libbpf makes of the same. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { Btf, BtfBuilder, dedup, dumpC, type BtfType } from '../../src/btf/index.ts';
import { ObjectFile } from '../../src/elf/index.ts';
import { Compiler, whyNotCompile } from '../helpers/compile.ts';
import { conformanceObjects, whyNoConformanceObjects } from '../helpers/conformance-objects.ts';
import { snifferObject } from '../helpers/sniffer-events.ts';
import { thrown } from '../helpers/thrown.ts';
import { LibbpfDedup } from './libbpf-dedup.ts';
import {
  array,
  constant,
  enumeration,
  enumeration64,
  float,
  forward,
  int,
  nothing,
  parse,
  pointer,
  prototype,
  struct,
  typedef,
  union,
  type Sketch,
} from './type-sketch.ts';

const VMLINUX = '/sys/kernel/btf/vmlinux';
const noKernelBtf = !existsSync(VMLINUX) && 'this kernel has no BTF';
const compiler = new Compiler();
const libbpf = new LibbpfDedup();
t.teardown(() => {
  compiler.close();
  libbpf.close();
});

let compiled: readonly string[] | undefined;

function objects(): readonly string[] {
  compiled ??= ['calls', 'events', 'globals', 'kernel-functions', 'maps'].map((name) =>
    compiler.fixture(name),
  );
  return compiled;
}

function concat(parts: readonly Btf[], { base }: { base?: Btf | undefined } = {}): Btf {
  const builder = new BtfBuilder({ base, littleEndian: parts[0]?.littleEndian });
  for (const part of parts) builder.append(part);
  return Btf.parse(builder.build(), { base });
}

function text(type: BtfType): string {
  return JSON.stringify(type, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value));
}

/** Own types in order, id by id. */
function listing(btf: Btf): string[] {
  return [...btf.ids()].filter((id) => id >= btf.firstId).map((id) => `[${id}] ${text(btf.type(id))}`);
}

function compareWithLibbpf(
  t: Test,
  parts: readonly Btf[],
  { base, name = 'as libbpf' }: { base?: Btf; name?: string } = {},
): Btf {
  const all = concat(parts, { base });
  const { btf, ids } = dedup(all);
  const theirs = libbpf.dedup(parts, { base });
  const [ours, truth] = [listing(btf), listing(theirs)];
  t.equal(ours.length, truth.length, `${name}: the number of types`);
  t.same(ours.filter((line, index) => line !== truth[index]).slice(0, 3), [], name);
  t.equal(btf.bytes.length, theirs.bytes.length, `${name}: the bytes, strings included`);
  checkMapping(t, { all, btf, ids, name });
  return btf;
}

/** Each old type is one of the same name, and the same kind unless it was a declaration. */
function checkMapping(t: Test, result: { all: Btf; btf: Btf; ids: Uint32Array; name: string }): void {
  const { all, btf, ids, name } = result;
  const wrong = [...all.ids()].filter((id) => {
    const target = ids[id] ?? 0;
    const isDeclaration = all.kindOf(id) === 'forward' || all.kindOf(id) === 'enum';
    return all.nameOf(id) !== btf.nameOf(target) || (all.kindOf(id) !== btf.kindOf(target) && !isDeclaration);
  });
  t.same(wrong, [], `${name}: the map of ids`);
  const reached = new Set([...ids].filter((id) => id >= btf.firstId));
  t.equal(reached.size, btf.typeCount - btf.firstId, `${name}: every new id has an old one`);
}

/** A struct that refers to itself, which nested calls cannot say. */
function selfReferring(name: string, extra: Record<string, Sketch> = {}): Sketch {
  return (builder) => {
    const members = Object.entries(extra).map(([key, type], index) => ({
      name: key,
      typeId: type(builder),
      bitOffset: 64 * (index + 1),
      bitSize: 0,
    }));
    const self = builder.add({ kind: 'const', typeId: 0 }) + 2;
    builder.add({ kind: 'pointer', typeId: self });
    const next = { name: 'next', typeId: self - 1, bitOffset: 0, bitSize: 0 };
    return builder.add({ kind: 'struct', name, size: 128, members: [next, ...members] });
  };
}

function tagged(name: string, of: Sketch, componentIndex = -1): Sketch {
  return (builder) =>
    builder.add({ kind: 'decl_tag', name, attribute: false, typeId: of(builder), componentIndex });
}

function typeTagged(name: string, of: Sketch): Sketch {
  return (builder) => builder.add({ kind: 'type_tag', name, attribute: false, typeId: of(builder) });
}

function fn(name: string, of: Sketch): Sketch {
  return (builder) => builder.add({ kind: 'function', name, typeId: of(builder), linkage: 'global' });
}

interface Case {
  readonly units: readonly (readonly Sketch[])[];
  /** How many types of a kind and name are left. */
  readonly left: Readonly<Record<string, number>>;
}

const holder = (member: Sketch): Sketch => struct('holder', { member: pointer(member) });
const color = enumeration('color', { red: 0, green: 1 });
const colorDeclared = enumeration('color', {}, 4);

const cases: Readonly<Record<string, Case>> = {
  'numbers of the same name, size and encoding become one': {
    units: [[int(32), float(4)], [int(32), float(4)], [int(32, { signed: false })]],
    left: { 'int int32': 2, 'float float': 1 },
  },
  'a forward declaration becomes what another unit defines, and what refers to either becomes one': {
    units: [[holder(forward('a', 'struct'))], [holder(struct('a', { x: int(32) }))]],
    left: { 'forward a': 0, 'struct a': 1, 'struct holder': 1, 'pointer ': 1 },
  },
  'in whichever order they come': {
    units: [[holder(struct('a', { x: int(32) }))], [holder(forward('a', 'struct'))]],
    left: { 'forward a': 0, 'struct a': 1, 'struct holder': 1 },
  },
  'and where no struct leads to both, if there is but one definition': {
    units: [[pointer(forward('a', 'union'))], [union('a', { x: int(32) })]],
    left: { 'forward a': 0, 'union a': 1 },
  },
  'with two definitions it stays': {
    units: [[pointer(forward('a', 'struct'))], [struct('a', { x: int(32) })], [struct('a', { x: int(16) })]],
    left: { 'forward a': 1, 'struct a': 2 },
  },
  'as does one of a union where only a struct has that name': {
    units: [[pointer(forward('a', 'union'))], [struct('a', { x: int(32) })]],
    left: { 'forward a': 1, 'struct a': 1 },
  },
  'structs that refer to themselves become one': {
    units: [[selfReferring('list')], [int(16), selfReferring('list')], [pointer(selfReferring('list'))]],
    left: { 'struct list': 1, 'pointer ': 1, 'const ': 1 },
  },
  'unless what they hold differs': {
    units: [[selfReferring('list', { x: int(32) })], [selfReferring('list', { x: int(16) })]],
    left: { 'struct list': 2, 'pointer ': 2, 'const ': 1 },
  },
  'conflicting definitions stay, and so does what leads to each': {
    units: [[holder(struct('a', { x: int(32) }))], [holder(struct('a', { x: int(64) }))]],
    left: { 'struct a': 2, 'struct holder': 2 },
  },
  'as do members of another name, and a struct beside a union': {
    units: [[struct('a', { x: int(32) })], [struct('a', { y: int(32) })], [union('a', { x: int(32) })]],
    left: { 'struct a': 2, 'union a': 1 },
  },
  'anonymous members count by what they hold': {
    units: [
      [struct('a', { ' 1': union('', { x: int(32), y: int(16) }) })],
      [struct('a', { ' 1': union('', { x: int(32), y: int(16) }) })],
      [struct('a', { ' 1': union('', { x: int(32), z: int(16) }) })],
    ],
    left: { 'struct a': 2, 'union ': 2 },
  },
  'an array that one unit has twice is one array': {
    units: [
      [struct('a', { x: array(int(32), 3), y: array(int(32), 3) })],
      [struct('a', { x: array(int(32), 3), y: array(int(32), 3) })],
    ],
    left: { 'struct a': 1, 'array ': 1 },
  },
  'arrays of other lengths stay': {
    units: [[array(int(32), 3)], [array(int(32), 4)], [array(int(32), 4)]],
    left: { 'array ': 2 },
  },
  'an enum that is declared becomes the one that is defined': {
    units: [[pointer(colorDeclared)], [pointer(color)], [pointer(enumeration('color', {}, 0))]],
    left: { 'enum color': 1, 'pointer ': 1 },
  },
  'within a struct too': {
    units: [[holder(colorDeclared)], [holder(color)]],
    left: { 'enum color': 1, 'struct holder': 1 },
  },
  'and one that is defined with values of 64 bits': {
    units: [[holder(colorDeclared)], [holder(enumeration64('color', { far: 1n << 40n }))]],
    left: { 'enum color': 0, 'enum64 color': 1 },
  },
  'one that nobody defines stays a declaration, of no bytes as clang has it': {
    units: [[pointer(enumeration('color', {}, 0))], [pointer(enumeration('color', {}, 0))]],
    left: { 'enum color': 1, 'pointer ': 1 },
  },
  'enums with other values stay': {
    units: [
      [color, enumeration64('wide', { a: 1n << 40n })],
      [enumeration('color', { red: 0, green: 2 }), enumeration64('wide', { a: 1n << 41n })],
      [color, enumeration64('wide', { a: 1n << 40n }), enumeration64('wide', { a: 1n << 40n }, true)],
    ],
    left: { 'enum color': 2, 'enum64 wide': 3 },
  },
  'names and qualifiers are the same where what they are of is': {
    units: [
      [typedef('word', constant(int(32)))],
      [typedef('word', constant(int(32)))],
      [typedef('word', int(32))],
    ],
    left: { 'typedef word': 2, 'const ': 1, 'int int32': 1 },
  },
  'functions and prototypes too': {
    units: [
      [fn('f', prototype(int(32), int(64)))],
      [fn('f', prototype(int(32), int(64)))],
      [fn('f', prototype(nothing, int(64))), fn('g', prototype(int(32), int(64), '...'))],
    ],
    left: { 'function f': 2, 'function g': 1, 'function_proto ': 3 },
  },
  'tags are the same of the same text, type and component': {
    units: [
      [tagged('t', struct('a', { x: int(32) })), typeTagged('u', int(32))],
      [tagged('t', struct('a', { x: int(32) })), typeTagged('u', int(32))],
      [tagged('t', struct('a', { x: int(32) }), 0), typeTagged('v', int(32))],
      [tagged('other', struct('a', { x: int(32) }))],
    ],
    left: { 'struct a': 1, 'decl_tag t': 2, 'decl_tag other': 1, 'type_tag u': 1, 'type_tag v': 1 },
  },
  'type tags within structs tell them apart': {
    units: [[holder(typeTagged('user', int(32)))], [holder(int(32))], [holder(typeTagged('user', int(32)))]],
    left: { 'struct holder': 2, 'type_tag user': 1 },
  },
  'structs without members, and no types at all': {
    units: [[struct('empty', {})], [], [struct('empty', {}), nothing]],
    left: { 'struct empty': 1 },
  },
};

t.test('small cases', (t) => {
  for (const [name, { units, left }] of Object.entries(cases)) {
    t.test(name, (t) => {
      const parts = units.map((unit) => parse(...unit));
      const { btf } = dedup(concat(parts));
      const counts = Object.keys(left).map((key): [string, number] => [
        key,
        [...btf.ids()].filter((id) => `${btf.kindOf(id)} ${btf.nameOf(id)}` === key).length,
      ]);
      t.same(Object.fromEntries(counts), left);
      t.same(listing(dedup(btf).btf), listing(btf), 'once more changes nothing');
      if (libbpf.missing === false) compareWithLibbpf(t, parts);
      t.end();
    });
  }
  t.end();
});

t.test('variables, sections and strings', (t) => {
  const unit = (): Btf => {
    const builder = new BtfBuilder({ littleEndian: false });
    const typeId = int(32)(builder);
    const variable = builder.add({ kind: 'variable', name: 'counter', typeId, linkage: 'global' });
    builder.add({
      kind: 'datasec',
      name: '.data',
      size: 4,
      variables: [{ typeId: variable, offset: 0, size: 4 }],
    });
    builder.addString('of nobody');
    return Btf.parse(builder.build());
  };
  const { btf, ids } = dedup(concat([unit(), unit()]));
  t.equal(btf.littleEndian, false, 'the byte order stays');
  t.same([...ids], [0, 1, 2, 3, 1, 4, 5]);
  t.match(btf.type(5), { kind: 'datasec', variables: [{ typeId: 4 }] }, 'sections keep their own variables');
  t.equal(
    Buffer.from(btf.bytes)
      .toString('latin1')
      .match(/counter/g)?.length,
    1,
  );
  t.notMatch(Buffer.from(btf.bytes).toString('latin1'), /of nobody/);
  t.end();
});

t.test('a split BTF', (t) => {
  const { btf: base } = dedup(
    parse(
      holder(forward('later', 'struct')),
      struct('a', { x: int(32) }),
      typedef('word', int(32)),
      enumeration('color', { red: 0, green: 1 }),
    ),
  );
  const parts = [
    parse(
      struct('a', { x: int(32) }),
      struct('a', { x: int(16) }),
      typedef('word', int(32)),
      color,
      colorDeclared,
    ),
    parse(holder(struct('later', { y: int(16) })), pointer(forward('later', 'struct'))),
  ];
  const { btf, ids } = dedup(concat(parts, { base }));
  const own = [...btf.ids()].filter((id) => id >= btf.firstId);
  t.same(
    own.map((id) => `${btf.kindOf(id)} ${btf.nameOf(id)}`),
    ['int int16', 'struct a', 'struct later', 'pointer ', 'struct holder'],
    'loses what its base has, and keeps what that only declares',
  );
  t.equal(btf.base, base);
  t.same([...ids.subarray(0, base.typeCount)], [...Array(base.typeCount).keys()]);
  t.ok(btf.bytes.length < base.bytes.length, 'names of the base are not repeated');
  if (libbpf.missing === false) {
    libbpf.dedup(parts, { base });
    // libbpf 1.7 decides typedefs apart from the rest and does not find those of the base.
    const differs = Number(libbpf.version.split('.')[1]) >= 7;
    t.test('as libbpf', { skip: differs && `libbpf ${libbpf.version} repeats typedefs of the base` }, (t) => {
      compareWithLibbpf(t, parts, { base });
      t.end();
    });
  }
  t.end();
});

t.test('what cannot be', (t) => {
  const refused = (add: (builder: BtfBuilder) => void): string => {
    const builder = new BtfBuilder();
    add(builder);
    return thrown(() => dedup(Btf.parse(builder.build()))).message;
  };
  t.equal(
    refused((builder) => {
      builder.add({ kind: 'pointer', typeId: 2 });
      builder.add({ kind: 'const', typeId: 1 });
    }),
    'Cannot deduplicate BTF type 1: it refers to itself',
  );
  t.equal(
    refused((builder) => builder.add({ kind: 'pointer', typeId: 7 })),
    'Cannot deduplicate BTF type 1: it refers to type 7, and the last is 1',
  );
  const chain = new BtfBuilder();
  for (let id = 1; id < 50_000; id++) chain.add({ kind: id % 2 ? 'pointer' : 'const', typeId: id + 1 });
  int(32)(chain);
  const long = dedup(concat([Btf.parse(chain.build()), Btf.parse(chain.build())]));
  t.equal(long.btf.typeCount, 50_001, 'a chain of any length can');
  const base = parse(int(32));
  const split = Btf.parse(new BtfBuilder({ base }).build(), { base });
  t.equal(
    thrown(() => new BtfBuilder().append(split)).message,
    'Cannot append BTF: it extends another BTF than what is built',
  );
  t.doesNotThrow(() => new BtfBuilder({ base }).append(split));
  t.end();
});

/** `append` gives the bytes that it was given, and so does adding type by type what was decoded. */
function rebuilt(original: Btf): { copied: Uint8Array; decoded: Uint8Array } {
  const { littleEndian, base } = original;
  const copy = new BtfBuilder({ littleEndian, base });
  const { stringOffset } = copy.append(original);
  const known = original.bytes.length;
  const types = new BtfBuilder({ littleEndian, base });
  // Strings first and in their order: those that only BTF.ext refers to stand between those of types.
  for (let offset = base?.stringsLength ?? 1; offset < original.stringsLength;) {
    const string = original.string(offset);
    if (stringOffset(offset) !== offset || types.addString(string) !== offset)
      throw new Error(`${known}: ${string}`);
    offset += Buffer.byteLength(string) + 1;
  }
  for (const id of original.ids()) if (id >= original.firstId) types.add(original.type(id));
  return { copied: copy.build(), decoded: types.build() };
}

t.test('what is read and built again is the same, byte for byte', (t) => {
  t.test('of objects', { skip: whyNotCompile() }, (t) => {
    const bigEndian = compiler.fixture('maps', { target: 'bpfeb', name: 'maps-eb.o' });
    for (const path of [snifferObject, bigEndian, ...objects()]) {
      const btf = ObjectFile.open(path).btf!;
      const { copied, decoded } = rebuilt(btf);
      t.equal(Buffer.compare(copied, btf.bytes), 0, path);
      t.equal(Buffer.compare(decoded, btf.bytes), 0, path);
    }
    t.end();
  });
  t.test('of the kernel', { skip: noKernelBtf }, (t) => {
    const btf = Btf.parse(readFileSync(VMLINUX));
    const { copied, decoded } = rebuilt(btf);
    t.equal(Buffer.compare(copied, btf.bytes), 0);
    t.equal(Buffer.compare(decoded, btf.bytes), 0);
    t.end();
  });
  t.end();
});

t.test('objects as libbpf', { skip: libbpf.missing || whyNotCompile() }, (t) => {
  const parts = [snifferObject, ...objects()].map((path) => ObjectFile.open(path).btf!);
  const btf = compareWithLibbpf(t, parts, { name: 'the fixtures' });
  t.ok(btf.typeCount < concat(parts).typeCount * 0.9, 'there were types to merge');
  t.equal(dumpC(btf), dumpC(libbpf.dedup(parts)));
  t.test('on the kernel', { skip: noKernelBtf || Number(libbpf.version.split('.')[1]) >= 7 }, (t) => {
    compareWithLibbpf(t, parts, {
      base: Btf.parse(readFileSync(VMLINUX)),
      name: 'the fixtures on the kernel',
    });
    t.end();
  });
  t.end();
});

t.test('the kernel twice', { skip: libbpf.missing || noKernelBtf }, (t) => {
  const kernel = Btf.parse(readFileSync(VMLINUX));
  const { btf } = dedup(concat([kernel, kernel]));
  const theirs = libbpf.dedup([kernel, kernel]);
  t.equal(btf.typeCount, theirs.typeCount);
  const different = [...btf.ids()].filter((id) => text(btf.type(id)) !== text(theirs.type(id)));
  t.same(different.slice(0, 3), []);
  t.end();
});

t.test('the selftests of the kernel', { skip: libbpf.missing || whyNoConformanceObjects() }, (t) => {
  const parts = conformanceObjects().flatMap((path) => {
    const btf = btfOf(path);
    return btf && btf.littleEndian && btf.typeCount > 1 ? [btf] : [];
  });
  for (let start = 0; start < parts.length; start += 100) {
    compareWithLibbpf(t, parts.slice(start, start + 100), { name: `objects from ${start} on` });
  }
  t.end();
});

/** Undefined for objects that are yet to be linked, whose relocations lead out of them. */
function btfOf(path: string): Btf | undefined {
  try {
    return ObjectFile.open(path).btf;
  } catch (error) {
    t.comment(`${join(path)}: ${(error as Error).message}`);
    return undefined;
  }
}
