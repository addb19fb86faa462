/** What every family of maps does, and what each does alone, against what bpftool sees in the same maps. */
import { execFileSync } from 'node:child_process';
import { openSync, closeSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import t, { type Test } from 'tap';
import {
  ArrayMap,
  BloomFilter,
  BpfMap,
  CgroupArray,
  Collection,
  CpuMap,
  DeviceMap,
  HashMap,
  LocalStorage,
  LpmTrie,
  MapOfMaps,
  MappedArray,
  MapType,
  ObjectFile,
  PerCpuMap,
  ProgramArray,
  Queue,
  SocketMap,
  type KeyedMap,
} from '../../src/index.ts';
import { Feature, isSupported } from '../../src/features/index.ts';
import { readBatches, stepKeys } from '../../src/maps/map-reading.ts';
import { errno, systemKernel } from '../../src/sys/index.ts';
import {
  BPF_F_MMAPABLE,
  BPF_F_NO_PREALLOC,
  BPF_MAP_DELETE_BATCH,
  BPF_MAP_GET_NEXT_KEY,
  BPF_MAP_LOOKUP_AND_DELETE_BATCH,
  BPF_MAP_LOOKUP_AND_DELETE_ELEM,
  BPF_MAP_LOOKUP_BATCH,
  BPF_MAP_UPDATE_BATCH,
  BPF_MAP_UPDATE_ELEM,
} from '../../src/uapi/index.ts';
import { Compiler, whyNotCompile } from '../helpers/compile.ts';
import { openDescriptors } from '../helpers/open-descriptors.ts';
import { PartialKernel } from '../helpers/partial-kernel.ts';
import { RecordingKernel } from '../helpers/recording-kernel.ts';
import { thrown } from '../helpers/thrown.ts';

if (process.getuid?.() !== 0) {
  t.plan(0, 'maps need root');
  process.exit(0);
}

const before = openDescriptors();
const kernel = systemKernel();
const cpus = kernel.possibleCpus();

type AnyMap = KeyedMap<unknown, unknown, unknown, unknown>;

/** A family of maps that keep values under keys, and how to make entries of it. */
interface Family {
  readonly name: string;
  readonly options: { type: number; keySize: number; valueSize: number; maxEntries: number; flags?: number };
  readonly wrap: (map: BpfMap) => AnyMap;
  readonly key: (index: number) => unknown;
  readonly value: (number: number) => unknown;
  /** Entries can be removed. An array has all of its from the start. */
  readonly removable: boolean;
  readonly takes: boolean;
}

const bytes = (number: number, size: number): Uint8Array => {
  const made = new Uint8Array(size).fill(0xa0 + (number % 16));
  new DataView(made.buffer).setUint32(0, number, true);
  return made;
};
const ofAllCpus = (number: number, size: number): Uint8Array[] =>
  Array.from({ length: cpus }, (_, cpu) => bytes(number * 256 + cpu, size));

const hash = {
  key: (index: number) => bytes(index, 6),
  value: (number: number) => bytes(number, 12),
  removable: true,
  takes: true,
};
const perCpuHash = { ...hash, value: (number: number) => ofAllCpus(number, 12) };
const sizes = { keySize: 6, valueSize: 12, maxEntries: 512 };

const families: readonly Family[] = [
  {
    ...hash,
    name: 'hash',
    options: { ...sizes, type: MapType.Hash },
    wrap: (map) => new HashMap(map),
  },
  {
    ...hash,
    name: 'hash without preallocation',
    options: { ...sizes, type: MapType.Hash, flags: BPF_F_NO_PREALLOC },
    wrap: (map) => map,
  },
  {
    ...hash,
    name: 'LRU hash',
    options: { ...sizes, type: MapType.LruHash },
    wrap: (map) => new HashMap(map),
  },
  {
    ...perCpuHash,
    name: 'per-CPU hash',
    options: { ...sizes, type: MapType.PerCpuHash },
    wrap: (map) => new PerCpuMap(map),
  },
  {
    ...perCpuHash,
    name: 'per-CPU LRU hash',
    options: { ...sizes, type: MapType.LruPerCpuHash },
    wrap: (map) => new PerCpuMap(map),
  },
  {
    name: 'array',
    options: { type: MapType.Array, keySize: 4, valueSize: 12, maxEntries: 40 },
    wrap: (map) => new ArrayMap(map),
    key: (index) => index,
    value: (number) => bytes(number, 12),
    removable: false,
    takes: false,
  },
  {
    name: 'per-CPU array',
    options: { type: MapType.PerCpuArray, keySize: 4, valueSize: 12, maxEntries: 40 },
    wrap: (map) => new PerCpuMap(map),
    key: (index) => bytes(index, 4),
    value: (number) => ofAllCpus(number, 12),
    removable: false,
    takes: false,
  },
  {
    name: 'trie of IPv4 prefixes',
    options: {
      type: MapType.LpmTrie,
      keySize: 8,
      valueSize: 12,
      maxEntries: 512,
      flags: BPF_F_NO_PREALLOC,
    },
    wrap: (map) => LpmTrie.ofAddresses(map),
    key: (index) => ({ address: `10.0.${index >> 8}.${index & 255}`, prefixLength: 32 }),
    value: (number) => bytes(number, 12),
    removable: true,
    takes: false,
  },
];

interface Dumped {
  readonly key: readonly string[];
  readonly value?: readonly string[];
  readonly values?: readonly { readonly cpu: number; readonly value: readonly string[] }[];
}

function dump(map: BpfMap): Dumped[] {
  const args = ['-j', 'map', 'dump', 'id', String(map.info().id)];
  return JSON.parse(execFileSync('bpftool', args, { encoding: 'utf8' })) as Dumped[];
}

const plain = (value: unknown): unknown =>
  value instanceof Uint8Array ? [...value] : Array.isArray(value) ? value.map(plain) : value;
const fromHex = (texts: readonly string[]): number[] => texts.map(Number);
const sorted = (values: readonly unknown[]): string[] => values.map((one) => JSON.stringify(one)).sort();

/** Keys and values, as the two of them see them. */
function sameAsBpftool(map: BpfMap, entries: readonly (readonly [unknown, unknown])[]): [string[], string[]] {
  const ours = entries.map(([, value]) => plain(value));
  const theirs = dump(map).map(({ value, values }) =>
    value ? fromHex(value) : values?.map((one) => fromHex(one.value)),
  );
  return [sorted(ours), sorted(theirs)];
}

const BATCHES = [
  BPF_MAP_LOOKUP_BATCH,
  BPF_MAP_LOOKUP_AND_DELETE_BATCH,
  BPF_MAP_UPDATE_BATCH,
  BPF_MAP_DELETE_BATCH,
];

for (const family of families) {
  const kernels: [string, PartialKernel | undefined][] = [
    ['', undefined],
    [' without batches for it', new PartialKernel(BATCHES, errno.ENOTSUPP)],
    [' before there were batches', new PartialKernel(BATCHES, errno.EINVAL)],
  ];
  for (const [where, partial] of kernels) {
    t.test(`${family.name}${where}`, (t) => {
      using handle = BpfMap.create(
        { ...family.options, name: 'family' },
        partial === undefined ? {} : { kernel: partial },
      );
      contract(t, { handle, map: family.wrap(handle), family, batches: partial === undefined });
      t.end();
    });
  }
}

function contract(
  t: Test,
  { handle, map, family, batches }: { handle: BpfMap; map: AnyMap; family: Family; batches: boolean },
): void {
  const { key, value, removable } = family;
  const count = 40;
  const wanted = Array.from(
    { length: count },
    (_, index) => [key(index), value(index + 1)] as [unknown, unknown],
  );
  if (removable) t.equal(map.get(key(0)), undefined, 'nothing is there at first');
  t.equal(map.has(key(0)), !removable);
  t.equal(map.setMany(wanted), count);
  t.same(map.get(key(3)), value(4));
  t.same(map.getMany([key(3), key(0)]), [value(4), value(1)]);
  t.same(sorted([...map.entries()].map(plain)), sorted(wanted.map(plain)), 'all entries, each once');
  t.same(sorted([...map.keys()].map(plain)), sorted(wanted.map(([one]) => plain(one))));
  t.same(sorted([...map.values()].map(plain)), sorted(wanted.map(([, one]) => plain(one))));
  t.same([...map].length, count);
  t.equal([...map.keyBytes()].length, count);
  const [ours, theirs] = sameAsBpftool(handle, [...map.entries()]);
  t.same(ours, theirs, 'as bpftool dumps them');
  map.set(key(5), value(77), { mode: 'existing' });
  t.same(map.get(key(5)), value(77));
  t.match(
    thrown(() => {
      map.set(key(5), value(1), { mode: 'new' });
    }),
    { errnoName: 'EEXIST' },
  );
  t.equal(
    map.setMany(
      [
        [key(5), value(6)],
        [key(6), value(7)],
      ],
      { mode: 'existing' },
    ),
    2,
    'a mode goes one by one',
  );
  if (removable) remove(t, { map, family, count, batches });
  else {
    t.match(
      thrown(() => map.delete(key(1))),
      { errnoName: 'EINVAL' },
    );
  }
  handle.close();
  t.equal(thrown(() => map.get(key(0))).code, 'CLOSED');
  t.equal(thrown(() => [...map]).code, 'CLOSED');
  t.equal(thrown(() => map.setMany(wanted)).code, 'CLOSED');
}

function remove(
  t: Test,
  { map, family, count, batches }: { map: AnyMap; family: Family; count: number; batches: boolean },
): void {
  const { key, value } = family;
  t.match(
    thrown(() => {
      map.set(key(count), value(1), { mode: 'existing' });
    }),
    { errnoName: 'ENOENT' },
  );
  t.equal(map.delete(key(0)), true);
  t.equal(map.delete(key(0)), false);
  const some = [key(1), key(0), key(2), key(300), key(3), key(301)];
  t.equal(map.deleteMany(some), 3, 'keys that are not there are passed over');
  t.equal([...map].length, count - 4);
  if (!family.takes) {
    t.equal(
      thrown(() => map.take(key(4))).message,
      'Cannot take from map family: maps of type lpm_trie have no BPF_MAP_LOOKUP_AND_DELETE_ELEM',
    );
    return;
  }
  t.same(map.take(key(4)), value(5));
  t.equal(map.take(key(4)), undefined);
  const some2 = map.takeMany({ limit: 3 });
  t.equal(some2.length, 3);
  if (!batches) {
    t.match(
      thrown(() => map.takeMany()),
      {
        code: 'UNSUPPORTED_FEATURE',
        message: 'Cannot take from map family: this kernel has no taking by batches (since Linux 5.6)',
      },
    );
    return;
  }
  const rest = map.takeMany();
  t.equal(rest.length, count - 8);
  t.same([...map], []);
  t.same(
    sorted([...some2, ...rest].map(plain)),
    sorted(Array.from({ length: count - 5 }, (_, index) => plain([key(index + 5), value(index + 6)]))),
    'each was taken once, with its value',
  );
}

t.test('reading by batches that are too small for a bucket', (t) => {
  using map = BpfMap.create({ type: MapType.Hash, keySize: 4, valueSize: 4, maxEntries: 2000 });
  map.setMany(Array.from({ length: 2000 }, (_, index) => [bytes(index, 4), bytes(index, 4)] as const));
  const seen = new Set<number>();
  let steps = 0;
  for (const { keys, values, count } of readBatches(map.calls, {
    command: 'BPF_MAP_LOOKUP_BATCH',
    capacity: 1,
  })) {
    steps++;
    for (let index = 0; index < count; index++) {
      seen.add(keys.getUint32(index * 4, true));
      if (keys.getUint32(index * 4, true) !== values.getUint32(index * 4, true))
        t.fail('another one’s value');
    }
  }
  t.equal(seen.size, 2000, 'the room grows until a bucket fits');
  t.ok(steps > 100);
  t.end();
});

t.test('entries that others add and delete while a map is read', (t) => {
  const partial = new PartialKernel(BATCHES, errno.ENOTSUPP);
  for (const kernelOf of [kernel, partial]) {
    using map = BpfMap.create(
      { type: MapType.Hash, keySize: 4, valueSize: 4, maxEntries: 600 },
      { kernel: kernelOf },
    );
    map.setMany(Array.from({ length: 400 }, (_, index) => [bytes(index, 4), bytes(index, 4)] as const));
    const stayed = new Set<number>();
    let fresh = 1000;
    for (const [key] of map) {
      const number = new DataView((key as Uint8Array).buffer).getUint32(0, true);
      if (number < 1000 && number % 2 === 0) stayed.add(number);
      // The one that was given out goes, or one that may come next; another one comes.
      map.delete(bytes(number % 2 === 1 ? number : ((number * 7 + 1) % 400) | 1, 4));
      if (fresh < 1150) map.set(bytes(fresh++, 4), bytes(0, 4));
    }
    t.equal(stayed.size, 200, 'what stays is seen');
  }
  t.end();
});

t.test('keys that never end', (t) => {
  const restless: RecordingKernel = new RecordingKernel((call) =>
    call.command === BPF_MAP_GET_NEXT_KEY ? 0 : restless.newDescriptor(),
  );
  using map = BpfMap.create(
    { type: MapType.Hash, keySize: 4, valueSize: 4, maxEntries: 10, name: 'restless' },
    { kernel: restless },
  );
  let count = 0;
  const error = thrown(() => {
    for (const _ of stepKeys(map.calls)) count++;
  });
  t.equal(count, 21);
  t.match(error, {
    code: 'MAP_ITERATION_ABORTED',
    map: 'restless',
    message:
      'Cannot read map restless to its end: its keys change faster than they are read, and the kernel starts over each time',
  });
  t.end();
});

t.test('several entries of which one does not fit', (t) => {
  for (const partial of [undefined, new PartialKernel(BATCHES, errno.ENOTSUPP)]) {
    using map = BpfMap.create(
      { type: MapType.Hash, keySize: 4, valueSize: 4, maxEntries: 3, name: 'small' },
      partial ? { kernel: partial } : {},
    );
    const entries = [1, 2, 3, 4, 5].map((number) => [bytes(number, 4), bytes(number, 4)] as const);
    const command = partial ? 'ELEM' : 'BATCH';
    t.match(
      thrown(() => map.setMany(entries)),
      {
        code: 'MAP_BATCH_FAILED',
        map: 'small',
        done: 3,
        message: `Cannot write entry 4 of those given for map small: bpf(BPF_MAP_UPDATE_${command}) failed with E2BIG (argument list too long); the 3 before it are written`,
        cause: { errnoName: 'E2BIG' },
      },
    );
    t.equal([...map].length, 3);
    map.freeze();
    t.match(
      thrown(() => map.setMany(entries)),
      { code: 'PERMISSION_DENIED' },
    );
    t.match(
      thrown(() => map.deleteMany([bytes(1, 4)])),
      { code: 'PERMISSION_DENIED' },
    );
  }
  t.end();
});

t.test('taking on a kernel without it', (t) => {
  const old = new PartialKernel([BPF_MAP_LOOKUP_AND_DELETE_ELEM], errno.ENOTSUPP);
  using map = BpfMap.create(
    { type: MapType.Hash, keySize: 4, valueSize: 4, maxEntries: 3, name: 'old' },
    { kernel: old },
  );
  map.set(bytes(1, 4), bytes(1, 4));
  for (const take of [() => map.take(bytes(1, 4)), () => map.takeMany({ limit: 1 })]) {
    t.match(thrown(take), {
      code: 'UNSUPPORTED_FEATURE',
      minKernel: '5.14',
      message: 'Cannot take from map old: this kernel has no taking from hashes (since Linux 5.14)',
    });
  }
  t.end();
});

t.test('calls about entries allocate no attribute each', (t) => {
  const counting = new PartialKernel([], 0);
  using map = BpfMap.create(
    { type: MapType.Hash, keySize: 4, valueSize: 4, maxEntries: 300 },
    { kernel: counting },
  );
  map.setMany(Array.from({ length: 300 }, (_, index) => [bytes(index, 4), bytes(index, 4)] as const));
  t.equal(counting.asked.get(BPF_MAP_UPDATE_BATCH), 1, 'one call writes them all');
  t.equal(counting.asked.get(BPF_MAP_UPDATE_ELEM), undefined);
  t.equal([...map].length, 300);
  t.ok((counting.asked.get(BPF_MAP_LOOKUP_BATCH) ?? 0) <= 2);
  t.equal(map.deleteMany(map.keys()), 300);
  t.equal(counting.asked.get(BPF_MAP_DELETE_BATCH), 1);
  t.end();
});

t.test('values of each CPU', (t) => {
  const types = [MapType.PerCpuArray, MapType.PerCpuHash];
  for (const type of types) {
    using handle = BpfMap.create({ type, keySize: 4, valueSize: 12, maxEntries: 2, name: 'per_cpu' });
    const map = new PerCpuMap(handle);
    t.equal(map.cpus, cpus);
    const key = bytes(1, 4);
    map.fill(key, bytes(9, 12));
    t.same(
      map.get(key),
      Array.from({ length: cpus }, () => bytes(9, 12)),
    );
    const first = (value: unknown): number => new DataView((value as Uint8Array).buffer).getUint32(0, true);
    t.equal(
      map.merge(key, { initial: 0, add: (sum, value, cpu) => sum + first(value) * (cpu + 1) }),
      (9 * cpus * (cpus + 1)) / 2,
    );
    t.equal(map.merge(bytes(77, 4), { initial: 0, add: (sum) => sum }), undefined);
    t.equal(
      thrown(() => map.sum(key)).message,
      'Cannot sum up map per_cpu: its values are __u8[12], and no integers',
    );
    if (isSupported(Feature.SingleCpuValues)) {
      map.setOf(key, bytes(5, 12), { cpu: cpus - 1 });
      t.same(map.getOf(key, { cpu: cpus - 1 }), bytes(5, 12));
      t.same(map.get(key)?.at(-1), bytes(5, 12));
      if (cpus > 1) t.same(map.getOf(key, { cpu: 0 }), bytes(9, 12));
    } else {
      t.equal(
        thrown(() => map.getOf(key, { cpu: 0 })).message,
        'Cannot read the value of CPU 0 of map per_cpu: this kernel has no access to the value of one CPU (since Linux 7.0)',
      );
      t.equal(
        thrown(() => {
          map.setOf(key, bytes(5, 12), { cpu: 0 });
        }).message,
        'Cannot write the value of CPU 0 to map per_cpu: this kernel has no access to the value of one CPU (since Linux 7.0)',
      );
    }
    t.match(
      thrown(() => map.getOf(key, { cpu: cpus })),
      { code: 'ARGUMENT_INVALID' },
    );
  }
  t.end();
});

t.test('prefixes', (t) => {
  const flags = BPF_F_NO_PREALLOC;
  using v4 = BpfMap.create({
    type: MapType.LpmTrie,
    keySize: 8,
    valueSize: 4,
    maxEntries: 16,
    flags,
    name: 'v4',
  });
  const routes = LpmTrie.ofAddresses(v4);
  routes.set({ address: '10.0.0.0', prefixLength: 8 }, bytes(8, 4));
  routes.set('10.1.0.0/16', bytes(16, 4));
  routes.set('10.1.2.3', bytes(32, 4));
  t.same(routes.get('10.1.2.3'), bytes(32, 4));
  t.same(routes.get('10.1.2.4'), bytes(16, 4));
  t.same(routes.get({ address: '10.200.0.1', prefixLength: 32 }), bytes(8, 4));
  t.equal(routes.get('11.0.0.0'), undefined);
  t.same([...routes.keys()].map(({ address, prefixLength }) => `${address}/${prefixLength}`).sort(), [
    '10.0.0.0/8',
    '10.1.0.0/16',
    '10.1.2.3/32',
  ]);
  t.same(
    dump(v4)
      .map(({ key }) => fromHex(key))
      .sort((left, right) => left[0]! - right[0]!),
    [
      [8, 0, 0, 0, 10, 0, 0, 0],
      [16, 0, 0, 0, 10, 1, 0, 0],
      [32, 0, 0, 0, 10, 1, 2, 3],
    ],
  );
  t.equal(routes.delete('10.1.0.0/16'), true);
  t.same(routes.get('10.1.2.4'), bytes(8, 4));
  using v6 = BpfMap.create({
    type: MapType.LpmTrie,
    keySize: 20,
    valueSize: 4,
    maxEntries: 16,
    flags,
    name: 'v6',
  });
  const wide = LpmTrie.ofAddresses(v6);
  wide.set('2001:db8::/32', bytes(1, 4));
  wide.set('10.0.0.0/8', bytes(2, 4));
  t.same(wide.get('2001:db8:1::5'), bytes(1, 4));
  t.same(wide.get('10.9.9.9'), bytes(2, 4), 'IPv4 lies within IPv6');
  t.same(
    [...wide.keys()].sort((a, b) => a.prefixLength - b.prefixLength),
    [
      { address: '2001:db8::', prefixLength: 32 },
      { address: '::ffff:10.0.0.0', prefixLength: 104 },
    ],
  );
  const raw = LpmTrie.ofBytes(v4);
  t.same(raw.get({ prefixLength: 32, data: Uint8Array.of(10, 1, 2, 3) }), bytes(32, 4));
  const cases: [string, () => unknown, string][] = [
    [
      'too long',
      () => routes.get('10.0.0.0/33'),
      'Cannot store a prefix length of 33 as an IPv4 prefix: it must be between 0 and 32',
    ],
    [
      'no length',
      () => routes.get('10.0.0.0/x'),
      'Cannot store a prefix length of NaN as an IPv4 prefix: it must be between 0 and 32',
    ],
    [
      'no room',
      () => routes.get('2001:db8::1'),
      'Cannot store 2001:db8::1 as an IPv4 prefix: the keys have no room for IPv6',
    ],
    [
      'no address',
      () => routes.get('localhost'),
      'Cannot use "localhost" as an IP address: it is neither IPv4 nor IPv6',
    ],
    [
      'no bytes',
      () => raw.get({ prefixLength: 8, data: new Uint8Array(3) }),
      'Cannot store a prefix as a prefix of 4 bytes: it needs data, a Uint8Array of 4 bytes',
    ],
  ];
  for (const [what, action, message] of cases) t.equal(thrown(action).message, message, what);
  t.end();
});

t.test('a queue and a stack', (t) => {
  for (const type of [MapType.Queue, MapType.Stack]) {
    using map = BpfMap.create({ type, keySize: 0, valueSize: 4, maxEntries: 3, name: 'waiting' });
    const queue = new Queue(map);
    const order = (numbers: number[]): number[] => (type === MapType.Stack ? numbers.reverse() : numbers);
    t.equal(queue.pop(), undefined);
    t.equal(queue.peek(), undefined);
    for (const number of [1, 2, 3]) t.equal(queue.push(bytes(number, 4)), true);
    t.equal(queue.push(bytes(4, 4)), false, 'a full one refuses');
    t.same(queue.peek(), bytes(order([1, 2, 3])[0]!, 4));
    const peeked = JSON.parse(
      execFileSync('bpftool', ['-j', 'map', 'peek', 'id', String(map.info().id)], { encoding: 'utf8' }),
    ) as { value: string[] };
    t.same(fromHex(peeked.value), [...(queue.peek() as Uint8Array)]);
    t.equal(queue.push(bytes(5, 4), { whenFull: 'drop' }), true);
    const left = queue.popMany({ limit: 2 });
    t.same(
      left,
      order(type === MapType.Stack ? [3, 5] : [2, 3]).map((number) => bytes(number, 4)),
      'the oldest has gone',
    );
    t.equal(queue.popMany().length, 1);
    t.same(queue.popMany(), []);
  }
  t.end();
});

t.test('a bloom filter', (t) => {
  using map = BpfMap.create({
    type: MapType.BloomFilter,
    keySize: 0,
    valueSize: 4,
    maxEntries: 1000,
    extra: 5n,
  });
  const filter = new BloomFilter(map);
  for (let number = 0; number < 500; number++) filter.add(bytes(number, 4));
  let wrong = 0;
  for (let number = 0; number < 500; number++) if (!filter.has(bytes(number, 4))) t.fail('one was lost');
  for (let number = 1000; number < 2000; number++) if (filter.has(bytes(number, 4))) wrong++;
  t.ok(wrong < 200, `${wrong} of 1000 are taken for others`);
  t.end();
});

t.test('maps of maps', (t) => {
  const inner = { type: MapType.Array, keySize: 4, valueSize: 8, maxEntries: 2 };
  using template = BpfMap.create(inner);
  for (const type of [MapType.ArrayOfMaps, MapType.HashOfMaps]) {
    using outer = BpfMap.create({
      type,
      keySize: 4,
      valueSize: 4,
      maxEntries: 4,
      innerMap: template,
      name: 'outer',
    });
    const maps = new MapOfMaps(outer);
    const one = BpfMap.create(inner);
    const { id } = one.info();
    maps.set(bytes(2, 4), one);
    one.close();
    t.equal(maps.id(bytes(2, 4)), id, 'it lives on in the map');
    t.same([...maps], [[bytes(2, 4), id]]);
    using again = BpfMap.fromId(id);
    again.set(bytes(1, 4), bytes(1, 8));
    using other = BpfMap.create({ ...inner, valueSize: 16 });
    t.match(
      thrown(() => {
        maps.set(bytes(1, 4), other);
      }),
      { errnoName: 'EINVAL' },
      'another size does not fit',
    );
    t.equal(maps.delete(bytes(2, 4)), true);
    t.equal(maps.id(bytes(2, 4)), undefined);
  }
  t.end();
});

t.test('redirects: interfaces and CPUs', (t) => {
  for (const type of [MapType.DevMap, MapType.DevMapHash]) {
    using map = BpfMap.create({ type, keySize: 4, valueSize: 8, maxEntries: 4, name: 'ports' });
    const ports = new DeviceMap(map);
    ports.set(1, { target: 1 });
    t.same(ports.get(1), { target: 1, programId: 0 });
    t.same([...ports], [[1, { target: 1, programId: 0 }]]);
    t.match(
      thrown(() => {
        ports.set(2, { target: 0x7fff_ffff });
      }),
      { errnoName: 'EINVAL' },
    );
    t.equal(ports.delete(1), true);
    t.equal(ports.get(1), undefined);
  }
  using plainMap = BpfMap.create({ type: MapType.CpuMap, keySize: 4, valueSize: 4, maxEntries: cpus });
  const queues = new CpuMap(plainMap);
  queues.set(0, { target: 192 });
  t.same(queues.get(0), { target: 192, programId: 0 });
  t.equal(
    thrown(() => {
      queues.set(0, { target: 192, program: 3 });
    }).message,
    "Cannot store a program in bpf_cpumap_val: the map's values have 4 bytes, and 8 are needed",
  );
  t.end();
});

t.test('sockets', async (t) => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.close();
  });
  const fd = descriptorOfServer(server);
  using map = BpfMap.create({
    type: MapType.SockHash,
    keySize: 4,
    valueSize: 8,
    maxEntries: 4,
    name: 'sockets',
  });
  const sockets = new SocketMap(map);
  t.equal(sockets.cookie(bytes(1, 4)), undefined);
  sockets.set(bytes(1, 4), fd);
  const cookie = sockets.cookie(bytes(1, 4));
  t.ok(cookie !== undefined && cookie > 0n);
  t.equal(sockets.delete(bytes(1, 4)), true);
  using narrow = BpfMap.create({
    type: MapType.SockMap,
    keySize: 4,
    valueSize: 4,
    maxEntries: 4,
    name: 'narrow',
  });
  t.equal(
    thrown(() => new SocketMap(narrow).cookie(bytes(0, 4))).message,
    "Cannot read map narrow: its values have 4 bytes, and a socket's cookie has 8",
  );
});

