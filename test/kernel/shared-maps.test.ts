/** Maps that programs share by pins, and maps that exist in the place of the object's. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { Collection, BpfMap, MapType, ObjectFile, type LoadOptions } from '../../src/index.ts';
import { BlindKernel } from '../helpers/blind-kernel.ts';
import { Compiler, whyNotCompile } from '../helpers/compile.ts';
import { BpfFileSystem } from '../helpers/kernel-objects.ts';
import { LibbpfLoader } from '../helpers/libbpf-loader.ts';
import { openDescriptors } from '../helpers/open-descriptors.ts';
import { thrown } from '../helpers/thrown.ts';

const missing = process.getuid?.() === 0 ? whyNotCompile() : 'loading programs needs root';
if (missing !== false) {
  t.plan(0, missing);
  process.exit(0);
}

const compiler = new Compiler();
const bpffs = new BpfFileSystem();
const path = compiler.fixture('shared');
let roots = 0;
t.teardown(() => {
  compiler.close();
  bpffs.close();
});

/** A directory that is not there yet. */
function newRoot(): string {
  return join(bpffs.path, `root${String(roots++)}`);
}

function load(options: LoadOptions, edit: (object: ObjectFile) => void = () => undefined): Collection {
  const object = ObjectFile.open(path);
  edit(object);
  return Collection.load(object, options);
}

function run(collection: Collection): void {
  collection.program('count').testRun({ data: new Uint8Array(64) });
}

function idOf(collection: Collection, map: string): number {
  return collection.map(map).info().id;
}

const SHARED = ['shared_counters', 'shared_ring', 'shared_perf', 'shared_outer'];

t.test('LIBBPF_PIN_BY_NAME: the first load makes the pin, the next one uses it', (t) => {
  const pinRoot = newRoot();
  const first = load({ pinRoot });
  t.same(
    new Map(first.sharedMaps),
    new Map(SHARED.map((name) => [name, { path: join(pinRoot, name), reused: false }])),
  );
  run(first);
  const ids = SHARED.map((name) => idOf(first, name));
  const inner = first.map('shared_outer').get(0);
  first.close();
  using second = load({ pinRoot });
  t.same(
    [...second.sharedMaps.values()].map(({ reused }) => reused),
    [true, true, true, true],
  );
  t.same(
    SHARED.map((name) => idOf(second, name)),
    ids,
  );
  run(second);
  t.equal(second.map('shared_counters').get(7), 2n, 'contents live on, and have the types of the object');
  t.equal(second.map('private_sum').get(0), 1n, 'other maps are new');
  t.same(second.map('shared_outer').get(0), inner, 'a map of maps keeps the maps that are in it');
  t.equal(second.map('shared_first').get(0), 0, 'and the new ones stay outside');
  t.end();
});

const libbpf = LibbpfLoader.build('load-shared', compiler.folder);
const noLibbpf = typeof libbpf === 'string' && libbpf;
t.test('what libbpf pinned is used, and libbpf uses what was pinned', { skip: noLibbpf }, (t) => {
  if (typeof libbpf === 'string') throw new Error(libbpf);
  const theirs = newRoot();
  const made = libbpf.run([path, theirs]);
  using ours = load({ pinRoot: theirs });
  t.same(new Map(SHARED.map((name) => [name, idOf(ours, name)])), made);
  const root = newRoot();
  using first = load({ pinRoot: root });
  t.same(libbpf.run([path, root]), new Map(SHARED.map((name) => [name, idOf(first, name)])));
  t.end();
});

t.test('a pin that does not fit is refused with every difference, and stays', (t) => {
  const pinRoot = newRoot();
  load({ pinRoot }).close();
  const before = openDescriptors();
  const error = thrown(() =>
    load({ pinRoot }, (object) => {
      Object.assign(object.map('shared_counters'), {
        type: MapType.LruHash,
        keySize: 8,
        valueSize: 16,
        maxEntries: 9,
        flags: 2,
        extra: 1n,
      });
    }),
  );
  const pin = join(pinRoot, 'shared_counters');
  t.match(error, {
    code: 'MAP_INCOMPATIBLE',
    message:
      `Cannot use the map pinned at ${pin} for shared_counters: type is hash, not lru_hash; key size is 4, not 8; ` +
      'value size is 8, not 16; max entries is 8, not 9; flags is 0x0, not 0x2; map_extra is 0, not 1',
    hint: `change the object, or have the next load make a new map, without the contents of this one: rm ${pin}`,
    path: pin,
  });
  t.same(readdirSync(pinRoot).sort(), SHARED.toSorted());
  t.same(openDescriptors(), before);
  t.end();
});

t.test('flags that the kernel adds, or that belong to a descriptor, are no difference', (t) => {
  const object = compiler.fixture('shared', { name: 'flags.bpf.o', flags: ['-DKERNEL_FLAGS'] });
  const pinRoot = newRoot();
  Collection.load(ObjectFile.open(object), { pinRoot }).close();
  using again = Collection.load(ObjectFile.open(object), { pinRoot });
  t.ok([...again.sharedMaps.values()].every(({ reused }) => reused));
  t.equal(again.sharedMaps.size, 6);
  t.end();
});

