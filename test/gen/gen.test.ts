/** Modules that `ts-xdp gen` writes: they compile, read and write as the run-time codecs do, and know their object. */
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import t from 'tap';
import { createCodec, type Btf, type BtfValue } from '../../src/btf/index.ts';
import { planGeneration, type GenOptions } from '../../src/cli/gen/plan.ts';
import { ObjectFile } from '../../src/elf/index.ts';
import type { TsXdpError } from '../../src/errors.ts';
import type * as library from '../../src/index.ts';
import { generateModule, modelOf, type RecordType } from '../../src/gen/index.ts';
import { noClang, ObjectFolder } from '../helpers/object-source.ts';
import { inProject } from '../helpers/project-root.ts';
import { randomNumbers } from '../helpers/random-numbers.ts';
import { snifferObject } from '../helpers/sniffer-events.ts';
import { compileStrictly } from './typescript-program.ts';

if (noClang !== false) {
  t.plan(0, noClang);
  process.exit(0);
}

const objects = new ObjectFolder();
t.teardown(() => {
  objects.close();
});
const folder = t.testdir({});
const inFolder = (name: string): string => join(folder, name);

const fixtures = [
  'gen/types',
  'gen/families',
  'typed-events',
  'loader/globals',
  'loader/maps',
  'btf/types',
] as const;
const nameOf = (fixture: string): string => fixture.replace('/', '-');
for (const fixture of fixtures) {
  const source =
    fixture === 'btf/types'
      ? objects.compileFile('btf/types.c')
      : objects.compile(fixture, { name: nameOf(fixture) });
  copyFileSync(source, inFolder(`${nameOf(fixture)}.bpf.o`));
}
copyFileSync(snifferObject, inFolder('sniffer.bpf.o'));

function generate(object: string, options: GenOptions & { output: string }): string {
  const text = planGeneration(inFolder(object), { ...options, output: inFolder(options.output) }).generate();
  writeFileSync(inFolder(options.output), text);
  return text;
}

const modules = ['sniffer', ...fixtures.map(nameOf)];
for (const name of modules) generate(`${name}.bpf.o`, { output: `${name}.ts` });
generate('sniffer.bpf.o', { output: 'embedded.ts', embed: true });
generate('sniffer.bpf.o', { output: 'sniffer.bpf.d.o.ts', declaration: true });
generate('gen-types.bpf.o', { output: 'gen-types.bpf.d.o.ts', declaration: true });

