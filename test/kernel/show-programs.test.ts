/** `ts-xdp prog`: what it says of programs in the kernel is what bpftool says, field by field. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { progCommands } from '../../src/cli/commands/prog.ts';
import { Collection, ObjectFile } from '../../src/index.ts';
import { listPrograms } from '../../src/inspect/index.ts';
import { systemKernel } from '../../src/sys/index.ts';
import { asBpftoolShows, bpftool, bpftoolJson, noBpftool, type Document } from '../helpers/bpftool.ts';
import { runCli, STACK } from '../helpers/cli.ts';
import { runHosted, startCommandHost } from '../helpers/command-host.ts';
import { Compiler, whyNotCompile } from '../helpers/compile.ts';
import { BpfFileSystem } from '../helpers/kernel-objects.ts';
import { openDescriptors } from '../helpers/open-descriptors.ts';
import { runCommand } from '../helpers/run-command.ts';

const missing = process.getuid?.() === 0 ? whyNotCompile() || noBpftool : 'programs need root';
if (missing !== false) {
  t.plan(0, missing);
  process.exit(0);
}

startCommandHost();
const before = openDescriptors();
const compiler = new Compiler();
const bpffs = new BpfFileSystem();
const text = `#include "check.h"
  struct where { int line; char file[8]; unsigned char bytes[3]; };
  volatile const char bpf_metadata_author[] SEC(".rodata") = "somebody";
  volatile const int bpf_metadata_build SEC(".rodata") = -7;
  volatile const unsigned long long bpf_metadata_large SEC(".rodata") = 0xfedcba9876543210ULL;
  volatile const _Bool bpf_metadata_debug SEC(".rodata") = 1;
  volatile const struct where bpf_metadata_where SEC(".rodata") = { 3, "x.c", { 1, 2, 3 } };
  volatile const int limit = 5;
  struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 4); __type(key, __u32); __type(value, __u64); }
    shown_map SEC(".maps");
  static __attribute__((noinline)) int shown_helper(__u64 *count) { return *count > limit ? 7 : 1; }
  SEC("xdp") int shown_program_with_a_long_name(struct xdp_md *ctx) {
    __u32 key = ctx->ingress_ifindex;
    __u64 *count = bpf_map_lookup_elem(&shown_map, &key);
    if (!count) return XDP_PASS;
    return shown_helper(count);
  }
  SEC("tc") int shown_program_with_another(struct __sk_buff *skb) { return skb->len > 100 ? 2 : 0; }
  SEC("socket") int shown_short(struct __sk_buff *skb) { return skb->len; }
  char _license[] SEC("license") = "GPL";`;
const collection = Collection.load(ObjectFile.open(compiler.source('shown', text)));
const program = collection.program('shown_program_with_a_long_name');
const { id, tag } = program.info();
t.teardown(() => {
  collection.close();
  bpffs.close();
  compiler.close();
});

async function json(words: readonly string[], options: Record<string, unknown> = {}): Promise<Document> {
  return (await runCommand(progCommands, words, options)).document;
}

type Shown = Record<string, Document> & { id: number; loaded_at: number };

/** The clock that the kernel tells no time of moves a little against the one of boot. */
function sameProgram(t: Test, ours: Document, theirs: Document): void {
  const [{ loaded_at: mine }, { loaded_at: other }] = [ours as Shown, theirs as Shown];
  t.ok(Math.abs(mine - other) <= 1, `loaded_at ${mine} and ${other}`);
  t.same(asBpftoolShows(ours, theirs), { ...(theirs as Shown), loaded_at: mine });
  t.same(
    Object.keys(ours as Shown).filter((field) => field in (theirs as Shown)),
    Object.keys(theirs as Shown),
  );
}

