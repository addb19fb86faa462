/** Modules that `ts-xdp gen` writes, and what uses them, under TypeScript with everything strict. */
import { writeFileSync } from 'node:fs';
import t from 'tap';
import { inProject } from '../helpers/project-root.ts';
import { ModuleFolder, modules } from './module-folder.ts';
import { compileStrictly } from './typescript-program.ts';

const folder = ModuleFolder.of(t);
folder.generate('sniffer.bpf.o', { output: 'embedded.ts', embed: true });
folder.generate('sniffer.bpf.o', { output: 'sniffer.bpf.d.o.ts', declaration: true });
folder.generate('gen-types.bpf.o', { output: 'gen-types.bpf.d.o.ts', declaration: true });

writeFileSync(
  folder.file('right.ts'),
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

export function ports(): number {
  using ring = use().events.events.openInPlace({
    decode: ({ src_port, payload }): number => src_port + payload.length,
  });
  let sum = 0;
  ring.drain((port: number) => (sum += port));
  using moves = loadTypes().events.moves.openInPlace({ decode: (event) => event.last + 1n });
  moves.drain((last: bigint) => console.log(last));
  return sum;
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
  folder.file('wrong.ts'),
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
loaded.events.events.openInPlace({ decode: (event) => event.src_prt });
loaded.events.events.openInPlace({ decode: (event) => (event.src_port = 1) });
types.events.moves.openInPlace({ decode: (event) => event.last + 1 });
`,
);

writeFileSync(
  folder.file('right-maps.ts'),
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
  folder.file('wrong-maps.ts'),
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
  folder.file('right-families.ts'),
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
  folder.file('wrong-families.ts'),
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
  ].map((name) => folder.file(name)),
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
      "18 TS2551 Property 'src_prt' does not exist on type '{ readonly src_ip: number; readonly dst_ip: number; readonly src_port: number; readonly dst_port: number; readonly protocol: number; readonly tcp_flags: number; readonly packet_len: number; ...",
      "19 TS2540 Cannot assign to 'src_port' because it is a read-only property.",
      "20 TS2365 Operator '+' cannot be applied to types 'bigint' and '1'.",
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