writeFileSync(
  inFolder('right.ts'),
  `import { load, SimpleEvent, type Loaded } from './sniffer.js';
import { load as loadTypes, Verdict, Packed } from './gen-types.js';
import hooked, { SimpleEvent as HookedEvent } from './sniffer.bpf.o';
import { Verdict as HookedVerdict } from './gen-types.bpf.o';

export function use(): Loaded {
  const loaded = load({ variables: { payload_limit: 64 }, programs: ['xdp_sniffer_enhanced'] });
  loaded.maps.iface_configs.set(2, { ifindex: 2, mode: 1 }, { mode: 'new' });
  const bytes: Uint8Array | undefined = loaded.maps.filter_settings.get(0)?.reserved;
  const seen: bigint | undefined = loaded.maps.stats.get(0)?.map(({ seen }) => seen)[0];
  for (const [address, value] of loaded.maps.local_addresses.entries()) console.log(address.bytes, value.toFixed());
  const limit: number = loaded.variables.payload_limit.get();
  console.log(bytes, seen, limit, loaded.programs.tc_sniffer_egress.id, loaded.maps.events.maxEntries);
  return loaded;
}

export async function read(): Promise<bigint[]> {
  const times: bigint[] = [];
  for await (const event of use().events.events_v6) times.push(event.timestamp);
  return times;
}

export function types(view: DataView): string {
  using loaded = loadTypes();
  loaded.variables.counter.set(1n);
  loaded.variables.counter.set(1);
  loaded.maps.everything.set({ version: 1, place: { x: 1 } }, { scalars: { verdict: 'VERDICT_GOOD', yes: true } });
  loaded.maps.lines.set([1, 2, 3], { from: { x: 1, y: 2 } });
  const three: number = loaded.maps.lines.keys().next().value?.[2] ?? 0;
  const verdict: Verdict | undefined = loaded.maps.verdicts.get(0)?.[0];
  const bad: 7 = Verdict.VERDICT_BAD;
  Packed.write(view, 0, { total: 5n });
  const event: SimpleEvent = SimpleEvent.read(view, 0);
  return String([three, verdict, bad, event.source_interface, HookedVerdict.VERDICT_BAD, HookedEvent.size]);
}

export const id: number = hooked.load().programs.xdp_sniffer_enhanced.id;
`,
);
writeFileSync(
  inFolder('wrong.ts'),
  `import { load, SimpleEvent } from './sniffer.js';
import { load as loadTypes, Verdict } from './gen-types.js';
import hooked from './sniffer.bpf.o';

const loaded = load();
loaded.maps.iface_configs.set(2, { ifindx: 2 });
console.log(loaded.maps.iface_confgs);
export const port: string = SimpleEvent.read(new DataView(new ArrayBuffer(566)), 0).src_port;
loaded.variables.payload_limit.set(3);
load({ programs: ['xdp_snifer'] });
load({ variables: { payload_limit: 'long' } });
const types = loadTypes();
types.maps.everything.set({}, { scalars: { verdict: 'VERDICT_WORSE' } });
types.maps.lines.set([1, 2], {});
types.variables.counter.set('many');
console.log(Verdict.VERDICT_NONE, hooked.load().events.event);
for await (const event of loaded.events.events) console.log(event.timestmp);
`,
);

writeFileSync(
  inFolder('right-maps.ts'),
  `import { load, type Loaded } from './gen-families.js';

export async function use(): Promise<Loaded> {
  const loaded = load({ programs: ['emit'] });
  const { maps, events } = loaded;
  maps.first.set(1, { source: 1 });
  const total: bigint | undefined = maps.totals.sum(0);
  const bytes: bigint | undefined = maps.per_cpu.merge(1, { initial: 0n, add: (sum, { bytes }) => sum + bytes });
  maps.per_cpu.setOf(1, { bytes: 1 }, { cpu: 0 });
  maps.routes.addresses.set('10.0.0.0/8', { limit: 7 });
  maps.routes.set({ prefix_length: 8, address: '0a000000' }, { limit: 7 });
  const weight: number | undefined = maps.jobs.push({ id: 1 }) ? maps.jobs.pop()?.weight : 0;
  maps.known.add({ source: 1 });
  maps.sockets.set(3, { bytes: 1n });
  maps.first_stage.set(0, 'STAGE_OUT');
  const limit: number | undefined = maps.tenants.open({ source: 1 })?.get(1)?.limit;
  maps.tenants.set({ destination: 2 }, maps.tenants_of_first.map);
  maps.programs.set(0, loaded.programs.emit);
  maps.ports.set(0, { target: 1 });
  const cookie: bigint | undefined = maps.by_key.cookie({ source: 1 });
  events.commands.send({ action: 1, amount: 2 });
  for await (const { cpu, event } of events.samples) console.log(cpu.toFixed(), event.name.length);
  console.log(total, bytes, weight, limit, cookie);
  return loaded;
}
`,
);
writeFileSync(
  inFolder('wrong-maps.ts'),
  `import { load } from './gen-families.js';
const { maps, events } = load();
maps.jobs.push({ nope: 1 });
maps.known.has({ nope: 1 });
maps.sockets.set(3, { nope: 1 });
maps.sockets.entries();
maps.per_cpu.setOf(1, { nope: 1 }, { cpu: 0 });
maps.routes.addresses.set('10.0.0.0/8', { nope: 1 });
maps.tenants.set({ nope: 1 }, 3);
maps.tenants.open({ source: 1 })?.set(1, { nope: 1 });
maps.first_stage.set(0, 'STAGE_NONE');
maps.by_key.delete({ nope: 1 });
events.commands.send({ nope: 1 });
events.samples.listen(({ event }) => event.nope);
`,
);

