/** Structs that end in a flexible array: records of any length, larger values, initialised variables, by both kinds of codec. */
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { mapCommands } from '../../src/cli/commands/map.ts';
import { planGeneration } from '../../src/cli/gen/plan.ts';
import type {
  EventSink,
  EventSource,
  GeneratedCollection,
  GeneratedOptions,
  HashMap as TypedHash,
  PerfEventSource,
  ReadOnlyVariable,
  TypedVariable,
} from '../../src/gen-runtime/index.ts';
import {
  BpfMap,
  Collection,
  HashMap,
  MapType,
  ObjectFile,
  PerCpuMap,
  PerfBuffer,
  RingBuffer,
  UserRingBuffer,
  type BpfProgram,
} from '../../src/index.ts';
import { createCodec } from '../../src/btf/index.ts';
import { withoutTypes } from '../gen/typescript-program.ts';
import { notRoot } from '../helpers/cli.ts';
import { isKernelBefore } from '../helpers/lacking.ts';
import { noClang, ObjectFolder } from '../helpers/object-source.ts';
import { openDescriptors } from '../helpers/open-descriptors.ts';
import { runCommand } from '../helpers/run-command.ts';
import { thrown } from '../helpers/thrown.ts';

const missing = notRoot || noClang || (isKernelBefore('6.1') && 'user ring buffers came with Linux 6.1');
if (missing !== false) {
  t.plan(0, missing);
  process.exit(0);
}

interface Event {
  readonly time: bigint;
  readonly length: number;
  readonly data: Uint8Array;
}
interface Hop {
  readonly port: number;
  readonly ttl: number;
  readonly weight: number;
}
interface Route {
  readonly count: number;
  readonly hops: Hop[];
}

const MOST = 64;
const objects = new ObjectFolder();
const path = objects.compile('gen/flexible', { name: 'flexible' });
const before = openDescriptors();
const object = ObjectFile.open(path);
const btf = object.btf!;
const typeOf = (name: string): number => btf.find(name, 'struct')!;
const collection = Collection.load(object);
t.teardown(() => {
  objects.close();
});

const bytesOf = (count: number, of = (index: number): number => index): Uint8Array =>
  Uint8Array.from({ length: count }, (_, index) => of(index));
/** A packet whose bytes the programs take for elements, `count` of them. */
const packetOf = (count: number): Uint8Array =>
  Uint8Array.from({ length: 14 + MOST }, (_, index) => (index === 13 ? count : (index * 7) & 0xff));
const sentIn = (packet: Uint8Array, count: number): Uint8Array => packet.slice(14, 14 + count);
const run = (program: BpfProgram, data: Uint8Array): void => {
  t.equal(program.testRun({ data }).returnValue, 0, 'the program did all that it does');
};

const hops = [
  { port: 1000, ttl: 64, weight: -1 },
  { port: 2000, ttl: 32, weight: -2 },
];

t.test('records of a ring buffer, each as long as it is', (t) => {
  const events = collection.map('events');
  using whole = RingBuffer.typed(events, { btf, typeId: typeOf('event') });
  using routes = RingBuffer.typed(collection.map('routes'), { btf, typeId: typeOf('route') });
  const read: unknown[] = [];
  run(collection.program('reserve'), packetOf(0));
  whole.drain((event) => read.push(event));
  const wanted = [0, 3, 4, 5, MOST].map((length) => ({
    time: 0x1122334455667788n,
    length,
    data: bytesOf(length, (index) => 0xa0 + index),
  }));
  t.same(read, wanted, 'also those that end before the padding of the struct does');
  routes.drain((route) => {
    t.same(route, { count: 2, hops });
  });

  const lengths = Array.from({ length: MOST + 1 }, (_, length) => length);
  for (const length of lengths) run(collection.program('output'), packetOf(length));
  let next = 0;
  whole.drain((event) => {
    const { data } = event as unknown as Event;
    t.same(data, sentIn(packetOf(next), next), `${next} bytes`);
    next++;
  });
  t.equal(next, lengths.length);
  t.end();
});

