/** ts-xdp map, against what the real bpftool says of the same maps. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { BpfMap, Collection, MapType, ObjectFile } from '../../src/index.ts';
import { jsonText } from '../../src/cli/output/json-text.ts';
import { Cli, type CliResult } from '../helpers/cli.ts';
import { runHosted } from '../helpers/command-host.ts';
import { Compiler, whyNotCompile } from '../helpers/compile.ts';
import { BpfFileSystem } from '../helpers/kernel-objects.ts';
import { uniqueTag } from '../helpers/object-source.ts';

/** Maps are found by their names, of which others may be in the kernel. */
const tag = uniqueTag();

const missing = process.getuid?.() === 0 ? whyNotCompile() : 'maps need root';
if (missing !== false) {
  t.plan(0, missing);
  process.exit(0);
}

const TYPED = `
#include "check.h"
enum color { RED, GREEN = 5 };
enum wide { WIDE = 0x123456789abcULL, LOWEST = 1 };
struct inner { __u16 half; char letter; };
struct value {
	__u64 big; __s64 negative; __s32 small; enum color color; enum wide wide; char name[8]; char raw[4]; __u8 mac[6];
	bool on; struct { __u16 low : 4, high : 12; }; union { __u32 word; __u8 bytes[4]; } either; void *pointer;
	struct inner inners[2]; char letter; __int128 huge; volatile const __u32 qualified;
};
struct flow { __u32 address; __u16 port; __u16 reserved; };
struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 8); __type(key, __u32); __type(value, struct value); } typed SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 8); __type(key, struct flow); __type(value, __u64); } flows SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_PERCPU_HASH); __uint(max_entries, 8); __type(key, __u16); __type(value, struct inner); } per_cpu SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY); __uint(max_entries, 2); __type(key, __u32); __type(value, __u64); } counts SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_PROG_ARRAY); __uint(max_entries, 2); __type(key, __u32); __type(value, __u32); } jumps SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 4096); } ring SEC(".maps");
const volatile __u64 limit = 0xfedcba9876543210ULL;
int counter = -5;
char text[8] = "hi";
SEC("xdp") int use(struct xdp_md *ctx)
{
	counter++;
	text[0]++;
	return limit > 5;
}
char _license[] SEC("license") = "GPL";
`;

const compiler = new Compiler();
const files = new BpfFileSystem();
const collection = Collection.load(ObjectFile.open(compiler.source('typed', TYPED)));
const id = (name: string): string => String(collection.map(name).info().id);
const cpus = collection.map('counts').kernel.possibleCpus();
t.teardown(() => {
  collection.close();
  files.close();
  compiler.close();
});

const map = (...words: string[]): Promise<CliResult> => runHosted(['map', ...words]);

async function done(...words: string[]): Promise<string> {
  const result = await map(...words);
  t.equal(result.code, 0, `${words.join(' ')}: ${result.stderr}`);
  return result.stdout.trim();
}

function bpftool(...words: string[]): string {
  return execFileSync('bpftool', ['-j', 'map', ...words], { encoding: 'utf8' }).trim();
}

/** What this version of bpftool does not say yet. */
const withoutNewer = (json: string): string => json.replaceAll(/,"inner_map_id":\d+/g, '');

async function same(words: string[], what = words.join(' ')): Promise<void> {
  t.equal(withoutNewer(await done(...words, '--json')), bpftool(...words), `${what}, byte by byte`);
}

t.test('JSON with integers of any size', (t) => {
  const document = { a: [1n, -(2n ** 63n), 2n ** 64n - 1n], b: { 'c"d': null, e: true, f: 1.5 }, '': 'x\n' };
  t.equal(
    jsonText(document),
    '{"a":[1,-9223372036854775808,18446744073709551615],"b":{"c\\"d":null,"e":true,"f":1.5},"":"x\\n"}',
  );
  const plain = { a: [1, {}, [], 'x'], b: { c: null } };
  t.equal(jsonText(plain, { indent: 2 }), JSON.stringify(plain, null, 2));
  t.equal(jsonText([2n ** 63n], { indent: 1 }), '[\n 9223372036854775808\n]');
  t.end();
});