const libraryIndex = inProject('dist/index.js');
const families = `import { ArrayMap, BloomFilter, HashMap, LocalStorage, LpmTrie, MapOfMaps, MappedArray, PerCpuMap, Queue, SocketMap } from '${libraryIndex}';
import type { BpfMap } from '${libraryIndex}';
import { AddressPair, Session, Tenant } from './gen-families.js';
`;
writeFileSync(
  inFolder('right-families.ts'),
  `${families}
export function use(m: BpfMap): unknown[] {
  new HashMap(m, { key: AddressPair, value: Session }).set({ source: 1 }, { bytes: 3 });
  new HashMap(m).set(1, { anything: 2n });
  new HashMap<number, Session>(m).set(1, { bytes: 2n });
  new ArrayMap(m, { value: Tenant }).set(0, { limit: 1 });
  new PerCpuMap(m, { value: Tenant }).setOf('any', { limit: 1 }, { cpu: 0 });
  new PerCpuMap(m, { value: Tenant }).set(0, [{ limit: 1 }, {}]);
  new MappedArray(m, { value: Tenant }).set(0, { limit: 1 });
  new Queue(m, { value: Tenant }).push({ limit: 1 }, { whenFull: 'drop' });
  new BloomFilter(m, { value: AddressPair }).add({ source: 1, destination: 2 });
  LpmTrie.ofAddresses(m, { value: Tenant }).set('10.0.0.0/8', { limit: 1 });
  const trie: LpmTrie<{ address: string; prefixLength: number }, Tenant> = LpmTrie.ofAddresses(m, { value: Tenant });
  new LocalStorage(m, { value: Session }).set(3, { bytes: 1n });
  const limit: number | undefined = new Queue(m, { value: Tenant }).pop()?.limit;
  const cookie: bigint | undefined = new SocketMap(m, { key: AddressPair }).cookie({ source: 1 });
  return [trie, limit, cookie, new MapOfMaps(m, { key: AddressPair }).id({ source: 1 })];
}
`,
);
writeFileSync(
  inFolder('wrong-families.ts'),
  `${families}declare const m: BpfMap;
new HashMap(m, { key: AddressPair, value: Session }).set({ nope: 1 }, { bytes: 1 });
new HashMap(m, { key: AddressPair, value: Session }).set({ source: 1 }, { alsoNope: 2 });
new HashMap(m, { value: Session }).setMany([[1, { bytes: 'x' }]]);
new HashMap(m, { key: AddressPair }).get({ nope: 1 });
new HashMap<number, Session>(m).set('x', { bytes: 1n });
new ArrayMap(m, { value: Tenant }).set(0, { nope: 1 });
new ArrayMap(m).set('zero', 1);
new PerCpuMap(m, { value: Tenant }).set('x', 7);
new PerCpuMap(m, { value: Tenant }).setOf(0, { nope: 1 }, { cpu: 0 });
new PerCpuMap(m, { key: AddressPair }).sum({ nope: 1 });
new MappedArray(m, { value: Tenant }).set(0, { nope: 1 });
new Queue(m, { value: Tenant }).push({ nope: 1 });
new BloomFilter(m, { value: AddressPair }).has({ nope: 1 });
LpmTrie.ofAddresses(m, { value: Tenant }).set('10.0.0.0/8', { nope: 1 });
LpmTrie.ofAddresses(m, { value: Tenant }).set({ addres: '::' }, {});
LpmTrie.ofBytes(m).get('10.0.0.0');
new LocalStorage(m, { value: Session }).set(3, { nope: 1n });
new MapOfMaps(m, { key: AddressPair }).delete({ nope: 1 });
new SocketMap(m, { key: AddressPair }).cookie({ nope: 1 });
`,
);

