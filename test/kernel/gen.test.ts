/** Generated modules on the kernel: maps, variables and events by their types, written and read by programs. */
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { planGeneration } from '../../src/cli/gen/plan.ts';
import type { GeneratedCollection, GeneratedOptions } from '../../src/gen-runtime/index.ts';
import type {
  EventSink,
  EventSource,
  PerfEventSource,
  ReadOnlyVariable,
  TypedMap,
  TypedVariable,
} from '../../src/gen-runtime/index.ts';
import type {
  ArrayMap,
  BloomFilter,
  BpfProgram,
  HashMap,
  LpmTrie,
  MapOfMaps,
  PerCpuMap,
  Queue,
} from '../../src/index.ts';
import {
  ethernet,
  EtherType,
  ipv4,
  IPV4_DESTINATION,
  IPV4_SOURCE,
  ipv4Number,
  Protocol,
  udp,
} from '../fixtures/frames.ts';
import { withoutTypes } from '../gen/typescript-program.ts';
import { notRoot } from '../helpers/cli.ts';
import { noClang, ObjectFolder } from '../helpers/object-source.ts';
import { openDescriptors } from '../helpers/open-descriptors.ts';
import { inProject } from '../helpers/project-root.ts';
import { snifferObject } from '../helpers/sniffer-events.ts';

const skip = notRoot || noClang;
const folder = t.testdir({});

interface Module<Programs, Maps, Variables, Events> {
  load(
    options?: GeneratedOptions<Programs, Variables>,
  ): GeneratedCollection<Programs, Maps, Variables, Events>;
}

/** The module of an object, as its user has it once compiled. */
async function moduleOf<Type>(object: string, name: string): Promise<Type> {
  copyFileSync(object, join(folder, `${name}.bpf.o`));
  const output = join(folder, `${name}.ts`);
  writeFileSync(
    join(folder, `${name}.js`),
    withoutTypes(planGeneration(join(folder, `${name}.bpf.o`), { output }).generate()),
  );
  return (await import(pathToFileURL(join(folder, `${name}.js`)).href)) as Type;
}

type Sniffer = Module<
  { xdp_sniffer_enhanced: BpfProgram; xdp_frags_sniffer: BpfProgram },
  {
    excluded_ports: TypedMap<number, number>;
    iface_configs: TypedMap<number, { ifindex: number; mode: number; is_wan: number; reserved: Uint8Array }>;
    iface_names: TypedMap<number, { name: string }>;
    filter_settings: TypedMap<number, { default_action: number; reserved: Uint8Array }>;
    stats: TypedMap<number, { seen: bigint; submitted: bigint }[]>;
  },
  { payload_limit: ReadOnlyVariable<number> },
  {
    events: EventSource<{
      src_port: number;
      payload_len: number;
      payload: Uint8Array;
      source_interface: string;
      timestamp: bigint;
    }>;
  }
>;

const LOOPBACK = 1;
const datagram = udp({ sourcePort: 40000, destinationPort: 443 }, new TextEncoder().encode('hello, world'));
const frame = ethernet(EtherType.Ipv4, ipv4({ protocol: Protocol.Udp }, datagram));

/** In host order. */
const SEEN = {
  src_ip: ipv4Number(IPV4_SOURCE),
  dst_ip: ipv4Number(IPV4_DESTINATION),
  src_port: 40000,
  dst_port: 443,
};

/** What `struct packet_data` is in the module of the monitor. */
interface PacketData {
  src_ip: number;
  dst_ip: number;
  src_port: number;
  dst_port: number;
  protocol: number;
  packet_size: number;
  timestamp: bigint;
  flags: number;
}

type Monitor = Module<
  { capture_packet_data: BpfProgram },
  { stats_map: PerCpuMap<number, bigint> },
  { wants_events: ReadOnlyVariable<number> },
  { packet_ringbuf: EventSource<PacketData> }
>;