function descriptorOfServer(server: Server): number {
  return (server as unknown as { _handle: { fd: number } })._handle.fd;
}

t.test('an array of cgroups', (t) => {
  const folder = ['/sys/fs/cgroup/unified', '/sys/fs/cgroup'].flatMap((path) => {
    const fd = openDirectory(path);
    return fd === undefined ? [] : [fd];
  });
  using map = BpfMap.create({ type: MapType.CgroupArray, keySize: 4, valueSize: 4, maxEntries: 2 });
  const cgroups = new CgroupArray(map);
  cgroups.set(1, folder[0]!);
  t.equal(cgroups.delete(1), true);
  t.equal(cgroups.delete(1), false);
  t.match(
    thrown(() => {
      cgroups.set(0, map);
    }),
    { errnoName: 'EBADF' },
  );
  for (const fd of folder) closeSync(fd);
  t.end();
});

function openDirectory(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return undefined;
  }
}

t.test('a family takes maps of its types alone', (t) => {
  using map = BpfMap.create({ type: MapType.Hash, keySize: 4, valueSize: 4, maxEntries: 1, name: 'flows' });
  const cases: [string, () => unknown][] = [
    ['a queue or a stack', () => new Queue(map)],
    ['an array', () => new ArrayMap(map)],
    ['a map with a value for each CPU', () => new PerCpuMap(map)],
    ['a trie of prefixes', () => LpmTrie.ofAddresses(map)],
    ['a bloom filter', () => new BloomFilter(map)],
    ['a map of maps', () => new MapOfMaps(map)],
    ['an array of programs', () => new ProgramArray(map)],
    ['a map of interfaces', () => new DeviceMap(map)],
    ['storage of sockets, inodes, tasks or cgroups', () => new LocalStorage(map)],
    ['an array in memory', () => new MappedArray(map)],
  ];
  for (const [as, make] of cases)
    t.equal(thrown(make).message, `Cannot use map flows as ${as}: its type is hash`);
  t.end();
});