t.test('typed values', async (t) => {
  const typed = id('typed');
  const pattern = (start: number, step: number): string[] =>
    Array.from({ length: collection.map('typed').valueSize }, (_, at) =>
      ((start + at * step) & 255).toString(16),
    );
  await done('update', typed, 'key', '1', 'value', 'hex', ...pattern(129, 37));
  await done('update', typed, 'key', '2', 'value', 'hex', ...pattern(0x41, 0), 'noexist');
  await done('update', 'id', typed, 'key', '3', 'value', 'name=eth0,color=GREEN,wide=WIDE,raw=abc,letter=-7');
  await done(
    'update',
    'name',
    'typed',
    'key',
    '4',
    'value',
    '{"big":18446744073709551615,"negative":-9007199254740993}',
  );
  await same(['dump', 'id', typed]);
  await same(['lookup', 'id', typed, 'key', '3', '0', '0', '0']);
  await same(['lookup', 'id', typed, 'key', 'hex', '04', '0', '0x00', '0']);
  await same(['getnext', 'id', typed]);
  const lookedUp = await done('lookup', typed, 'key', '4');
  t.match(lookedUp, '4: {"big":"18446744073709551615","negative":"-9007199254740993"');
  const refusals: [string[], number, string][] = [
    [['lookup', typed, 'key', '77'], 1, 'error: Cannot find key 77 in map typed: it has no such key\n'],
    [['delete', typed, 'key', '77'], 1, 'error: Cannot find key 77 in map typed: it has no such key\n'],
    [['lookup', typed], 2, 'error: key is expected, and nothing follows\n'],
    [['lookup', typed, 'key', 'many'], 1, 'error: Cannot store "many" as __u32: it must be an integer\n'],
    [
      ['update', typed, 'key', '1', 'value', 'size=5'],
      1,
      'error: Cannot store "size=5" as struct value at .size: there is no such field; there are big, negative, small, color, wide, name, raw, mac, on, low, high, either, pointer, inners, letter, huge, qualified\n',
    ],
    [
      ['update', typed, 'key', '1', 'value', 'big=1', 'noexist'],
      1,
      'error: Cannot write to map typed: it has the key already (EEXIST)\n',
    ],
    [
      ['update', typed, 'key', '9', 'value', 'big=1', 'exist'],
      1,
      'error: Cannot write to map typed: it has no such key (ENOENT)\n',
    ],
    [
      ['update', id('counts'), 'key', '2', 'value', '1'],
      1,
      'error: Cannot write to map counts: the index is past its end, which is 2 (E2BIG)\n',
    ],
    [
      ['update', id('counts'), 'key', '1', 'value', '1', 'noexist'],
      1,
      'error: Cannot write to map counts: the entries of an array are always there (EEXIST)\n',
    ],
    [
      ['delete', id('counts'), 'key', '1'],
      1,
      'error: Cannot delete from map counts: the entries of an array are always there (EINVAL)\n',
    ],
    [
      ['create', files.path, 'type', 'hash', 'key', '4', 'value', '4', 'name', 'x'],
      2,
      'error: map create needs entries and their number for maps of type hash\n',
    ],
    [['show', 'id', 'x'], 2, 'error: x is no id: a whole number from 1 to 4294967295 is wanted\n'],
    [
      ['dump', id('ring')],
      1,
      'error: Cannot dump map ring: maps of type ringbuf have no entries that could be listed\nhint: map events follows it\n',
    ],
    [
      ['dump', 'name', 'nosuch'],
      1,
      'error: Cannot find map nosuch: the kernel has none of that id or name\n',
    ],
    [['dump', 'id', 'x'], 2, 'error: x is no id: a whole number from 1 to 4294967295 is wanted\n'],
    [['dump', typed, 'more'], 2, 'error: map takes no more there\n'],
    [['freeze'], 2, "error: missing required argument 'words'\n"],
  ];
  for (const [words, code, message] of refusals) {
    const result = await map(...words);
    t.equal(result.code, code, words.join(' '));
    t.equal(
      result.stderr.replace(/\nUsage[^]*|\(--help[^]*/, '\n').replace(/\n+$/, '\n'),
      message,
      words.join(' '),
    );
    t.equal(result.stdout, '');
  }
  const inJson = JSON.parse((await map('lookup', typed, 'key', '77', '--json')).stdout) as unknown;
  t.match(inJson, { error: { code: 'KEY_NOT_FOUND' } });
});

t.test('structs as keys, values of each CPU, variables', async (t) => {
  await done('update', id('flows'), 'key', 'address=0x0a000001,port=443', 'value', '18446744073709551615');
  await done('update', id('flows'), 'key', '{"port":80}', 'value', '1');
  await same(['dump', 'id', id('flows')]);
  t.match(await done('lookup', id('flows'), 'key', 'port=80'), '{"address":0,"port":80,"reserved":0}: 1');
  await done('update', id('per_cpu'), 'key', '7', 'value', 'half=3,letter=65');
  await same(['dump', 'id', id('per_cpu')]);
  await same(['lookup', 'id', id('per_cpu'), 'key', '7', '0']);
  const list = Array.from({ length: cpus }, (_, cpu) => cpu + 5);
  await done('update', id('counts'), 'key', '1', 'value', JSON.stringify(list));
  await same(['dump', 'id', id('counts')]);
  t.same(collection.map('counts').get(1), list.map(BigInt), 'one for each');
  const wrong = await map('update', id('counts'), 'key', '1', 'value', '[1,2,3,4,5,6,7,8,9]');
  t.equal(wrong.stderr, `error: Cannot use a list of 9 values: there are ${cpus} CPUs\n`);
  for (const section of ['.rodata', '.data']) {
    await same(['dump', 'id', id(section)]);
    await same(['show', 'id', id(section)]);
  }
});

t.test('programs in an array', async (t) => {
  await done('update', id('jumps'), 'key', '1', 'value', 'id', String(collection.program('use').info().id));
  await same(['dump', 'id', id('jumps')]);
  await same(['show', 'id', id('jumps')]);
  t.match(await done('show', id('jumps')), 'owner_prog_type xdp');
  await done('delete', id('jumps'), 'key', '1');
  const gone = await map('update', id('jumps'), 'key', '1', 'value', 'name', 'nosuch_program');
  t.equal(
    gone.stderr,
    'error: Cannot find program nosuch_program: the kernel has none of that id, name or tag\n',
  );
});

t.test('maps that it creates', async (t) => {
  const at = (name: string): string => join(files.path, name);
  await done(
    'create', at('plain'), 'type', 'hash', 'key', '4', 'value', '2', 'entries', '5', 'name', `${tag}_plain`, 'flags', '0x1',
  ); // prettier-ignore
  await same(['show', 'pinned', at('plain')]);
  await done('update', at('plain'), 'key', '10.0.0.1', 'value', '-2');
  await done('update', 'pinned', at('plain'), 'key', '5', 'value', '0x0201', 'any');
  await done('update', 'pinned', at('plain'), 'key', '0a000003', 'value', '3', '4');
  await same(['dump', 'pinned', at('plain')]);
  t.match(await done('lookup', `${tag}_plain`, 'key', '10.0.0.1'), '0a 00 00 01: fe ff');
  const large = await map('update', at('plain'), 'key', '1', 'value', '65536');
  t.equal(large.stderr, 'error: Cannot use 65536 as value: it has more than 2 bytes\n');
  const unclear = await map('update', at('plain'), 'key', 'flow', 'value', '1');
  t.match(unclear.stderr, 'error: Cannot use flow as key: 4 bytes are wanted\n');
  await done('pin', at('plain'), at('again'));
  t.ok(existsSync(at('again')));
  await done('freeze', at('plain'));
  await same(['show', 'pinned', at('again')]);
  t.match(await done('show', at('again')), 'frozen');
  for (const [words, doing] of [
    [['delete', at('plain'), 'key', '5'], `delete from map ${tag}_plain`],
    [['update', at('plain'), 'key', '5', 'value', '1'], `write to map ${tag}_plain`],
  ] as const) {
    const frozen = await map(...words);
    t.equal(frozen.code, 1);
    t.equal(
      frozen.stderr,
      `error: Cannot ${doing}: it is frozen, so that user space can only read it (EPERM)\n`,
    );
  }
  const again = await map('freeze', at('plain'));
  t.equal(again.code, 1);
  t.equal(again.stderr, `error: Cannot freeze map ${tag}_plain: it is frozen already\n`);
  const shown = JSON.parse(await done('show', at('again'), '-f', '--pids', '--json')) as {
    pinned: string[];
    pids: { pid: number }[];
  };
  t.same(shown.pinned.sort(), [at('again'), at('plain')].sort());
  t.same(
    shown.pinned.sort(),
    (JSON.parse(bpftool('-f', 'show', 'pinned', at('again'))) as typeof shown).pinned.sort(),
  );
  t.same(shown.pids, []);
  const own = await done('show', 'id', id('typed'), '--pids');
  t.match(own, new RegExp(`^\\tpids .*\\(${String(process.pid)}\\)`, 'm'));

  await done(
    'create', at('routes'), 'type', 'lpm_trie', 'key', '8', 'value', '4', 'entries', '5', 'name', `${tag}_routes`, 'flags', '1',
  ); // prettier-ignore
  await done('update', at('routes'), 'key', '10.0.0.0/8', 'value', '7');
  await same(['dump', 'pinned', at('routes')]);
  t.equal(await done('lookup', at('routes'), 'key', '10.9.9.9'), '20 00 00 00 0a 09 09 09: 07 00 00 00');

  await done(
    'create',
    at('inner'),
    'type',
    'array',
    'key',
    '4',
    'value',
    '4',
    'entries',
    '1',
    'name',
    `${tag}_inner`,
  );
  await done(
    'create', at('outer'), 'type', 'array_of_maps', 'key', '4', 'value', '4', 'entries', '2', 'name', `${tag}_outer`,
    'inner_map', 'pinned', at('inner'),
  ); // prettier-ignore
  await done('update', at('outer'), 'key', '1', 'value', 'pinned', at('inner'));
  await same(['dump', 'pinned', at('outer')]);
  t.match(await done('dump', at('outer'), '--json'), `"inner_map_id":`);
  const wrongType = await map('create', at('x'), 'type', 'hush', 'name', 'x');
  t.equal(wrongType.code, 2);
  t.match(wrongType.stderr, 'error: there is no map type hush: there are hash, array,');
  const twice = await map(
    'create',
    at('inner'),
    'type',
    'array',
    'key',
    '4',
    'value',
    '4',
    'entries',
    '1',
    'name',
    'x',
  );
  t.match(JSON.stringify(twice), 'already');
});

t.test('queues and stacks', async (t) => {
  for (const type of ['queue', 'stack']) {
    const path = join(files.path, type);
    await done(
      'create',
      path,
      'type',
      type,
      'key',
      '0',
      'value',
      '4',
      'entries',
      '2',
      'name',
      `${tag}_${type}`,
    );
    await done('push', path, 'value', '1');
    await done(type === 'queue' ? 'enqueue' : 'push', path, 'value', '2', '0', '0', '0');
    await same(['peek', 'pinned', path]);
    for (const action of ['lookup', 'delete'])
      t.equal(
        (await map(action, path, 'key', '1')).stderr,
        `error: Cannot use map ${tag}_${type} by key: maps of type ${type} have no keys\nhint: map peek and map pop read it\n`,
      );
    t.equal(
      (await map('getnext', path)).stderr,
      `error: Cannot go through map ${tag}_${type}: maps of type ${type} have no entries that could be listed\nhint: map peek and map pop read it\n`,
    );
    const full = await map('push', path, 'value', '3');
    t.equal(full.stderr, `error: Cannot add to map ${tag}_${type}: its 2 places are taken\n`);
    t.equal(await done('pop', path), type === 'queue' ? '01 00 00 00' : '02 00 00 00');
    t.equal(
      await done('dequeue', path, '--json'),
      `{"key":[],"value":["0x0${type === 'queue' ? 2 : 1}","0x00","0x00","0x00"]}`,
    );
    await done('push', path, 'value', '0x1710');
    const printed = await done('pop', path);
    t.equal(printed, '10 17 00 00');
    await done('push', path, 'value', 'hex', ...printed.split(' '));
    t.equal(await done('pop', path), printed, 'what was printed is taken back after hex');
    const empty = await map('pop', path);
    t.equal(empty.stderr, `error: Cannot take from map ${tag}_${type}: the ${type} is empty\n`);
  }
});

t.test('the list of all maps', async (t) => {
  interface Listed {
    readonly id: number;
    readonly btf_id?: number;
  }
  const ours = JSON.parse(await done('list', '--json')) as Listed[];
  const theirs = JSON.parse(bpftool('list')) as Listed[];
  const mine = new Set([...collection.maps.values()].map((one) => one.info().id));
  // bpftool 7.1 hands the kernel the struct of the map before, of which newer kernels leave what they do not set.
  const own = (all: Listed[]): Listed[] =>
    all.filter((one) => mine.has(one.id)).map(({ btf_id: _, ...one }) => one);
  t.same(own(ours), own(theirs));
  t.equal(own(ours).length, mine.size);
  using first = BpfMap.create({
    type: MapType.Array,
    keySize: 4,
    valueSize: 4,
    maxEntries: 1,
    name: `${tag}_twin`,
  });
  using second = BpfMap.create({
    type: MapType.Array,
    keySize: 4,
    valueSize: 4,
    maxEntries: 1,
    name: `${tag}_twin`,
  });
  await same(['show', 'name', `${tag}_twin`], 'two of one name');
  const ids = [first, second].map((one) => one.info().id);
  const unclear = await map('dump', `${tag}_twin`);
  t.equal(
    unclear.stderr,
    `error: Cannot tell which map is meant by ${tag}_twin: ${ids.join(', ')} are called so\nhint: say which by its id\n`,
  );
});

const EVENTS = `
#include "check.h"
struct event { __u32 number; char word[4]; __u64 wide; };
struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 4096); } ${tag}_ring SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY); __uint(key_size, 4); __uint(value_size, 4); } ${tag}_perf SEC(".maps");
struct event unused;
SEC("xdp") int emit(struct xdp_md *ctx)
{
	struct event event = {.number = 7, .word = "abc", .wide = 1ULL << 60};
	bpf_ringbuf_output(&${tag}_ring, &event, sizeof(event), 0);
	bpf_perf_event_output(ctx, &${tag}_perf, BPF_F_CURRENT_CPU, &event, sizeof(event));
	return unused.number;
}
char _license[] SEC("license") = "GPL";
`;

t.test('events of maps that somebody else made', async (t) => {
  using loaded = Collection.load(ObjectFile.open(compiler.source('emitting', EVENTS)));
  const emit = (): void => {
    loaded.program('emit').testRun({ data: new Uint8Array(64) });
  };
  const data = { number: 7, word: 'abc', wide: '1152921504606846976' };
  for (const name of [`${tag}_ring`, `${tag}_perf`]) {
    const typed = new Cli(['map', 'events', 'name', name, '--event', 'event', '--count', '2', '--json']);
    await typed.said('events read here reach no other reader of it');
    emit();
    emit();
    const { code, lines } = await typed.ended;
    t.equal(code, 0);
    t.equal(lines.length, 2);
    t.match(lines[0], { type: 'event', map: name, struct: 'event', data });
    t.equal(typeof lines[0]?.['cpu'], name === `${tag}_perf` ? 'number' : 'undefined');
    const plain = new Cli(['map', 'events', name]);
    await plain.said('events read here');
    emit();
    await plain.until(({ stdout }) => stdout.includes('07 00 00 00'));
    t.equal((await plain.stop()).code, 0, 'a signal ends it in order');
  }
  const unknown = await map('events', `${tag}_ring`, '--event', 'nosuch');
  t.equal(
    unknown.stderr,
    'error: Cannot find struct nosuch: no program that uses the map has a struct of that name in its BTF\n',
  );
  const wrong = await map('events', id('typed'));
  t.equal(
    wrong.stderr,
    'error: Cannot follow the events of map typed: it is neither a ring buffer nor a perf event array but hash\n',
  );
});