t.test(
  'the monitor: a frame run, its event read whole and in place, its counters',
  { skip: notRoot },
  async (t) => {
    const { load } = await moduleOf<Monitor>(inProject('bpf/monitor.bpf.o'), 'monitor');
    using monitor = load({ programs: ['capture_packet_data'] });
    const { events, maps, programs, variables } = monitor;
    t.equal(variables.wants_events.get(), 1);
    for (let time = 0; time < 2; time++) programs.capture_packet_data.testRun({ data: frame });
    const whole: PacketData[] = [];
    events.packet_ringbuf.drain((event) => whole.push(event), { limit: 1 });
    t.match(whole, [{ ...SEEN, protocol: 17, packet_size: frame.length, flags: 0 }]);
    using ports = events.packet_ringbuf.openInPlace({ decode: ({ dst_port: port }) => port });
    const read: number[] = [];
    ports.drain((port) => read.push(port));
    t.same(read, [SEEN.dst_port]);
    t.same(
      [0, 1, 2, 3].map((entry) => maps.stats_map.sum(entry)),
      [2n, 0n, 2n, 0n],
    );
  },
);

t.test('the sniffer: maps set, a frame run, its event read', { skip }, async (t) => {
  const before = openDescriptors();
  const { load } = await moduleOf<Sniffer>(snifferObject, 'sniffer');
  const sniffer = load({ programs: ['xdp_sniffer_enhanced'], variables: { payload_limit: 5 } });
  t.equal(sniffer.variables.payload_limit.get(), 5);
  const { maps, events, programs } = sniffer;

  maps.iface_configs.set(LOOPBACK, { ifindex: LOOPBACK, mode: 2 });
  maps.iface_names.set(LOOPBACK, { name: 'loopback' });
  maps.filter_settings.set(0, { default_action: 1, reserved: '01000000000000' });
  t.strictSame(maps.iface_configs.get(LOOPBACK), {
    ifindex: LOOPBACK,
    mode: 2,
    is_wan: 0,
    reserved: new Uint8Array(2),
  });
  t.equal(maps.iface_configs.get(7), undefined);
  maps.excluded_ports.set(22, 1);
  maps.excluded_ports.set(23, 1);
  t.same([...maps.excluded_ports].sort(), [
    [22, 1],
    [23, 1],
  ]);
  t.same([...maps.excluded_ports.keys()].sort(), [22, 23]);
  t.same([maps.excluded_ports.delete(22), maps.excluded_ports.delete(22)], [true, false]);
  t.throws(
    () => {
      maps.excluded_ports.set(70000, 1);
    },
    {
      message: 'Cannot store 70000 as __u16: it must be between 0 and 65535',
    },
  );
  t.throws(
    () => {
      maps.iface_names.set(1, { nam: 'x' } as object);
    },
    {
      message: 'Cannot store "x" as struct interface_name at .nam: there is no such field; there are name',
    },
  );

  t.equal(programs.xdp_sniffer_enhanced.testRun({ data: frame }).returnValue, 2);
  for await (const event of events.events) {
    t.match(event, { src_port: 40000, payload_len: 5, source_interface: 'loopback' });
    t.equal(Buffer.from(event.payload.subarray(0, 6)).toString(), 'hello\0', 'the limit that was set');
    break;
  }
  t.equal(programs.xdp_sniffer_enhanced.testRun({ data: frame }).returnValue, 2);
  using ports = events.events.openInPlace({
    decode: ({ src_port, source_interface, timestamp }) => [src_port, source_interface, timestamp > 0n],
  });
  const inPlace: unknown[] = [];
  ports.drain((event) => inPlace.push(event));
  t.strictSame(inPlace, [[40000, 'loopback', true]], 'an event whose fields are read where they lie');
  const stats = maps.stats.get(0) ?? [];
  t.equal(
    stats.reduce((sum, { seen }) => sum + seen, 0n),
    2n,
  );
  t.equal(
    stats.reduce((sum, { submitted }) => sum + submitted, 0n),
    2n,
  );
  t.throws(() => programs.xdp_frags_sniffer, { code: 'PROGRAM_NOT_FOUND' }, 'it was not chosen');
  sniffer.close();
  t.throws(() => sniffer.variables.payload_limit.get(), { code: 'CLOSED' });
  t.same(openDescriptors(), before, 'nothing is left open');
});