t.test('the same where they lie', (t) => {
  const sums: number[] = [];
  using ring = RingBuffer.inPlace(collection.map('events'), {
    btf,
    typeId: typeOf('event'),
    decode: ({ length, data }: Event) => [length, data] as const,
  });
  for (const length of [0, 1, 4, 63]) run(collection.program('output'), packetOf(length));
  ring.drain(([length, data]) => {
    t.same(data, sentIn(packetOf(length), length));
    sums.push(length);
  });
  t.same(sums, [0, 1, 4, 63]);
  t.end();
});

t.test('a record that is too short for the fields before the array', (t) => {
  const options = { btf, typeId: typeOf('event') };
  const message =
    'Cannot read a record of routes as struct nested: the record has 12 bytes, the struct at least 20';
  // A route with two hops has as many bytes as an event without elements.
  run(collection.program('reserve'), packetOf(0));
  using events = RingBuffer.bytes(collection.map('events'));
  events.drain(() => undefined);
  using accepted = RingBuffer.typed(collection.map('routes'), options);
  accepted.drain((event) => {
    t.equal((event as unknown as Event).data.length, 0, 'as many as fit');
  });
  for (const open of [
    () => RingBuffer.typed(collection.map('routes'), { btf, typeId: typeOf('nested') }),
    () => RingBuffer.inPlace(collection.map('routes'), { btf, typeId: typeOf('nested'), decode: () => 0 }),
  ]) {
    run(collection.program('reserve'), packetOf(0));
    events.drain(() => undefined);
    using ring = open();
    const error = thrown(() => ring.drain(() => undefined));
    t.match(error, {
      code: 'EVENT_SIZE_MISMATCH',
      structSize: 20,
      recordSize: 12,
      message,
    });
  }
  t.end();
});

t.test('samples of a perf buffer have the padding that the kernel adds among their elements', (t) => {
  for (const inPlace of [false, true]) {
    const map = collection.map('samples');
    const options = { btf, typeId: typeOf('event') };
    using samples = inPlace
      ? PerfBuffer.inPlace(map, { ...options, decode: ({ length, data }: Event) => ({ length, data }) })
      : PerfBuffer.typed(map, options);
    const lengths = [0, 1, 3, 4, 5, 11, 12, MOST];
    for (const length of lengths) run(collection.program('sample'), packetOf(length));
    const read: number[] = [];
    samples.drain(({ event }) => {
      const { length, data } = event as unknown as Event;
      t.same(data.slice(0, length), sentIn(packetOf(length), length));
      // The 4 bytes that say the size and what was sent are rounded up to 8 together: perf_prepare_sample().
      t.equal(12 + data.length, Math.ceil((4 + 12 + length) / 8) * 8 - 4, `${length} and what fills it up`);
      read.push(length);
    });
    t.same(
      read.sort((one, other) => one - other),
      lengths,
    );
  }
  t.end();
});

t.test('records for programs, as long as their elements need', (t) => {
  const codec = createCodec(btf, typeOf('event'));
  using ring = new UserRingBuffer(collection.map('commands'));
  let sum = 0n;
  const lengths = [0, 1, 3, 4, 5, 8, 33, MOST];
  for (const length of lengths) {
    const event = { time: 1, length, data: bytesOf(length, (index) => index + length) };
    const size = codec.lengthOf(event);
    t.equal(size, Math.max(16, 12 + length));
    const bytes = new Uint8Array(size);
    codec.write(new DataView(bytes.buffer), 0, event, size);
    t.ok(ring.write(bytes));
    sum += event.data.reduce((total, byte) => total + BigInt(byte), 0n);
  }
  t.equal(collection.program('drain').testRun({ data: packetOf(0) }).returnValue, lengths.length);
  t.equal(collection.variable('records').get(), BigInt(lengths.length));
  t.equal(collection.variable('sum').get(), sum);
  t.equal(collection.variable('exact').get(), BigInt(lengths.length), 'each ended where it must');
  t.end();
});

