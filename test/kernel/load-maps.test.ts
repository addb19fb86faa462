/** `ts-xdp load` with maps that exist: --map and --pin-root. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import t from 'tap';
import { Collection, ObjectFile } from '../../src/index.ts';
import { notRoot } from '../helpers/cli.ts';
import { runHosted } from '../helpers/command-host.ts';
import { Compiler, whyNotCompile } from '../helpers/compile.ts';
import { BpfFileSystem } from '../helpers/kernel-objects.ts';
import { checkRefusal, type Refusal } from '../helpers/refusal.ts';
import { VethPair } from '../helpers/veth.ts';

const skip = notRoot || whyNotCompile();
if (skip !== false) {
  t.plan(0, skip);
  process.exit(0);
}
const compiler = new Compiler();
const bpffs = new BpfFileSystem();
const pair = VethPair.open();
t.teardown(() => {
  pair.close();
  bpffs.close();
  compiler.close();
});
const object = compiler.fixture('shared');
const other = compiler.fixture('shared', { name: 'other.bpf.o', flags: ['-DENTRIES=9'] });
const root = join(bpffs.path, 'shared');
const pin = join(root, 'shared_counters');
const place = ['--iface', pair.receiver.name, '--netns', String(pair.namespaceName)];

function mapId(path: string): number {
  const shown = execFileSync('bpftool', ['-j', 'map', 'show', 'pinned', path], { encoding: 'utf8' });
  return (JSON.parse(shown) as { id: number }).id;
}

t.test('maps that the object pins by name are shared below --pin-root', async (t) => {
  const args = ['load', object, ...place, '--pin-root', root, '--duration', '50ms'];
  const first = await runHosted(args);
  t.equal(first.code, 0, first.stderr);
  t.match(first.stderr, `note: map shared_counters is new, and pinned to ${pin}\n`);
  const id = mapId(pin);
  const second = await runHosted(args);
  t.equal(second.code, 0, second.stderr);
  t.match(second.stderr, `note: map shared_counters is the one pinned at ${pin}\n`);
  t.equal(mapId(pin), id);
});

t.test('--map puts a map that exists in the place of one of the object', async (t) => {
  const id = mapId(pin);
  for (const reference of [pin, `id:${String(id)}`]) {
    const set = ['--set', `shared_counters[${String(reference.length)}]=5`];
    const rootOfItsOwn = join(bpffs.path, `given${String(reference.length)}`);
    const map = ['--map', `shared_counters=${reference}`, '--pin-root', rootOfItsOwn];
    const result = await runHosted(['load', object, ...place, ...map, ...set, '--duration', '50ms']);
    t.equal(result.code, 0, result.stderr);
    const dump = execFileSync('bpftool', ['map', 'dump', 'pinned', pin], { encoding: 'utf8' });
    t.match(dump, `"key": ${String(reference.length)},\n        "value": 5\n`);
  }
});

t.test('maps that cannot be used', async (t) => {
  using collection = Collection.load(ObjectFile.open(object), { pinRoot: root });
  collection.program('count').pin(join(bpffs.path, 'program'));
  const id = mapId(pin);
  const differences = [{ property: 'max entries', wanted: '9', found: '8' }];
  const hint = `change the object, or have the next load make a new map, without the contents of this one: rm ${pin}`;
  const available = [...ObjectFile.open(object).maps.keys()];
  const rows: Refusal[] = [
    {
      name: 'a pin by name that does not fit',
      args: ['load', other, ...place, '--pin-root', root],
      exit: 1,
      error: {
        code: 'MAP_INCOMPATIBLE',
        message: `Cannot use the map pinned at ${pin} for shared_counters: max entries is 8, not 9`,
        hint,
        map: 'shared_counters',
        differences,
        path: pin,
      },
    },
    {
      name: 'a map by id that does not fit',
      args: ['load', other, ...place, '--pin-root', root, '--map', `shared_counters=id:${String(id)}`],
      exit: 1,
      error: {
        code: 'MAP_INCOMPATIBLE',
        message: `Cannot use map ${String(id)} for shared_counters: max entries is 8, not 9`,
        map: 'shared_counters',
        differences,
        id,
      },
    },
    {
      name: 'no such pin',
      args: ['load', object, ...place, '--pin-root', root, '--map', `private_sum=${pin}x`],
      exit: 1,
      error: {
        code: 'PIN_NOT_FOUND',
        message: `Cannot open pinned map ${pin}x: there is no such file`,
        subject: `${pin}x`,
      },
    },
    {
      name: 'a program is pinned there',
      args: ['load', object, ...place, '--pin-root', root, '--map', `private_sum=${bpffs.path}/program`],
      exit: 1,
      error: {
        code: 'PIN_NOT_FOUND',
        message: `Cannot open pinned map ${bpffs.path}/program: a program is pinned there`,
        subject: `${bpffs.path}/program`,
      },
    },
    {
      name: 'no such id',
      args: ['load', object, ...place, '--pin-root', root, '--map', 'private_sum=id:2147483647'],
      exit: 1,
      error: {
        code: 'MAP_NOT_FOUND',
        message: 'Cannot open map 2147483647: there is no map of that id',
        subject: '2147483647',
      },
    },
    {
      name: 'the object has no such map',
      args: ['load', object, ...place, '--map', `private_summ=${pin}`],
      exit: 1,
      error: {
        code: 'MAP_NOT_FOUND',
        message: 'Cannot find map private_summ: the object has none of that name',
        hint: `the object has: ${available.join(', ')}`,
        subject: 'private_summ',
        available,
      },
    },
  ];
  for (const row of rows) await t.test(row.name, (t) => checkRefusal(t, row));
  for (const text of ['private_sum', '=x', 'private_sum=', 'private_sum=id:', 'private_sum=id:4294967296']) {
    const result = await runHosted(['load', object, ...place, '--map', text]);
    t.equal(result.code, 2);
    t.match(
      result.stderr,
      `error: option '--map <name=pin>' argument '${text}' is invalid. ` +
        `${text} names no map: write NAME=PATH of a pin, or NAME=id:NUMBER\n`,
    );
  }
});