const diagnostics = compileStrictly(
  [
    'right.ts',
    'wrong.ts',
    'right-maps.ts',
    'wrong-maps.ts',
    'right-families.ts',
    'wrong-families.ts',
    'embedded.ts',
    ...modules.map((name) => `${name}.ts`),
  ].map(inFolder),
);

t.test('modules and what uses them rightly compile with everything strict', (t) => {
  t.same(
    diagnostics.filter((line) => !line.startsWith('wrong')),
    [],
  );
  t.end();
});

t.test('what uses them wrongly does not compile', (t) => {
  t.same(
    diagnostics.filter((line) => line.startsWith('wrong.ts')).map((line) => line.replace(/^wrong.ts:/, '')),
    [
      "6 TS2561 Object literal may only specify known properties, but 'ifindx' does not exist in type '{ readonly ifindex?: number | undefined; readonly mode?: number | undefined; readonly is_wan?: number | undefined; readonly reserved?: string | Uint8Array<ArrayBufferLike> | readonly number[] | undefined; }'.",
      "7 TS2551 Property 'iface_confgs' does not exist on type 'Maps'.",
      "8 TS2322 Type 'number' is not assignable to type 'string'.",
      "9 TS2339 Property 'set' does not exist on type 'ReadOnlyVariable<number>'.",
      '10 TS2322 Type \'"xdp_snifer"\' is not assignable to type \'"xdp_sniffer_enhanced" | "xdp_frags_sniffer" | "xdp_bound_sniffer" | "tc_sniffer_egress"\'.',
      "11 TS2322 Type 'string' is not assignable to type 'number'.",
      "13 TS2820 Type '\"VERDICT_WORSE\"' is not assignable to type 'Verdict | undefined'.",
      "14 TS2345 Argument of type '[number, number]' is not assignable to parameter of type 'readonly [number, number, number]'.",
      "15 TS2345 Argument of type 'string' is not assignable to parameter of type 'number | bigint'.",
      "16 TS2339 Property 'VERDICT_NONE' does not exist on type '{ readonly VERDICT_UNKNOWN: 0; readonly VERDICT_GOOD: 1; readonly VERDICT_SAME: 1; readonly VERDICT_BAD: 7; }'.",
      "16 TS2551 Property 'event' does not exist on type 'Events'.",
      "17 TS2551 Property 'timestmp' does not exist on type 'SimpleEvent'.",
    ],
  );
  t.end();
});

t.test('nor do wrong entries and events of any family', (t) => {
  const wrong = diagnostics.filter((line) => line.startsWith('wrong-maps.ts'));
  const lines = wrong.map((line) => Number(/^wrong-maps.ts:(\d+) /.exec(line)?.[1]));
  t.same(
    lines,
    Array.from({ length: 12 }, (_, index) => index + 3),
    wrong.join('\n'),
  );
  t.end();
});

t.test('nor do wrong keys and values in the classes of the families', (t) => {
  const wrong = diagnostics.filter((line) => line.startsWith('wrong-families.ts'));
  const lines = wrong.map((line) =>
    Number(/^wrong-families.ts:(\d+) TS(?:2345|2322|2353|2561|2559) /.exec(line)?.[1]),
  );
  const first = families.split('\n').length + 1;
  t.same(
    lines,
    Array.from({ length: 19 }, (_, index) => first + index),
    wrong.join('\n'),
  );
  t.end();
});

interface Access {
  readonly size: number;
  readonly typeName: string;
  read(view: DataView, offset: number): BtfValue;
  write(view: DataView, offset: number, value: unknown): void;
}