t.test('values of maps', (t) => {
  const values = collection.map('values');
  values.set(1, { time: 2n, length: 3 });
  t.same(
    values.get(1),
    { time: 2n, length: 3, data: new Uint8Array(0) },
    'no elements in the size of the struct',
  );
  t.match(
    thrown(() => {
      values.set(1, { data: [1] });
    }),
    {
      code: 'VALUE_INVALID',
      message: 'Cannot store an array of 1 as __u8[0] at .data: it has 1 bytes, and 0 fit',
    },
  );

  const codec = createCodec(btf, typeOf('route'));
  const facts = { keySize: 4, valueSize: 16, maxEntries: 4 };
  using map = BpfMap.create({ ...facts, type: MapType.Hash });
  const key = createCodec(btf, btf.find('__u32', 'typedef')!);
  const larger = new HashMap(map, { key, value: codec });
  larger.set(7, { count: 2, hops });
  const [one, other] = hops;
  const stored = '02000000' + 'e80340ff' + 'd00720fe' + '00000000';
  t.equal(Buffer.from(map.getBytes(Uint8Array.of(7, 0, 0, 0))!).toString('hex'), stored);
  t.same(larger.get(7), { count: 2, hops: [one, other, { port: 0, ttl: 0, weight: 0 }] }, 'all that fit');
  t.same([...larger], [[7, larger.get(7)]]);
  t.match(
    thrown(() => {
      larger.set(7, { hops: [one, one, one, one] });
    }),
    {
      message: 'Cannot store an array of 4 as struct hop[0] at .hops: it has 4 elements, and 3 fit',
    },
  );

  const enlarged = ObjectFile.open(path);
  enlarged.map('values').valueSize = 20;
  const others = Collection.load(enlarged, { programs: [] });
  const resized = others.map('values');
  resized.set(1, { time: 1, length: 3, data: '010203' });
  t.same(resized.get(1), { time: 1n, length: 3, data: Uint8Array.of(1, 2, 3, 0, 0, 0, 0, 0) });
  t.equal(resized.info().btfValueTypeId, 0, 'the kernel takes no type of another size');
  others.close();

  using perCpu = BpfMap.create({ ...facts, type: MapType.PerCpuHash });
  const each = new PerCpuMap(perCpu, { key, value: codec });
  const filled = Array.from({ length: each.cpus }, (_, cpu) => ({ count: cpu, hops: [one, other, one] }));
  each.set(1, filled);
  t.same(each.get(1), filled);
  t.end();
});

t.test('variables that C initialises with elements', (t) => {
  const spec = ObjectFile.open(path);
  t.same(spec.variable('initial').get(), { count: 2, hops });
  t.same(spec.variable('zero').get(), { count: 0, hops: [] });
  t.same(collection.variable('initial').get(), { count: 2, hops });
  t.same(collection.variable('title').get(), { id: 7, name: 'flexible' });
  const changed = { count: 1, hops: [{ port: 9, ttl: 8, weight: -7 }] };
  collection.variable('initial').set(changed);
  t.same(collection.variable('initial').get(), {
    count: 1,
    hops: [...changed.hops, { port: 0, ttl: 0, weight: 0 }],
  });
  collection.variable('initial').set({ count: 2, hops });
  const message = 'Cannot store an array of 3 as struct hop[0] at .hops: it has 3 elements, and 2 fit';
  for (const variable of [spec.variable('initial'), collection.variable('initial')])
    t.match(
      thrown(() => {
        variable.set({ hops: [{}, {}, {}] });
      }),
      { message },
    );
  spec.variable('title').set({ id: 8, name: 'twelve bytes' });
  t.same(spec.variable('title').get(), { id: 8, name: 'twelve bytes' });
  t.match(
    thrown(() => {
      spec.variable('title').set({ name: 'thirteen char' });
    }),
    {
      message: 'Cannot store "thirteen char" as char[0] at .name: it has 13 bytes, and 12 fit',
    },
  );
  t.end();
});