t.test('every program in the kernel as bpftool shows it', async (t) => {
  const ids = [...collection.programs.values()].map((each) => each.info().id);
  const own = (list: Document): Shown[] => (list as Shown[]).filter((each) => ids.includes(each.id));
  const ours = own(await json(['list']));
  const theirs = own(bpftoolJson('prog', 'show'));
  t.equal(ours.length, 3);
  for (const [index, each] of ours.entries()) sameProgram(t, each, theirs[index]!);
  t.same(ours[0]?.['metadata'], {
    author: 'somebody',
    build: -7,
    large: Number(0xfedcba9876543210n),
    debug: true,
    where: { line: 3, file: 'x.c', bytes: [1, 2, 3] },
  });
  const facts = listPrograms(systemKernel()).find((each) => each.id === id);
  t.match(facts, { name: 'shown_program_with_a_long_name', orphaned: false, device: undefined, userId: 0 });
  t.equal(facts?.verifiedInstructions, program.info().verifiedInstructions);
});

t.test('a program by everything that it is called', async (t) => {
  const path = join(bpffs.path, 'shown');
  program.pin(path);
  const theirs = bpftoolJson('prog', 'show', 'id', String(id));
  for (const words of [
    [String(id)],
    ['id', String(id)],
    ['shown_program_with_a_long_name'],
    ['name', 'shown_program_with_a_long_name'],
    [tag],
    ['tag', tag],
    [path],
    ['pinned', path],
  ])
    sameProgram(t, await json(['show', ...words]), theirs);
  // Both begin with the 15 characters that the kernel keeps.
  t.equal(((await json(['show', 'shown_program_w'])) as Shown[]).length, 2);
  sameProgram(
    t,
    await json(['show', 'pinned', path], { bpffs: true }),
    bpftoolJson('prog', 'show', '-f', 'id', String(id)),
  );
  rmSync(path);
});

t.test('pins in directories below, and processes with descriptors', async (t) => {
  const folder = join(bpffs.path, 'below', 'it');
  mkdirSync(folder, { recursive: true });
  for (const name of ['one', 'two']) program.pin(join(folder, name));
  collection.map('shown_map').pin(join(folder, 'a_map'));
  const shown = (await json(['show', String(id)], { bpffs: true, pids: true })) as Shown;
  t.same((shown['pinned'] as string[]).sort(), [join(folder, 'one'), join(folder, 'two')]);
  t.match(
    (shown['pids'] as { pid: number; comm: string }[]).find(({ pid }) => pid === process.pid),
    {
      comm: /./,
    },
  );
  const { stdout } = await runHosted(['prog', 'show', String(id), '-f', '--pids']);
  t.match(stdout, `\n\tpinned ${join(folder, 'one')}\n`);
  t.match(stdout, new RegExp(`\n\tpids .*\\(${process.pid}\\)`));
  rmSync(join(bpffs.path, 'below'), { recursive: true });
});

t.test('text', async (t) => {
  const { text: shown } = await runCommand(progCommands, ['show', 'id', String(id)]);
  const clock = /\d\d:\d\d:\d\d/;
  t.equal(shown.replace(clock, ''), bpftool('prog', 'show', 'id', String(id)).trimEnd().replace(clock, ''));
});

t.test('what cannot be shown', async (t) => {
  const rows: readonly (readonly [string[], string])[] = [
    [['no_such'], 'Cannot find program no_such: the kernel has none of that id, name or tag'],
    [['tag', 'shown_short'], 'Cannot find program tag shown_short: the kernel has none of that tag'],
    [['id', 'x'], 'x is no id: a whole number from 1 to 4294967295 is wanted'],
    [['name', tag], `Cannot find program name ${tag}: the kernel has none of that name`],
    [
      ['shown_program_with_a_long_nose'],
      'Cannot find program shown_program_with_a_long_nose: the kernel has none of that id, name or tag',
    ],
    [['/sys/fs/bpf/no/such'], 'Cannot open pinned program /sys/fs/bpf/no/such: there is no such file'],
    [['id', '4', 'more'], 'prog show takes no more there'],
  ];
  for (const [words, message] of rows) await t.rejects(json(['show', ...words]), { message }, message);
  const unprivileged = { prefix: ['setpriv', '--bounding-set=-all', '--inh-caps=-all'] };
  const refused = await runCli(['prog', 'show'], unprivileged);
  t.equal(refused.code, 3);
  t.match(refused.stderr, /^error: Cannot list the programs in the kernel: .*\nhint: .*CAP_SYS_ADMIN/);
  t.notMatch(refused.stderr, STACK);
});

t.test('nothing stays open', (t) => {
  collection.close();
  t.same(openDescriptors(), before);
  t.end();
});