/** The run-time codec of a struct of a module. */
function codecOf(btf: Btf, { typeName, name }: RecordType): Access | undefined {
  const [, kind, tag] = /^(struct|union) (\w+)$/.exec(typeName) ?? [];
  if (kind === 'struct' || kind === 'union') return createCodec(btf, btf.find(tag ?? '', kind)!);
  const typedef = btf.find(typeName, 'typedef');
  // What has no name at all is read as a part of what has it.
  return typedef === undefined || name === '' ? undefined : createCodec(btf, typedef);
}

for (const module of modules) {
  t.test(`${module}: compiled readers and writers are those of the run time`, async (t) => {
    const object = ObjectFile.open(inFolder(`${module}.bpf.o`));
    const { btf } = object;
    const generated = (await import(pathToFileURL(inFolder(`${module}.js`)).href)) as Record<string, Access>;
    const records = modelOf(object).types.filter((type) => type.kind === 'record');
    const random = randomNumbers(4711);
    let compared = 0;
    const different: unknown[] = [];
    for (const record of records) {
      const codec = codecOf(btf!, record);
      const compiled = generated[record.name]!;
      t.equal(compiled.size, record.size, `${record.name} has its size`);
      if (!codec) continue;
      t.equal(compiled.typeName, codec.typeName);
      for (let round = 0; round < 60; round++) {
        const bytes = Uint8Array.from({ length: record.size + 3 }, () => (round === 0 ? 0 : random(256)));
        const view = new DataView(bytes.buffer, 3);
        const value = codec.read(view, 0);
        if (!isDeepStrictEqual(compiled.read(view, 0), value)) different.push({ record: record.name, bytes });
        for (const changed of [value, spoiled(value, random), spoiled(value, random)]) {
          const [ours, wanted] = [compiled, codec].map((access) => outcome(access, changed));
          if (!isDeepStrictEqual(ours, wanted))
            different.push({ record: record.name, changed, ours, wanted });
          compared++;
        }
      }
    }
    t.same(different.slice(0, 3), []);
    t.equal(compared, records.filter((record) => codecOf(btf!, record)).length * 180);
  });
}

/** What becomes of writing a value: the bytes, or all that the error says. */
function outcome({ size, write }: Access, value: unknown): unknown {
  const bytes = new Uint8Array(size + 4).fill(0xee);
  try {
    write(new DataView(bytes.buffer, 2), 0, value);
    return Buffer.from(bytes).toString('hex');
  } catch (error) {
    const { name, message, code } = error as TsXdpError;
    return { name, message, code, ...(error as TsXdpError).facts() };
  }
}

const strange: readonly unknown[] = [
  ...[-1, 0, 1, 127, 128, -129, 255, 256, 65536, 2 ** 32, 2 ** 53 + 2, 1.5, Number.NaN, -Infinity],
  ...[-1n, 1n << 31n, 1n << 63n, (1n << 64n) - 1n, 1n << 64n, 1n << 127n, -(1n << 127n), 1n << 128n],
  ...[
    '',
    'x',
    '1',
    '0x1f',
    '-1',
    'true',
    'VERDICT_BAD',
    'DEBT',
    'caf\u00e9',
    'a string of more than sixteen bytes',
  ],
  ...[1e39, -1e39, new Map([['x', 1]]), new Date(0)],
  ...[true, false, null, undefined, {}, { x: 1 }, { unknown: 1 }, [], [1, 2], [[1]], Uint8Array.of(1, 2)],
];

/** The value with something else in one place. */
function spoiled(value: unknown, random: (below: number) => number): unknown {
  const replace = (): unknown => strange[random(strange.length)];
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array || random(12) === 0)
    return replace();
  const copy: Record<string, unknown> = Array.isArray(value)
    ? ([...(value as unknown[])] as unknown as Record<string, unknown>)
    : { ...value };
  const keys = Object.keys(copy);
  const key = keys[random(keys.length)];
  if (key === undefined || random(16) === 0) copy['unknown_field'] = 1;
  else copy[key] = spoiled(copy[key], random);
  return copy;
}