t.test('variables with elements, as map dump shows them', async (t) => {
  const dump = (map: string, json: boolean) =>
    runCommand(mapCommands, ['dump', 'id', String(collection.map(map).info().id)], { json });
  collection.variable('initial').set({ count: 2, hops });
  for (const [map, name, value] of [
    ['.data', 'initial', { count: 2, hops }],
    ['.rodata', 'title', { id: 7, name: 'flexible' }],
    ['.bss', 'zero', { count: 0, hops: [] }],
  ] as const) {
    const { document } = await dump(map, true);
    const [entry] = document as { formatted: { value: Record<string, Record<string, unknown>[]> } }[];
    const variables = entry?.formatted.value[map] ?? [];
    t.same(
      variables.find((one) => name in one),
      { [name]: value },
    );
    t.match((await dump(map, false)).text, JSON.stringify({ [name]: value }));
  }
});

t.test('nothing stays open', (t) => {
  collection.close();
  t.same(openDescriptors(), before);
  t.end();
});

interface Module {
  load(options?: GeneratedOptions<unknown, unknown>): GeneratedCollection<
    { reserve: BpfProgram; output: BpfProgram; sample: BpfProgram; drain: BpfProgram },
    { values: TypedHash<number, Event> },
    {
      initial: TypedVariable<Route>;
      title: ReadOnlyVariable<{ id: number; name: string }>;
      records: TypedVariable<bigint>;
      sum: TypedVariable<bigint>;
      exact: TypedVariable<bigint>;
    },
    {
      events: EventSource<Event>;
      routes: EventSource<Route>;
      samples: PerfEventSource<Event>;
      commands: EventSink<Event>;
    }
  >;
}

t.test('by a generated module', async (t) => {
  const folder = t.testdir({});
  copyFileSync(path, join(folder, 'flexible.bpf.o'));
  const output = join(folder, 'flexible.ts');
  const text = planGeneration(join(folder, 'flexible.bpf.o'), { output }).generate();
  writeFileSync(join(folder, 'flexible.js'), withoutTypes(text));
  const { load } = (await import(pathToFileURL(join(folder, 'flexible.js')).href)) as Module;
  using loaded = load();
  const { events, programs, variables, maps } = loaded;

  run(programs.reserve, packetOf(0));
  for (const length of [0, 1, 4, MOST]) run(programs.output, packetOf(length));
  const read: Event[] = [];
  events.events.drain((event) => read.push(event));
  t.same(
    read.map(({ data }) => data.length),
    [0, 3, 4, 5, MOST, 0, 1, 4, MOST],
  );
  t.same(read.at(-1)?.data, sentIn(packetOf(MOST), MOST));
  events.routes.drain((route) => {
    t.same(route, { count: 2, hops });
  });
  run(programs.output, packetOf(9));
  using inPlace = events.events.openInPlace({ decode: ({ data }) => data });
  inPlace.drain((data) => {
    t.same(data, sentIn(packetOf(9), 9));
  });

  events.samples.reader.drain(() => undefined);
  // With the 4 bytes of its size a sample of 12 + 8 bytes needs no padding.
  run(programs.sample, packetOf(8));
  events.samples.drain(({ event: { length, data } }) => {
    t.same([length, data.length], [8, 8]);
    t.same(data, sentIn(packetOf(8), 8));
  });

  t.ok(events.commands.send({ time: 1, length: 60, data: bytesOf(60) }));
  t.ok(events.commands.send({ time: 1, length: 2, data: '0a0b' }));
  t.ok(events.commands.send({ time: 1, length: 0 }), 'what was sent before is not in it');
  t.equal(programs.drain.testRun({ data: packetOf(0) }).returnValue, 3);
  t.same(
    [variables.records.get(), variables.sum.get(), variables.exact.get()],
    [3n, BigInt((59 * 60) / 2 + 21), 3n],
  );

  t.same(variables.initial.get(), { count: 2, hops });
  t.same(variables.title.get(), { id: 7, name: 'flexible' });
  variables.initial.set({ count: 0, hops: [hops[1]!] });
  t.same(variables.initial.get().hops, [hops[1], { port: 0, ttl: 0, weight: 0 }]);
  maps.values.set(1, { time: 5 });
  t.same(maps.values.get(1), { time: 5n, length: 0, data: new Uint8Array(0) });
});