t.test('an array in memory', (t) => {
  const options = { type: MapType.Array, keySize: 4, valueSize: 12, maxEntries: 1000, name: 'counters' };
  using map = BpfMap.create({ ...options, flags: BPF_F_MMAPABLE });
  const array = new MappedArray(map);
  const entries = new ArrayMap(map);
  t.equal(array.length, 1000);
  for (const index of [0, 1, 511, 999]) {
    array.set(index, bytes(index + 1, 12));
    t.same(entries.get(index), bytes(index + 1, 12), 'a call reads what was written to memory');
    entries.set(index, bytes(index + 2, 12));
    t.same(array.get(index), bytes(index + 2, 12), 'and the other way round');
  }
  t.same([...array].length, 1000);
  const number = bytes(0, 12);
  new DataView(number.buffer).setBigUint64(0, 2n ** 40n + 5n, true);
  entries.set(7, number);
  t.equal(array.count(7), 2 ** 40 + 5);
  const failures: [string, () => unknown, string][] = [
    ['past the end', () => array.get(1000), 'OUT_OF_BOUNDS'],
    ['before the start', () => array.get(-1), 'OUT_OF_BOUNDS'],
    ['between', () => array.get(0.5), 'OUT_OF_BOUNDS'],
    ['a counter across elements', () => array.count(0, 16), 'OUT_OF_BOUNDS'],
    ['a counter that is not aligned', () => array.count(0, 4), 'OUT_OF_BOUNDS'],
    [
      'a value that does not fit',
      () => {
        array.set(0, bytes(0, 4));
      },
      'VALUE_INVALID',
    ],
  ];
  for (const [what, action, code] of failures) t.equal(thrown(action).code, code, what);
  const value = array.get(0) as Uint8Array;
  value.fill(0xff);
  t.notSame(array.get(0), value, 'what is read is a copy');
  t.match(
    thrown(() => {
      map.freeze();
    }),
    { errnoName: 'EBUSY' },
    'nobody freezes what is mapped for writing',
  );
  array.close();
  array.close();
  t.equal(thrown(() => array.get(0)).code, 'CLOSED');
  map.freeze();
  t.equal(thrown(() => new MappedArray(map)).code, 'PERMISSION_DENIED');
  const reader = new MappedArray(map, { writable: false });
  t.same(reader.get(1), bytes(3, 12));
  t.equal(
    thrown(() => {
      reader.set(0, bytes(0, 12));
    }).message,
    'Cannot write to map counters: it is mapped for reading alone',
  );
  map.close();
  t.equal(thrown(() => reader.count(0)).code, 'CLOSED', 'it closes with its map');
  using other = BpfMap.create(options);
  t.equal(
    thrown(() => new MappedArray(other)).message,
    'Cannot map counters into memory: it was created without BPF_F_MMAPABLE',
  );
  t.end();
});

