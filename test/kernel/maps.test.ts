/** Maps in the kernel: typed keys and values, against what bpftool reads of the same maps. */
import { execFileSync } from 'node:child_process';
import t from 'tap';
import { BpfMap, Collection, MapType, ObjectFile } from '../../src/index.ts';
import { Compiler, whyNotCompile } from '../helpers/compile.ts';
import { openDescriptors } from '../helpers/open-descriptors.ts';
import { thrown } from '../helpers/thrown.ts';

const missing = process.getuid?.() === 0 ? whyNotCompile() : 'maps need root';
if (missing !== false) {
  t.plan(0, missing);
  process.exit(0);
}

const compiler = new Compiler();
const path = compiler.fixture('maps');
const before = openDescriptors();
const object = ObjectFile.open(path);
const collection = Collection.load(object);
const cpus = collection.map('per_cpu').kernel.possibleCpus();
t.teardown(() => {
  compiler.close();
});

interface Dumped {
  formatted: { key: unknown; value?: unknown; values?: { cpu: number; value: unknown }[] };
}

/** Keys and values as bpftool formats them by the BTF that the kernel keeps of the map. */
function dump(map: BpfMap): Dumped['formatted'][] {
  const output = execFileSync('bpftool', ['-j', 'map', 'dump', 'id', String(map.info().id)], {
    encoding: 'utf8',
  });
  return (JSON.parse(output) as Dumped[]).map(({ formatted }) => formatted);
}

const flow = (port: number): unknown => ({ address: 0x0a000001, port, reserved: 0 });
const value = {
  packets: 2n ** 40n,
  balance: -7,
  color: 'GREEN',
  name: 'eth0',
  mac: Uint8Array.of(2, 0, 0, 0, 0, 0x0b),
  active: true,
  low: 3,
  high: 0xabc,
};

t.test('a hash of structs', (t) => {
  const flows = collection.map('flows');
  t.same(flows.typeNames, { key: 'struct key', value: 'struct value' });
  t.equal(flows.get(flow(443)), undefined);
  flows.set(flow(443), value);
  t.same(flows.get(flow(443)), value);
  const [entry] = dump(flows);
  t.same(entry?.key, flow(443));
  t.match(entry?.value, {
    packets: 2 ** 40,
    balance: -7,
    color: 'GREEN',
    name: 'eth0',
    mac: [2, 0, 0, 0, 0, 0x0b],
    active: true,
  });
  const { returnValue } = collection.program('fill').testRun({ data: new Uint8Array(64) });
  t.equal(returnValue, 0);
  t.same(
    flows.get(flow(443)),
    { ...value, mac: Uint8Array.of(0, 0, 0, 0, 0, 0x0b) },
    'as the program wrote it',
  );
  t.equal(flows.delete(flow(443)), true);
  t.equal(flows.delete(flow(443)), false);
  t.same([...flows.entries()], []);
  t.same(dump(flows), []);
  t.end();
});

t.test('an array, a per-CPU array, a per-CPU hash, an LRU hash', (t) => {
  const numbers = collection.map('numbers');
  for (let index = 0; index < 4; index++) numbers.set(index, BigInt(index) << 60n);
  t.same([...numbers.keys()], [0, 1, 2, 3]);
  t.same(
    [...numbers.entries()],
    [0, 1, 2, 3].map((index) => [index, BigInt(index) << 60n]),
  );
  t.same(
    dump(numbers).map(({ value }) => value),
    [0, 2 ** 60, 2 ** 61, 3 * 2 ** 60],
  );
  t.equal(numbers.get(4), undefined, 'behind the end there is nothing');
  t.match(
    thrown(() => numbers.delete(1)),
    { code: 'SYSCALL_FAILED', errnoName: 'EINVAL' },
    'an array keeps its entries',
  );

  const perCpu = collection.map('per_cpu');
  const values = Array.from({ length: cpus }, (_, cpu) => 100 + cpu);
  perCpu.set(0, values);
  t.same(perCpu.get(0), values);
  t.same(
    dump(perCpu)[0]?.values?.map(({ value }) => value),
    values,
  );
  const hash = collection.map('per_cpu_hash');
  const structs = values.map((address, port) => ({ address, port, reserved: 0 }));
  hash.set(200, structs);
  t.same(
    [...hash.entries()].filter(([key]) => key === 200),
    [[200, structs]],
  );
  t.same(
    dump(hash)
      .find(({ key }) => key === 200)
      ?.values?.map(({ value }) => value),
    structs,
  );
  t.equal(
    thrown(() => {
      perCpu.set(0, [1]);
    }).message,
    `Cannot store the value: an array of ${cpus} values is wanted, one for each CPU`,
  );

  const recent = collection.map('recent');
  recent.delete(0x1122334455667788n);
  for (let key = 0n; key < 1000n; key++) recent.set(key, Number(key));
  const kept = [...recent.entries()];
  t.ok(kept.length > 0 && kept.length <= 16, 'the least recently used ones have gone');
  t.ok(kept.every(([key, number]) => Number(key) === number));
  t.same(
    dump(recent)
      .map(({ key }) => key)
      .sort(),
    kept.map(([key]) => Number(key)).sort(),
  );
  t.end();
});