t.test('a load that fails takes back the pins it made and no others', (t) => {
  const pinRoot = newRoot();
  const refused = (options: LoadOptions): string =>
    thrown(() =>
      load(options, (object) => {
        object.program('refused').autoload = true;
      }),
    ).code;
  const before = openDescriptors();
  t.equal(refused({ pinRoot }), 'VERIFIER_REFUSED');
  t.notOk(existsSync(pinRoot), 'the directory that it made goes too');
  using one = load({ pinRoot }, (object) => {
    for (const name of SHARED.slice(1)) object.map(name).pinByName = false;
  });
  t.same(readdirSync(pinRoot), ['shared_counters']);
  t.equal(refused({ pinRoot }), 'VERIFIER_REFUSED');
  t.same(readdirSync(pinRoot), ['shared_counters']);
  one.close();
  t.same(openDescriptors(), before);
  t.end();
});

t.test('who pins first wins, and the others use it', (t) => {
  const pinRoot = newRoot();
  using first = load({ pinRoot });
  const before = openDescriptors().length;
  const blind = new BlindKernel(2);
  const second = load({ pinRoot, kernel: blind });
  t.equal(blind.blindness, 0);
  t.equal(idOf(second, 'shared_counters'), idOf(first, 'shared_counters'));
  second.close();
  t.equal(openDescriptors().length, before);
  const never = thrown(() => load({ pinRoot, kernel: new BlindKernel(100) }));
  t.match(never, {
    code: 'PIN_EXISTS',
    path: join(pinRoot, 'shared_outer'),
    hint: 'another process pins and unpins there all the time',
  });
  t.equal(openDescriptors().length, before);
  t.end();
});

t.test('a map may have a pin of its own choice', (t) => {
  const pinPath = join(bpffs.path, 'elsewhere');
  using first = load({ pinRoot: newRoot() }, (object) => {
    object.map('private_sum').pinPath = pinPath;
  });
  run(first);
  using second = load({ pinRoot: newRoot() }, (object) => {
    object.map('private_sum').pinPath = pinPath;
  });
  t.same(second.sharedMaps.get('private_sum'), { path: pinPath, reused: true });
  t.equal(second.map('private_sum').get(0), 1n);
  t.end();
});

t.test('places where no map can be pinned', (t) => {
  const wrong = thrown(() => load({ pinRoot: '/tmp' }, keepOnlyCounters));
  t.match(wrong, {
    code: 'FILE_UNREADABLE',
    message:
      'Cannot share map shared_counters by the pin /tmp/shared_counters: /tmp is not in a bpf file system',
    hint: 'choose a directory in one; the usual place is /sys/fs/bpf',
  });
  const deep = thrown(() => load({ pinRoot: '/sys/fs/no/such' }, keepOnlyCounters));
  t.equal(
    deep.message,
    'Cannot share map shared_counters by the pin /sys/fs/no/such/shared_counters: /sys/fs/no/such is not in a bpf file system',
  );
  const pinRoot = newRoot();
  execFileSync('mkdir', [pinRoot]);
  using other = load({ pinRoot }, (object) => {
    for (const name of SHARED) object.map(name).pinByName = false;
  });
  const inTheWay = join(pinRoot, 'shared_counters');
  other.program('count').pin(inTheWay);
  t.match(
    thrown(() => load({ pinRoot }, keepOnlyCounters)),
    {
      code: 'PIN_NOT_FOUND',
      message: `Cannot open pinned map ${inTheWay}: a program is pinned there`,
    },
  );
  t.ok(existsSync(inTheWay));
  t.end();
});

function keepOnlyCounters(object: ObjectFile): void {
  for (const name of SHARED.slice(1)) object.map(name).pinByName = false;
}

t.test('maps that exist stand in by handle, pin or id', (t) => {
  const pinRoot = newRoot();
  using first = load({ pinRoot });
  const id = idOf(first, 'private_sum');
  const pin = join(bpffs.path, 'given');
  first.map('private_sum').pin(pin);
  for (const reference of [first.map('private_sum'), { pin }, { id }]) {
    const before = openDescriptors();
    const collection = load({ pinRoot, maps: new Map([['private_sum', reference]]) });
    run(collection);
    t.equal(idOf(collection, 'private_sum'), id);
    collection.close();
    t.same(openDescriptors(), before);
  }
  t.equal(first.map('private_sum').get(0), 3n);
  using pins = BpfMap.fromPin(pin);
  t.equal(pins.info().id, id);

  const given = (maps: NonNullable<LoadOptions['maps']>): unknown => thrown(() => load({ pinRoot, maps }));
  const other = idOf(first, 'shared_counters');
  const differences = 'type is hash, not array; max entries is 8, not 1';
  const before = openDescriptors();
  t.match(given(new Map([['private_sum', { id: other }]])), {
    code: 'MAP_INCOMPATIBLE',
    message: `Cannot use map ${String(other)} for private_sum: ${differences}`,
    hint: undefined,
    id: other,
  });
  t.match(given(new Map([['private_summ', { id }]])), {
    code: 'MAP_NOT_FOUND',
    message: 'Cannot find map private_summ: the object has none of that name',
  });
  t.match(given(new Map([['private_sum', { id: 0x7fff_ffff }]])), {
    code: 'MAP_NOT_FOUND',
    message: 'Cannot open map 2147483647: there is no map of that id',
  });
  t.match(given(new Map([['private_sum', { pin: `${pin}_not` }]])), {
    code: 'PIN_NOT_FOUND',
    message: `Cannot open pinned map ${pin}_not: there is no such file`,
  });
  t.same(openDescriptors(), before);
  t.end();
});