const STORAGE = `
#include "check.h"
struct value { struct bpf_spin_lock lock; __u32 number; __u64 total; };
struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 4); __type(key, __u32); __type(value, struct value); } locked SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_SK_STORAGE); __uint(map_flags, BPF_F_NO_PREALLOC); __type(key, int); __type(value, __u64); } of_sockets SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY); __uint(max_entries, 2); __type(key, __u32); __type(value, __u64); } packets SEC(".maps");
char _license[] SEC("license") = "GPL";
`;

t.test('maps that need BTF', { skip: whyNotCompile() }, async (t) => {
  const compiler = new Compiler();
  t.teardown(() => {
    compiler.close();
  });
  using collection = Collection.load(ObjectFile.open(compiler.source('storage', STORAGE)));
  const locked = collection.map('locked');
  locked.set(1, { number: 5, total: 7n }, { lock: true });
  t.match(locked.get(1, { lock: true }), { number: 5, total: 7n });
  t.equal(locked.setMany([[2, { number: 6 }]], { lock: true }), 1);
  t.match(locked.take(2, { lock: true }), { number: 6 });
  t.match(
    thrown(() => collection.map('packets').get(0, { lock: true })),
    { errnoName: 'EINVAL' },
    'without a lock in its values',
  );
  const packets = new PerCpuMap<number, bigint>(collection.map('packets'));
  packets.set(
    1,
    Array.from({ length: cpus }, (_, cpu) => 2n ** 60n + BigInt(cpu)),
  );
  t.equal(packets.sum(1), 2n ** 60n * BigInt(cpus) + BigInt((cpus * (cpus - 1)) / 2));
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const storage = new LocalStorage(collection.map('of_sockets'));
  const fd = descriptorOfServer(server);
  t.equal(storage.get(fd), undefined);
  storage.set(fd, 5n, { mode: 'new' });
  t.equal(storage.get(fd), 5n);
  t.match(
    thrown(() => {
      storage.set(fd, 6n, { mode: 'new' });
    }),
    { errnoName: 'EEXIST' },
  );
  t.equal(storage.delete(fd), true);
  t.equal(storage.delete(fd), false);
  t.match(
    thrown(() => storage.get(collection.map('locked').fd)),
    { errnoName: 'ENOTSOCK' },
  );
  await new Promise((resolve) => server.close(resolve));
});

t.test('nothing stays open', (t) => {
  t.same(
    openDescriptors().filter((one) => one.includes('bpf')),
    before.filter((one) => one.includes('bpf')),
  );
  t.end();
});