type Types = Module<
  { count: BpfProgram },
  {
    everything: TypedMap<Record<string, unknown>, Record<string, Record<string, unknown>>>;
    lines: TypedMap<
      [number, number, number],
      { from: { x: number; y: number }; to: { x: number; y: number } }
    >;
    untyped: TypedMap<Uint8Array, Uint8Array>;
    verdicts: TypedMap<number, (string | number)[]>;
  },
  {
    limit: TypedVariable<number>;
    counter: TypedVariable<bigint>;
    current_level: TypedVariable<string | number>;
  },
  { moves: EventSource<{ before: number; after: number; last: bigint }> }
>;

t.test('every kind of type, through the kernel', { skip }, async (t) => {
  const objects = new ObjectFolder();
  t.teardown(() => {
    objects.close();
  });
  const { load } = await moduleOf<Types>(objects.compile('gen/types', { name: 'kinds' }), 'kinds');
  const loaded = load({ variables: { limit: 9, counter: 1n << 40n } });
  const { maps, variables, events, programs } = loaded;

  const key = { version: 1, length: 0xffff_fffe, total: -5n, place: { x: -1, y: 2 }, kind: 3 };
  maps.everything.set(key, { bits: { minus: -9, widest: -(1n << 62n), verdict: 'VERDICT_BAD', flag: true } });
  const { bits } = maps.everything.get(key) ?? {};
  t.match(bits, { one: 0, minus: -9, widest: -(1n << 62n), verdict: 'VERDICT_BAD', flag: true, wide: 0n });
  t.strictSame([...maps.everything.keys()], [key]);
  maps.lines.set([1, 2, 3], { to: { x: 5 } });
  t.strictSame([...maps.lines], [[[1, 2, 3], { from: { x: 0, y: 0 }, to: { x: 5, y: 0 } }]]);
  maps.untyped.set(Uint8Array.of(1, 2, 3, 4), '00112233445566778899aabb');
  t.equal(maps.untyped.get([1, 2, 3, 4])?.[11], 0xbb);
  const cpus = maps.verdicts.get(0)?.length ?? 0;
  maps.verdicts.set(
    0,
    Array.from({ length: cpus }, (_, cpu) => (cpu === 0 ? 'VERDICT_GOOD' : 42)),
  );
  t.same(
    maps.verdicts.get(0),
    Array.from({ length: cpus }, (_, cpu) => (cpu === 0 ? 'VERDICT_GOOD' : 42)),
  );

  t.equal(variables.counter.get(), 1n << 40n);
  programs.count.testRun({ data: frame });
  variables.current_level.set('HIGH_LEVEL');
  t.equal(variables.current_level.get(), 'HIGH_LEVEL');
  programs.count.testRun({ data: frame });
  t.equal(variables.counter.get(), (1n << 40n) + 19n, 'once 9, once 9 and 1 for the level');
  const seen: unknown[] = [];
  t.equal(
    events.moves.drain((event) => seen.push(event)),
    2,
  );
  t.strictSame(seen, [
    { before: 1, after: 9, last: (1n << 40n) + 9n },
    { before: 1, after: 9, last: (1n << 40n) + 19n },
  ]);
  t.throws(
    () => {
      variables.limit.set(1);
    },
    { message: 'Cannot set limit: .rodata is read-only once loaded' },
  );
  t.throws(
    () => {
      variables.counter.set(-1n);
    },
    {
      message: 'Cannot store -1 as __u64: it must be between 0 and 18446744073709551615',
    },
  );
  loaded.close();
});

