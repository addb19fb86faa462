/** What the kernel has, by id: what bpftool says of the same. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { rawText } from '../../src/btf/index.ts';
import { btfDocument, btfLine } from '../../src/cli/btf/show.ts';
import { readBtfSource } from '../../src/cli/btf/source.ts';
import { Collection, ObjectFile } from '../../src/index.ts';
import { listBtfObjects, objectIds, openMaps, openPrograms } from '../../src/inspect/index.ts';
import { systemKernel } from '../../src/sys/index.ts';

import { Compiler, whyNotCompile } from '../helpers/compile.ts';
import { openDescriptors } from '../helpers/open-descriptors.ts';
import { thrown } from '../helpers/thrown.ts';
import { runHosted, startCommandHost } from '../helpers/command-host.ts';

const missing = process.getuid?.() === 0 ? whyNotCompile() : 'programs need root';
if (missing !== false) {
  t.plan(0, missing);
  process.exit(0);
}

const KERNEL_BTF = '/sys/kernel/btf';
const kernel = systemKernel();
const compiler = new Compiler();
startCommandHost();
const before = openDescriptors();
const text = `#include "check.h"
  struct entry { __u64 count; enum { UP, DOWN } state; char name[8]; };
  struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 4); __type(key, __u32); __type(value, struct entry); }
    inspected_map SEC(".maps");
  static __attribute__((noinline)) int inspected_helper(struct entry *entry) { return entry->count > 7 ? DOWN : UP; }
  SEC("xdp") int inspected_program(struct xdp_md *ctx) {
    __u32 key = ctx->ingress_ifindex;
    struct entry *entry = bpf_map_lookup_elem(&inspected_map, &key);
    if (!entry) return XDP_PASS;
    entry->count++;
    return inspected_helper(entry) ? XDP_DROP : XDP_PASS;
  }
  char _license[] SEC("license") = "GPL";`;
const collection = Collection.load(ObjectFile.open(compiler.source('inspected', text)));
const program = collection.program('inspected_program');
const map = collection.map('inspected_map');
t.teardown(() => {
  collection.close();
  compiler.close();
});

function bpftool(...args: string[]): string {
  return execFileSync('bpftool', args, { encoding: 'utf8', maxBuffer: 1 << 28 });
}

/** Other tests load and unload meanwhile: what is compared is this test's and the kernel's own. */
function own<Listed extends { id: number; name?: string | undefined }>(list: readonly Listed[]): Listed[] {
  const { btfId } = program.info();
  return list.filter(({ id, name }) => id === btfId || name === 'vmlinux');
}

t.test('every BTF in the kernel as bpftool shows it', (t) => {
  const objects = own(listBtfObjects(kernel));
  const theirs = own(JSON.parse(bpftool('-j', 'btf', 'show')) as { id: number; name?: string }[]);
  t.ok(objects.length >= 1);
  t.same(objects.map(btfDocument), theirs);
  const lines = bpftool('btf', 'show').split('\n');
  for (const line of objects.map(btfLine)) t.ok(lines.includes(line), line);
  t.end();
});

t.test('types by the id of the BTF, of a program or of a map', (t) => {
  const info = program.info();
  const rows: readonly (readonly ['id' | 'prog' | 'map', string])[] = [
    ['id', String(info.btfId)],
    ['prog', 'inspected_program'],
    ['prog', String(info.id)],
    ['prog', info.tag],
    ['map', 'inspected_map'],
    ['map', String(map.info().id)],
  ];
  for (const [source, which] of rows) {
    const { btf, roots } = readBtfSource(source, { which });
    const ids: readonly number[] = roots ?? [...btf.ids()];
    const ours = ids.map((id) => rawText(btf, id)).join('\n');
    const place = { id: [which], prog: ['id', String(info.id)], map: ['id', String(map.info().id)] }[source];
    t.equal(`${ours}\n`, bpftool('btf', 'dump', source, ...place, 'format', 'raw'), `${source} ${which}`);
  }
  t.end();
});