t.test('maps without types take and give bytes', (t) => {
  const untyped = collection.map('untyped');
  const key = Uint8Array.of(1, 2, 3, 4);
  untyped.set(key, new Uint8Array(12).fill(9));
  t.same(untyped.get(key), new Uint8Array(12).fill(9));
  t.same([...untyped.keys()], [key]);
  t.same(untyped.typeNames, { key: '__u8[4]', value: '__u8[12]' });
  const routes = collection.map('routes');
  routes.set(Uint8Array.of(8, 0, 0, 0, 10, 0, 0, 0), new Uint8Array(4).fill(1));
  t.same(
    routes.get(Uint8Array.of(32, 0, 0, 0, 10, 1, 2, 3)),
    new Uint8Array(4).fill(1),
    'the longest prefix',
  );
  t.match(
    thrown(() => {
      untyped.set(key.subarray(1), new Uint8Array(12));
    }),
    { code: 'VALUE_INVALID', message: 'Cannot store the value: 4 bytes are wanted, as a Uint8Array' },
  );
  t.end();
});

t.test('values that do not fit say where and why', (t) => {
  const flows = collection.map('flows');
  const cases: [what: string, key: unknown, value: unknown, message: string][] = [
    ['a key of another kind', 5, value, 'Cannot store 5 as struct key: it must be an object'],
    [
      'a key out of range',
      flow(65536),
      value,
      'Cannot store 65536 as __u16 at .port: it must be between 0 and 65535',
    ],
    [
      'an unknown field',
      flow(1),
      { color: 'GREEN', size: 1 },
      'Cannot store 1 as struct value at .size: there is no such field; there are packets, balance, color, name, mac, active, low, high',
    ],
    [
      'an unknown enumerator',
      flow(1),
      { color: 'PINK' },
      'Cannot store "PINK" as enum color at .color: it must be RED, GREEN, BLUE, or an integer',
    ],
    [
      'a bitfield out of range',
      flow(1),
      { low: 16 },
      'Cannot store 16 as __u16:4 at .low: it must be between 0 and 15',
    ],
  ];
  for (const [what, key, one, message] of cases) {
    const error = thrown(() => {
      flows.set(key, one);
    });
    t.equal(error.code, 'VALUE_INVALID', what);
    t.equal(error.message, message, what);
  }
  t.same([...flows.keys()], []);
  t.end();
});

t.test('new, existing and too many entries', (t) => {
  const untyped = collection.map('untyped');
  const key = (number: number): Uint8Array => Uint8Array.of(number, 0, 0, 0);
  const bytes = new Uint8Array(12);
  for (const stale of [...untyped.keys()]) untyped.delete(stale);
  const attempt = (number: number, mode?: 'new' | 'existing'): unknown => {
    try {
      untyped.set(key(number), bytes, mode ? { mode } : {});
      return 'written';
    } catch (error) {
      return (error as { errnoName: string }).errnoName;
    }
  };
  t.equal(attempt(1, 'existing'), 'ENOENT');
  t.equal(attempt(1, 'new'), 'written');
  t.equal(attempt(1, 'new'), 'EEXIST');
  t.equal(attempt(1, 'existing'), 'written');
  t.equal(attempt(2), 'written');
  t.equal(attempt(3), 'written');
  t.equal(attempt(4), 'E2BIG');
  t.equal(
    thrown(() => {
      untyped.setBytes(key(4), bytes);
    }).message,
    'Cannot write to map untyped: it is full, with 3 entries (E2BIG)',
  );
  t.end();
});