t.test('maps of every family and events of every ring, through the kernel', { skip }, async (t) => {
  const objects = new ObjectFolder();
  t.teardown(() => {
    objects.close();
  });
  const { load } = await moduleOf<
    Module<{ emit: BpfProgram; drain: BpfProgram }, Families, { amount: TypedVariable<bigint> }, FamilyEvents>
  >(objects.compile('gen/families', { name: 'families' }), 'families');
  const loaded = load({ programs: ['emit', 'drain'] });
  const { maps, events, programs, variables } = loaded;
  const names = Object.fromEntries(
    Object.entries(maps).map(([name, map]) => [name, (map as object).constructor.name]),
  );
  t.same(names, {
    ...{ first: 'HashMap', second: 'HashMap', first_stage: 'ArrayMap', second_stage: 'ArrayMap' },
    ...{ counts: 'HashMap', recent: 'HashMap', per_cpu: 'PerCpuMap', totals: 'PerCpuMap', routes: 'LpmTrie' },
    ...{ jobs: 'Queue', undone: 'Queue', known: 'BloomFilter', sockets: 'LocalStorage' },
    ...{ tenants_of_first: 'HashMap', tenants: 'MapOfMaps', programs: 'ProgramArray' },
    ...{ by_number: 'SocketMap', by_key: 'SocketMap', ports: 'DeviceMap', cpus: 'CpuMap' },
    ...{ queues: 'XskMap', groups: 'CgroupArray', samples: 'PerfEventArray', commands: 'BpfMap' },
  });
  maps.first_stage.set(1, 'STAGE_OUT');
  t.same([...maps.first_stage.values()], ['STAGE_IN', 'STAGE_OUT']);
  const { cpus } = maps.totals;
  maps.totals.set(
    0,
    Array.from({ length: cpus }, (_, cpu) => cpu + 1),
  );
  t.equal(maps.totals.sum(0), BigInt((cpus * (cpus + 1)) / 2));
  maps.routes.addresses.set('10.0.0.0/8', { limit: 7 });
  t.strictSame([...maps.routes], [[{ prefix_length: 8, address: Uint8Array.of(10, 0, 0, 0) }, { limit: 7 }]]);
  t.strictSame(maps.routes.addresses.get('10.1.2.3'), { limit: 7 });
  maps.undone.push('0102030405060708');
  t.strictSame(maps.undone.pop(), Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
  maps.known.add({ source: 1, destination: 2 });
  t.equal(maps.known.has({ source: 1, destination: 2 }), true);
  maps.tenants_of_first.set(5, { limit: 55 });
  maps.tenants.set({ source: 1 }, maps.tenants_of_first.map);
  const tenant = maps.tenants.open({ source: 1 });
  t.strictSame(tenant?.get(5), { limit: 55 });
  tenant?.map.close();
  t.equal(maps.tenants.open({ source: 2 }), undefined);

  maps.jobs.push({ id: 3, weight: 4 });
  t.ok(events.samples.reader, 'events are kept from here on');
  programs.emit.testRun({ data: frame });
  t.equal(variables.amount.get(), 12n, 'the program got the job');
  for await (const { event } of events.samples) {
    t.strictSame(event, { pid: 77, name: 'sampled' });
    break;
  }
  events.samples.reader.close();
  using pids = events.samples.openInPlace({ decode: ({ pid, name }) => `${name} ${String(pid)}` });
  programs.emit.testRun({ data: frame });
  const samples: string[] = [];
  pids.drain(({ event }) => samples.push(event));
  t.strictSame(samples, ['sampled 77'], 'a sample whose fields are read where they lie');
  t.equal(events.commands.send({ action: 2, amount: 10n }), true);
  t.equal(events.commands.producer.pending, 24, 'a header, and the command in 16 bytes');
  t.throws(() => events.commands.send({ nope: 1 } as object), { code: 'VALUE_INVALID' });
  loaded.close();
});

interface Families {
  readonly first_stage: ArrayMap<string | number, string | number>;
  readonly totals: PerCpuMap<number, bigint, number, bigint | number>;
  readonly routes: LpmTrie<{ prefix_length: number; address: Uint8Array }, { limit: number }>;
  readonly undone: Queue<Uint8Array>;
  readonly known: BloomFilter<{ source: number; destination: number }>;
  readonly tenants_of_first: HashMap<number, { limit: number }>;
  readonly tenants: MapOfMaps<
    { source: number; destination: number },
    { source: number },
    HashMap<number, { limit: number }>
  >;
  readonly jobs: Queue<{ id: number; weight: number }>;
}

interface FamilyEvents {
  readonly samples: PerfEventSource<{ pid: number; name: string }>;
  readonly commands: EventSink<{ action: number; amount: bigint }>;
}