t.test('types of a file as bpftool prints them', { skip: !existsSync(`${KERNEL_BTF}/vmlinux`) }, (t) => {
  const modules = readdirSync(KERNEL_BTF).filter((name) => name !== 'vmlinux');
  if (modules.length === 0) t.comment('this kernel has no modules with BTF');
  for (const name of ['vmlinux', ...modules.slice(0, 3)]) {
    const path = join(KERNEL_BTF, name);
    const { btf } = readBtfSource(path);
    const theirs = bpftool('btf', 'dump', 'file', path, 'format', 'raw').split('\n[');
    const own = [...btf.ids()].filter((id) => id >= btf.firstId);
    t.equal(own.length, theirs.length);
    const differing = own.filter((id, index) => {
      const block = theirs[index] ?? '';
      return rawText(btf, id) !== (index === 0 ? block : `[${block}`).trimEnd();
    });
    t.same(differing.slice(0, 3), [], name);
  }
  t.end();
});

t.test('the command', async (t) => {
  const { id } = program.info();
  const shown = await runHosted(['btf', 'show', 'id', String(program.info().btfId), '--json']);
  t.match(JSON.parse(shown.stdout) as unknown, { prog_ids: [id], map_ids: [map.info().id], kernel: false });
  const raw = await runHosted(['btf', 'dump', 'prog', 'inspected_program', '--format', 'raw']);
  t.equal(raw.stdout, bpftool('btf', 'dump', 'prog', 'id', String(id), 'format', 'raw'));
  const json = await runHosted(['btf', 'dump', 'prog', String(id), '--format', 'raw', '--json']);
  t.same(JSON.parse(json.stdout), JSON.parse(bpftool('-j', 'btf', 'dump', 'prog', 'id', String(id))));
  const c = await runHosted(['btf', 'dump', 'map', 'inspected_map', '--root', 'entry']);
  t.match(c.stdout, /\nstruct entry \{\n\t__u64 count;\n/);
  const refused: [string[], number, string][] = [
    [['btf', 'dump'], 2, 'btf dump needs a source: an object, a BTF file, kernel, id ID, …'],
    [['prog', 'show', 'id', 'abc'], 2, 'abc is no id: a whole number from 1 to 4294967295 is wanted'],
    [['btf', 'show', 'nothing'], 2, 'btf show takes nothing, or id and a number'],
    [['btf', 'dump', 'id', 'x'], 2, 'x is no id of a BTF: ts-xdp btf show lists them'],
    [
      ['btf', 'dump', 'link', '3'],
      2,
      'btf knows no link 3: id, prog, map and file are followed by another argument',
    ],
    [['btf', 'dump', 'id', '4294967295'], 1, 'Cannot find BTF 4294967295: the kernel has none of that id'],
    [['btf', 'show', 'id', '4294967295'], 1, 'Cannot find BTF 4294967295: the kernel has none of that id'],
    [
      ['btf', 'dump', 'prog', 'no_such'],
      1,
      'Cannot find program no_such: the kernel has none of that id, name or tag',
    ],
    [
      ['btf', 'dump', 'map', '4294967294'],
      1,
      'Cannot find map 4294967294: the kernel has none of that id or name',
    ],
  ];
  for (const [args, code, message] of refused) {
    const result = await runHosted([...args, '--json']);
    t.equal(result.code, code, args.join(' '));
    t.equal((JSON.parse(result.stdout) as { error: { message: string } }).error.message, message);
  }
  t.end();
});

t.test('programs and maps by what a person calls them', (t) => {
  const ids = (handles: readonly { close: () => void; info: () => { id: number } }[]): number[] =>
    handles.map((handle) => {
      const { id } = handle.info();
      handle.close();
      return id;
    });
  const { id, tag } = program.info();
  // The kernel keeps 15 characters of `inspected_program`.
  for (const selector of ['inspected_program', 'inspected_progr', String(id), tag, tag.toUpperCase()])
    t.same(ids(openPrograms(kernel, selector)), [id], selector);
  t.same(ids(openMaps(kernel, 'inspected_map')), [map.info().id]);
  t.ok([...objectIds(kernel, 'map')].includes(map.info().id));
  const second = Collection.load(ObjectFile.open(compiler.source('inspected', text)));
  t.equal(openPrograms(kernel, tag).map((each) => { each.close(); return each; }).length, 2); // prettier-ignore
  t.match(
    thrown(() => readBtfSource('prog', { which: tag })).message,
    /^Cannot tell which program is meant by [\da-f]{16}: \d+, \d+ are called so$/,
  );
  second.close();
  t.equal(thrown(() => openPrograms(kernel, '/sys/fs/bpf/none')).code, 'PIN_NOT_FOUND');
  t.end();
});

t.test('nothing stays open', (t) => {
  collection.close();
  t.same(openDescriptors(), before);
  t.end();
});
