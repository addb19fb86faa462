/** What every family of maps does, against what bpftool sees in the same maps. */
import t, { type Test } from 'tap';
import {
  ArrayMap,
  BpfMap,
  HashMap,
  LpmTrie,
  MapType,
  PerCpuMap,
  type IpPrefix,
  type KeyedMap,
} from '../../src/index.ts';
import { batchCapacity } from '../../src/maps/map-batch.ts';
import { readBatches, stepKeys } from '../../src/maps/map-reading.ts';
import { errno, systemKernel } from '../../src/sys/index.ts';
import {
  BPF_F_NO_PREALLOC,
  BPF_MAP_DELETE_BATCH,
  BPF_MAP_GET_NEXT_KEY,
  BPF_MAP_LOOKUP_AND_DELETE_BATCH,
  BPF_MAP_LOOKUP_AND_DELETE_ELEM,
  BPF_MAP_LOOKUP_BATCH,
  BPF_MAP_UPDATE_BATCH,
  BPF_MAP_UPDATE_ELEM,
  bpf_attr_batch,
} from '../../src/uapi/index.ts';
import { bytes, dump, fromHex } from '../helpers/map-entries.ts';
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

const plain = (value: unknown): unknown =>
  value instanceof Uint8Array ? [...value] : Array.isArray(value) ? value.map(plain) : value;
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

t.test('a trie of several batches whose prefixes are deleted as they come', (t) => {
  const count = 10_000;
  const options = {
    type: MapType.LpmTrie,
    keySize: 8,
    valueSize: 4,
    maxEntries: count,
    flags: BPF_F_NO_PREALLOC,
    name: 'prefixes',
  };
  const filled = (): LpmTrie<IpPrefix, Uint8Array> => {
    const trie = LpmTrie.ofAddresses<Uint8Array>(BpfMap.create(options));
    const address = (index: number): string => `10.${index >> 8}.${index & 255}.0/24`;
    trie.setMany(Array.from({ length: count }, (_, index) => [address(index), bytes(index, 4)] as const));
    return trie;
  };
  using small = BpfMap.create(options);
  const batchSize = batchCapacity(small.calls);
  t.ok(count > 2 * batchSize, 'it has three batches');
  const deletions: readonly (readonly [string, (index: number) => boolean])[] = [
    ['the last one of each batch', (index) => (index + 1) % batchSize === 0],
    ['every one', () => true],
  ];
  for (const [name, deletes] of deletions) {
    const trie = filled();
    const seen: string[] = [];
    for (const key of trie.keys()) {
      if (deletes(seen.length) && !trie.delete(key)) t.fail('it was there');
      seen.push(key.address);
      if (seen.length > count * 3) break;
    }
    t.equal(seen.length, count, name);
    t.equal(new Set(seen).size, count, 'each came once');
    trie.map.close();
  }
  t.end();
});

t.test('batches that never end', (t) => {
  const restless: RecordingKernel = new RecordingKernel(({ command }) =>
    command === BPF_MAP_LOOKUP_BATCH ? 0 : restless.newDescriptor(),
  );
  using map = BpfMap.create(
    { type: MapType.LpmTrie, keySize: 8, valueSize: 4, maxEntries: 10, name: 'restless' },
    { kernel: restless },
  );
  for (const walk of [() => map.keyBytes(), () => map.entries()]) {
    let count = 0;
    const error = thrown(() => {
      for (const _ of walk()) count++;
    });
    t.equal(count, 20);
    t.match(error, { code: 'MAP_ITERATION_ABORTED', map: 'restless' });
  }
  t.end();
});

t.test('a batch that is interrupted', (t) => {
  // As before Linux 6.15 where a key is gone between being found and being read: what was copied by then counts.
  let asked = 0;
  const interrupting: RecordingKernel = new RecordingKernel(({ command }, attribute) => {
    if (command !== BPF_MAP_LOOKUP_BATCH) return interrupting.newDescriptor();
    const view = new DataView(attribute.buffer, attribute.byteOffset);
    const [result, count] = [
      [-errno.EINTR, 2],
      [-errno.EINTR, 0],
      [-errno.EINTR, 3],
      [-errno.ENOENT, 1],
    ][asked++]!;
    view.setUint32(bpf_attr_batch.offsets.count, count!, true);
    return result!;
  });
  for (const type of [MapType.LpmTrie, MapType.PerCpuArray]) {
    asked = 0;
    using map = BpfMap.create({ type, keySize: 8, valueSize: 8, maxEntries: 6 }, { kernel: interrupting });
    t.equal([...map.keyBytes()].length, 6);
    t.equal(asked, 4);
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
        message: `Cannot write entry 4 of those given for map small: it is full, with 3 entries (E2BIG); the 3 before it are written`,
        cause: { call: `bpf(BPF_MAP_UPDATE_${command})`, errnoName: 'E2BIG' },
      },
    );
    t.equal([...map].length, 3);
    map.freeze();
    t.match(
      thrown(() => map.setMany(entries)),
      {
        code: 'SYSCALL_FAILED',
        errnoName: 'EPERM',
        message: /: it is frozen, so that user space can only read it \(EPERM\)$/,
      },
    );
    t.match(
      thrown(() => map.deleteMany([bytes(1, 4)])),
      {
        code: 'SYSCALL_FAILED',
        errnoName: 'EPERM',
        message: /: it is frozen, so that user space can only read it \(EPERM\)$/,
      },
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

t.test('nothing stays open', (t) => {
  t.same(
    openDescriptors().filter((one) => one.includes('bpf')),
    before.filter((one) => one.includes('bpf')),
  );
  t.end();
});
