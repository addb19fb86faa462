/** `ts-xdp batch`, `iter pin`, `struct_ops show` and `dump`, `token show`. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { commandLines } from '../../src/cli/batch/run.ts';
import { iterCommands } from '../../src/cli/commands/iter.ts';
import { structOpsCommands } from '../../src/cli/commands/struct-ops.ts';
import { tokenCommands } from '../../src/cli/commands/token.ts';
import { delegatingMounts } from '../../src/cli/token/show.ts';
import { Collection, ObjectFile } from '../../src/index.ts';
import { bpftoolJson, noBpftool } from '../helpers/bpftool.ts';

import { Compiler, whyNotCompile } from '../helpers/compile.ts';
import { BpfFileSystem } from '../helpers/kernel-objects.ts';
import { ObjectFolder } from '../helpers/object-source.ts';
import { openDescriptors } from '../helpers/open-descriptors.ts';
import { runCommand } from '../helpers/run-command.ts';
import { runHosted, startCommandHost } from '../helpers/command-host.ts';

const missing = process.getuid?.() === 0 ? whyNotCompile() || noBpftool : 'programs need root';
if (missing !== false) {
  t.plan(0, missing);
  process.exit(0);
}

startCommandHost();
const before = openDescriptors();
const compiler = new Compiler();
const folder = new ObjectFolder();
const bpffs = new BpfFileSystem();
const source = compiler.source(
  'batched',
  `#include "check.h"
  SEC("xdp") int batched(struct xdp_md *ctx) { return XDP_PASS; }
  char _license[] SEC("license") = "GPL";`,
);
t.teardown(() => {
  bpffs.close();
  folder.close();
  compiler.close();
});

function script(text: string): string {
  const path = join(compiler.folder, 'script');
  writeFileSync(path, text);
  return path;
}

t.test('command lines', (t) => {
  t.same(commandLines('\n# all\nprog show # some\nts-xdp map dump "a map" \\\n  \'b c\'d\n'), [
    { words: ['prog', 'show'], number: 3 },
    { words: ['map', 'dump', 'a map', 'b cd'], number: 4 },
  ]);
  t.throws(() => commandLines('one\nprog "show'), {
    message: 'line 2 of the batch has a quote that does not end',
  });
  t.end();
});

t.test('every line, as one document', async (t) => {
  const pin = join(bpffs.path, 'batched');
  const path = script(
    `prog load ${source} ${pin} # first\n\nprog show pinned ${pin}\nprog run pinned ${pin} data_in ${source}\n`,
  );
  const result = await runHosted(['batch', path, '--json']);
  t.equal(result.code, 0, result.stderr);
  const lines = JSON.parse(result.stdout) as { command: string[]; output: unknown }[];
  t.same(
    lines.map(({ command }) => command.slice(0, 2)),
    [
      ['prog', 'load'],
      ['prog', 'show'],
      ['prog', 'run'],
    ],
  );
  t.equal(lines[0]?.output, null);
  t.match(lines[1]?.output, { name: 'batched', type: 'xdp' });
  t.match(lines[2]?.output, { retval: 2 });
  const text = await runHosted([
    'batch',
    script(`prog show pinned ${pin}\nprog pin pinned ${pin} ${pin}2\n`),
  ]);
  t.match(text.stdout, /^\d+: xdp {2}name batched /);
  t.match(bpftoolJson('prog', 'show', 'pinned', `${pin}2`), { name: 'batched' });
  rmSync(pin);
  rmSync(`${pin}2`);
});

t.test('until one fails', async (t) => {
  const path = script('# a comment\nprog show id 4294967294\nprog show\n');
  const message = 'Cannot find program id 4294967294: the kernel has none of that id';
  const text = await runHosted(['batch', path]);
  t.equal(text.code, 1);
  t.equal(text.stderr, `error: ${message}\nbatch: stopped at line 2 of ${path}: prog show id 4294967294\n`);
  const json = await runHosted(['batch', path, '--json']);
  t.match(JSON.parse(json.stdout), [{ output: { error: { code: 'PROGRAM_NOT_FOUND', message } } }]);
  const unknown = await runHosted(['batch', script('batch x\n')]);
  t.equal(unknown.code, 2);
  t.match(unknown.stderr, /^error: batch does not run another batch\n/);
});

t.test('an iterator is a file', async (t) => {
  const object = folder.compile('link/kinds', { name: 'kinds', defines: { __TARGET_ARCH_x86: '1' } });
  const path = join(bpffs.path, 'tasks');
  t.equal((await runCommand(iterCommands, ['pin', object, path])).document, null);
  t.match(readFileSync(path, 'utf8'), `task ${process.pid}\n`);
  t.match(bpftoolJson('link', 'show', 'pinned', path), { type: 'iter', target_name: 'task' });
  rmSync(path);
  await t.rejects(runCommand(iterCommands, ['pin', source, path]), {
    message: 'Cannot pin an iterator: the object has no program of a section iter/…',
  });
});

t.test('structs of the kernel that programs implement', async (t) => {
  const object = ObjectFile.open(folder.compile('link/struct-ops', { name: 'struct-ops' }));
  using collection = Collection.load(object);
  const maps = [...collection.maps.values()].map((map) => map.info().id);
  const { document, text } = await runCommand(structOpsCommands, ['show']);
  const own = (list: unknown): { id: number }[] =>
    (list as { id: number }[]).filter(({ id }) => maps.includes(id));
  t.ok(own(document).length > 0);
  t.same(own(document), own(bpftoolJson('struct_ops', 'show')));
  const [first] = own(document);
  t.match(text, `${String(first?.id)}: `);
  t.match((await runCommand(structOpsCommands, ['list', 'id', String(first?.id)])).document, [first]);
  await t.rejects(runCommand(structOpsCommands, ['show', 'name', 'none']), { code: 'MAP_NOT_FOUND' });
});

const congestion = `
  #include <linux/bpf.h>
  #include <bpf/bpf_helpers.h>
  struct tcp_congestion_ops {
    __u32 flags; __u32 (*ssthresh)(void *); void (*cong_avoid)(void *, __u32, __u32); __u32 (*undo_cwnd)(void *);
    char name[16];
  };
  SEC("struct_ops") __u32 threshold(__u64 *ctx) { return 2; }
  SEC("struct_ops") void avoid_congestion(__u64 *ctx) { }
  SEC("struct_ops") __u32 undo(__u64 *ctx) { return 2; }
  SEC(".struct_ops") struct tcp_congestion_ops dumped = {
    .ssthresh = (void *)threshold, .cong_avoid = (void *)avoid_congestion, .undo_cwnd = (void *)undo, .name = NAME,
  };
  char _license[] SEC("license") = "GPL";`;

t.test('what is in structs that programs implement', async (t) => {
  const name = `td${process.pid.toString(36)}`;
  const path = compiler.source('dumped', congestion, { flags: [`-DNAME="${name}"`] });
  using collection = Collection.load(ObjectFile.open(path));
  const map = collection.map('dumped');
  const id = String(map.info().id);
  // Asked for an id, bpftool 7.1 leaves the brackets of the list out.
  const command = ['dump', 'name', 'dumped'];
  const empty = await runCommand(structOpsCommands, command);
  t.strictSame(empty.document, bpftoolJson('struct_ops', ...command), 'before it is registered');
  const key = new Uint8Array(4);
  map.setBytes(key, collection.structOpsValue('dumped'));
  const { document, text } = await runCommand(structOpsCommands, command);
  t.strictSame(document, bpftoolJson('struct_ops', ...command), 'as bpftool shows it');
  t.match(document, [
    { bpf_map_info: { id: Number(id), name: 'dumped' } },
    {
      bpf_struct_ops_tcp_congestion_ops: {
        data: {
          name,
          cong_avoid: /^void \(struct sock \*, u32, u32\) avoid_congestion\/prog_id:\d+$/,
          init: 'void (struct sock *) 0',
        },
      },
    },
  ]);
  t.match(text, `"id": ${id},`);
  t.strictSame((await runCommand(structOpsCommands, ['dump', 'id', id])).document, document);
  t.equal(map.delete(key), true);
  await t.rejects(runCommand(structOpsCommands, ['dump', 'name', 'none']), {
    message: 'Cannot find struct_ops map none: the kernel has none of that id or name',
  });
});

t.test('what is delegated', async (t) => {
  t.same(
    delegatingMounts(
      'bpf /a bpf rw,delegate_cmds=map_create:prog_load,delegate_attachs=any 0 0\nbpf /b bpf rw 0 0',
    ),
    [
      {
        place: '/a',
        allowed: {
          allowed_cmds: ['map_create', 'prog_load'],
          allowed_maps: [],
          allowed_progs: [],
          allowed_attachs: ['any'],
        },
      },
    ],
  );
  t.same((await runCommand(tokenCommands, ['list'])).document, []);
});

t.test('nothing stays open', (t) => {
  t.same(openDescriptors(), before);
  t.end();
});