t.test('a compiled codec looks at bounds', async (t) => {
  const { SimpleEvent } = (await import(pathToFileURL(inFolder('sniffer.js')).href)) as {
    SimpleEvent: Access;
  };
  const view = new DataView(new ArrayBuffer(566));
  const message = 'Cannot access 566 bytes at offset 1: only 566 bytes are there';
  t.throws(() => SimpleEvent.read(view, 1), { message, code: 'OUT_OF_BOUNDS' });
  t.throws(
    () => {
      SimpleEvent.write(view, 1, {});
    },
    { message, code: 'OUT_OF_BOUNDS' },
  );
});

t.test('comments have the types of C and what decl tags say', (t) => {
  const text = readFileSync(inFolder('gen-types.ts'), 'utf8');
  t.match(
    text,
    `/** \`struct tagged\`, 8 bytes. what the tests look for. */
export interface Tagged {
  /** \`int\` at byte 0. in seconds. */
  member: number;
  /** \`int\` at byte 4. */
  plain: number;
}`,
  );
  t.match(text, '  /** `__u64` in `.bss`. how often. */\n  readonly counter: TypedVariable<bigint>;');
  t.match(text, '  /** Section `?xdp`. Loaded only when chosen by the option `programs`. */');
  const lines = '[number, number, number]';
  t.match(text, `  readonly lines: HashMap<${lines}, LineT, Input<${lines}>, Input<LineT>>;`);
  t.match(text, '  readonly verdicts: PerCpuMap<number, Verdict, Input<number>, Input<Verdict>>;');
  t.match(text, '  readonly untyped: HashMap<Uint8Array, Uint8Array, Input<Uint8Array>, Input<Uint8Array>>;');
  t.end();
});

t.test('the same object makes the same text, wherever that is', (t) => {
  const here = readFileSync(inFolder('sniffer.ts'), 'utf8');
  t.equal(generate('sniffer.bpf.o', { output: 'sniffer.ts' }), here);
  const before = process.cwd();
  process.chdir(folder);
  t.teardown(() => {
    process.chdir(before);
  });
  t.equal(planGeneration('sniffer.bpf.o', { output: 'sniffer.ts' }).generate(), here);
  t.match(here, '// To generate it again, in this folder: ts-xdp gen sniffer.bpf.o -o sniffer.ts\n');
  t.match(
    planGeneration('sniffer.bpf.o', { output: 'sub dir/it.ts', package: '@me/bpf' }).generate(),
    '// To generate it again, in this folder: ts-xdp gen ../sniffer.bpf.o --package @me/bpf -o it.ts\n',
  );
  t.match(
    planGeneration('sniffer.bpf.o', { output: 'sub dir/it.ts', package: '@me/bpf' }).generate(),
    "} from '@me/bpf/gen-runtime';",
  );
  t.end();
});

t.test('the embedded object is the one that it was generated from', async (t) => {
  const { openObject } = (await import(pathToFileURL(inFolder('embedded.js')).href)) as {
    openObject: () => ObjectFile;
  };
  const [embedded, original] = [openObject(), ObjectFile.open(snifferObject)];
  t.same([...embedded.programs.keys()], [...original.programs.keys()]);
  t.same(embedded.btf?.bytes, original.btf?.bytes);
  t.equal(embedded.name, 'sniffer');
});

/** The error that a module refuses a changed object with, or that says that it would load it. */
async function refusal(
  fixture: 'gen/types' | 'gen/families',
  { defines, name }: { defines: Record<string, string>; name: string },
): Promise<TsXdpError> {
  const { load } = (await import(pathToFileURL(inFolder(`${nameOf(fixture)}.js`)).href)) as {
    load: (options: { object?: unknown; prepare?: () => void }) => unknown;
  };
  // The class of the build, which is what the module imports.
  const build = (await import(pathToFileURL(inProject('dist/index.js')).href)) as typeof library;
  const object = build.ObjectFile.open(objects.compile(fixture, { name, defines }));
  const passed = 'it would be loaded';
  try {
    load({
      object,
      prepare() {
        throw new Error(passed);
      },
    });
  } catch (error) {
    if (error instanceof build.LayoutError || (error as Error).message === passed) return error as TsXdpError;
    throw error;
  }
  throw new Error('it was loaded');
}

