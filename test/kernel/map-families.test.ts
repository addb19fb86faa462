/** What each family of maps does alone, against what bpftool sees in the same maps. */
import { execFileSync } from 'node:child_process';
import { openSync, closeSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import t from 'tap';
import {
  ArrayMap,
  BloomFilter,
  BpfMap,
  CgroupArray,
  Collection,
  CpuMap,
  DeviceMap,
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
} from '../../src/index.ts';
import { Feature, isSupported } from '../../src/features/index.ts';
import { systemKernel } from '../../src/sys/index.ts';
import { BPF_F_MMAPABLE, BPF_F_NO_PREALLOC } from '../../src/uapi/index.ts';
import { Compiler, whyNotCompile } from '../helpers/compile.ts';
import { bytes, dump, fromHex } from '../helpers/map-entries.ts';
import { openDescriptors } from '../helpers/open-descriptors.ts';
import { thrown } from '../helpers/thrown.ts';

if (process.getuid?.() !== 0) {
  t.plan(0, 'maps need root');
  process.exit(0);
}

const before = openDescriptors();
const kernel = systemKernel();
const cpus = kernel.possibleCpus();

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