t.test('bytes of another number than the kernel reads never get there', (t) => {
  const numbers = collection.map('numbers');
  const perCpu = collection.map('per_cpu');
  const message = (map: BpfMap, key: Uint8Array, bytes: Uint8Array): string =>
    thrown(() => {
      map.setBytes(key, bytes);
    }).message;
  t.equal(
    message(numbers, new Uint8Array(3), new Uint8Array(8)),
    'Cannot write to map numbers: its key must be 4 bytes',
  );
  t.equal(
    message(numbers, new Uint8Array(4), new Uint8Array(7)),
    'Cannot write to map numbers: its value must be 8 bytes',
  );
  t.equal(
    message(perCpu, new Uint8Array(4), new Uint8Array(4)),
    `Cannot write to map per_cpu: its value must be ${8 * cpus} bytes`,
  );
  const { btf } = object;
  const [keyTypeId, valueTypeId] = [object.map('numbers').keyTypeId, object.map('numbers').valueTypeId];
  const open = openDescriptors();
  t.equal(
    thrown(() =>
      BpfMap.create(
        { type: MapType.Hash, keySize: 4, valueSize: 4096, maxEntries: 1, name: 'wide' },
        { types: { btf: btf!, keyTypeId, valueTypeId } },
      ),
    ).message,
    "Cannot use map wide: its value has 4096 bytes, and the value's type has 8",
  );
  t.same(openDescriptors(), open);
  const edited = ObjectFile.open(path);
  edited.map('recent').valueSize = 4096;
  for (const program of edited.programs.values()) program.autoload = false;
  using resized = Collection.load(edited);
  const recent = resized.map('recent');
  recent.set(new Uint8Array(8), new Uint8Array(4096).fill(7));
  t.same(recent.get(new Uint8Array(8)), new Uint8Array(4096).fill(7), 'a changed size leaves bytes');
  t.end();
});

t.test('keys, while entries are deleted', (t) => {
  using map = BpfMap.create({ type: MapType.Hash, keySize: 4, valueSize: 4, maxEntries: 5000 });
  const key = (number: number): Uint8Array => new Uint8Array(Uint32Array.of(number).buffer);
  const fill = (): void => {
    for (let number = 0; number < 5000; number++) map.set(key(number), key(number));
  };
  fill();
  t.equal(new Set([...map.keys()].map(String)).size, 5000);
  let deleted = 0;
  for (const one of map.keys()) if (map.delete(one)) deleted++;
  t.equal(deleted, 5000, 'each is met although the one before is gone');
  fill();
  const stays = new Set<string>();
  let steps = 0;
  for (const one of map.keys()) {
    const [number = 0] = new Uint32Array((one as Uint8Array).buffer);
    if (number % 2 === 0) stays.add(String(number));
    // Another one disappears under the iteration, sometimes the one that comes next.
    if (steps++ < 2500) map.delete(key(((number * 7 + 1) % 5000) | 1));
  }
  t.equal(stays.size, 2500, 'what stays is seen');
  for (const [one, bytes] of map.entries())
    if (Buffer.compare(one as Uint8Array, bytes as Uint8Array) !== 0) t.fail('another one’s value');
  t.end();
});

t.test('a frozen map can be read alone', (t) => {
  using map = BpfMap.create({ type: MapType.Array, keySize: 4, valueSize: 4, maxEntries: 1, name: 'frozen' });
  const zero = new Uint8Array(4);
  map.set(zero, Uint8Array.of(1, 2, 3, 4));
  map.freeze();
  t.match(
    thrown(() => {
      map.set(zero, zero);
    }),
    {
      code: 'SYSCALL_FAILED',
      errnoName: 'EPERM',
      message: 'Cannot write to map frozen: it is frozen, so that user space can only read it (EPERM)',
    },
  );
  t.match(
    thrown(() => map.setMany([[zero, zero]])),
    { message: 'Cannot write to map frozen: it is frozen, so that user space can only read it (EPERM)' },
  );
  t.match(
    thrown(() => {
      map.freeze();
    }),
    { code: 'SYSCALL_FAILED', message: 'Cannot freeze map frozen: it is frozen already' },
  );
  t.same(map.get(zero), Uint8Array.of(1, 2, 3, 4));
  const rodata = collection.map('.rodata');
  t.match(
    thrown(() => {
      rodata.setBytes(zero, new Uint8Array(48));
    }),
    { message: /: it is frozen, so that user space can only read it \(EPERM\)$/ },
  );
  t.end();
});

t.test('maps by id, and after close', (t) => {
  const numbers = collection.map('numbers');
  using again = BpfMap.fromId(numbers.info().id);
  t.match(again, { name: 'numbers', type: MapType.Array, keySize: 4, valueSize: 8, maxEntries: 4 });
  t.same(again.get(Uint8Array.of(1, 0, 0, 0)), Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0x10));
  t.match(
    thrown(() => BpfMap.fromId(0x7fff_ffff)),
    {
      code: 'MAP_NOT_FOUND',
      message: 'Cannot open map 2147483647: there is no map of that id',
    },
  );
  collection.close();
  const uses: [string, () => unknown][] = [
    ['get', () => numbers.get(0)],
    ['delete', () => numbers.delete(0)],
    ['keys', () => [...numbers.keys()]],
    ['info', () => numbers.info()],
    ['program', () => collection.program('fill').testRun({ data: new Uint8Array(64) })],
  ];
  for (const [what, use] of uses) t.equal(thrown(use).code, 'CLOSED', what);
  again.close();
  t.same(openDescriptors(), before);
  t.end();
});