t.test('an object that has changed is refused before it is loaded', async (t) => {
  const hint = 'generate the module again: ts-xdp gen gen-types.bpf.o -o gen-types.ts';
  const refused = (defines: Record<string, string>, name: string): Promise<TsXdpError> =>
    refusal('gen/types', { defines, name });
  const moved = await refused({ CHANGED: '1' }, 'moved');
  t.equal(
    moved.message,
    'Cannot load gen-types.bpf.o: field after of struct moving is at byte 8 in the object and at byte 4 in the generated module',
  );
  t.equal(moved.hint, hint);
  t.same(moved.facts(), {
    typeId: undefined,
    struct: 'struct moving',
    field: 'after',
    expectedOffset: 4,
    foundOffset: 8,
  });
  const cases: readonly (readonly [string, string])[] = [
    ['NARROW', 'field total of struct packed is u32 in the object and s64 in the generated module'],
    ['BIT', 'field minus of struct bits is at bit 9 in the object and at bit 8 in the generated module'],
    ['GROWN', 'the size of struct point is 6 bytes in the object and 4 bytes in the generated module'],
    ['ADDED', 'field extra of struct words is in the object and not in the generated module'],
    ['GONE', 'field view of struct words is in the generated module and not in the object'],
    ['ENUMERATOR', 'enumerator VERDICT_BAD of enum verdict is 8 in the object and 7 in the generated module'],
    ['LIMIT', 'variable limit is u64 in the object and u32 in the generated module'],
  ];
  for (const [define, why] of cases) {
    const { message } = await refused({ [define]: '1' }, define.toLowerCase());
    t.equal(message, `Cannot load gen-types.bpf.o: ${why}`);
  }
});

t.test(
  'a map of another kind is refused, and one that differs in nothing that is called is not',
  async (t) => {
    const refused = (kind: string): Promise<TsXdpError> =>
      refusal('gen/families', { defines: { COUNTS: `BPF_MAP_TYPE_${kind}` }, name: `families-${kind}` });
    for (const kind of ['PERCPU_HASH', 'ARRAY']) {
      const { message } = await refused(kind);
      const why = `map counts is ${kind.toLowerCase()} in the object and hash in the generated module`;
      t.equal(message, `Cannot load gen-families.bpf.o: ${why}`);
    }
    for (const kind of ['HASH', 'LRU_HASH']) t.equal((await refused(kind)).message, 'it would be loaded');
  },
);

t.test('each use of a type is compared, not the first one alone', async (t) => {
  const cases: readonly (readonly [define: string, why: string])[] = [
    [
      'SWAPPED',
      'field source of struct address_pair is at byte 4 in the object and at byte 0 in the generated module',
    ],
    [
      'OTHER_ENUM',
      'enumerator STAGE_IN_ of enum stage is 7 in the object and missing in the generated module',
    ],
  ];
  for (const [define, why] of cases) {
    const { message } = await refusal('gen/families', {
      defines: { [define]: '1' },
      name: `families-${define}`,
    });
    t.equal(message, `Cannot load gen-families.bpf.o: ${why}`);
  }
});

t.test('an object for machines of the other byte order is refused', (t) => {
  const object = ObjectFile.open(objects.compile('gen/types', { name: 'big', target: 'bpfeb' }));
  const source = { kind: 'beside', path: './big.bpf.o' } as const;
  t.throws(() => generateModule(object, { source, objectName: 'big.bpf.o', regenerate: '' }), {
    message: 'Cannot generate a module for big.bpf.o: it is big-endian',
    code: 'OBJECT_FOREIGN_ENDIAN',
  });
  t.end();
});
