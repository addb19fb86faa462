/** `ts-xdp link`: every kind of link that this kernel makes, field by field as bpftool shows it. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { linkCommands } from '../../src/cli/commands/link.ts';
import { linkDocument, type ShownLink } from '../../src/cli/link/describe.ts';
import { linkText } from '../../src/cli/link/text.ts';
import { linkText as whoLinkText } from '../../src/cli/who/link-document.ts';
import { listLinks, type LinkHolder } from '../../src/inspect/index.ts';
import { NetworkNamespace, systemKernel } from '../../src/sys/index.ts';
import * as api from '../../src/index.ts';
import type { Collection, Link } from '../../src/index.ts';
import { jsonText } from '../../src/cli/output/json-text.ts';
import { AttachWorld } from '../helpers/attach-world.ts';
import { asBpftoolShows, bpftoolJson, bpftoolVersion, noBpftool, type Document } from '../helpers/bpftool.ts';
import { runCli } from '../helpers/cli.ts';
import { Compiler, whyNotCompile } from '../helpers/compile.ts';
import { ip } from '../helpers/kernel-objects.ts';
import { openDescriptors } from '../helpers/open-descriptors.ts';
import { runCommand } from '../helpers/run-command.ts';

const missing = process.getuid?.() === 0 ? whyNotCompile() || noBpftool : 'links need root';
if (missing !== false) {
  t.plan(0, missing);
  process.exit(0);
}

const xdpText = `#include "check.h"
  SEC("xdp") int shown_xdp(struct xdp_md *ctx) { return XDP_PASS; }
  char _license[] SEC("license") = "GPL";`;
const before = openDescriptors();
const compiler = new Compiler();
const world = new AttachWorld();
const { netns } = world.pair;
const loaded: Collection[] = [];
const links: Link[] = [];
let closed = false;
const close = (): void => {
  if (closed) return;
  closed = true;
  for (const each of [...links, ...loaded]) each.close();
  world.close();
  compiler.close();
};
t.teardown(close);

const run = (words: readonly string[], options: Record<string, unknown> = {}) =>
  runCommand(linkCommands, words, options);

function program(name: string): api.BpfProgram {
  const collection = world.load(name);
  loaded.push(collection);
  return collection.program(name);
}

const ifname = world.pair.receiver.name;
const kinds: Record<string, () => Link> = {
  tcx: () => api.attachTcx(program('on_tcx_ingress'), { interface: ifname, netns }),
  cgroup: () => api.attachCgroup(program('on_connect4'), { cgroup: world.cgroup }),
  netns: () => api.attachSkLookup(program('on_lookup'), { netns }),
  netfilter: () =>
    api.attachNetfilter(program('on_filter'), { family: 'ipv4', hook: 'input', priority: -7, netns }),
  raw_tracepoint: () => api.attachRawTracepoint(program('on_raw_tp'), { tracepoint: 'sys_enter' }),
  tp_btf: () => api.attachTracing(program('on_tp_btf')),
  iter: () => api.attachIterator(program('on_iter_task'), { task: { pid: process.pid } }),
  tracepoint: () => api.attachTracepoint(program('on_tracepoint'), { tracepoint: 'raw_syscalls/sys_enter' }),
  uprobe: () => api.attachUprobe(program('on_uprobe'), { path: world.traced, function: 'traced_add' }),
  uprobe_multi: () =>
    api.attachUprobeMulti(program('on_uprobe_multi'), { path: world.traced, functions: 'traced_*' }),
  event: () =>
    api.attachPerfEvent(program('on_perf_event'), {
      event: 'context-switches',
      sample: { period: 1 },
      pid: process.pid,
    }),
};

for (const [kind, attach] of Object.entries(kinds))
  t.test(kind, async (t) => {
    const link = attach();
    links.push(link);
    const id = String(link.id);
    const ours = (await run(['show', 'id', id])).document;
    const theirs = bpftoolJson('link', 'show', 'id', id);
    // bpftool takes the index for one of the namespace that it runs in, whose interface it names or does not know.
    const place = kind === 'tcx' ? { devname: ifname, netns: world.netnsName } : {};
    const expected = { ...(theirs as Record<string, Document>), ...place };
    t.same(asBpftoolShows(ours, expected), expected);
    if (bpftoolVersion() >= 707) t.same(ours, expected, 'nothing more and nothing less');
    const text = (await run(['list', id])).text;
    t.match(text, new RegExp(`^${id}: \\S+  prog ${String((ours as { prog_id: number }).prog_id)}\n\t`));
  });

t.test('interfaces by name, in the namespace that they are of', async (t) => {
  const [link] = links;
  const prefix = ['ip', 'netns', 'exec', world.netnsName];
  const { stdout } = await runCli(['link', 'show', String(link?.id), '--json'], { prefix });
  t.match(JSON.parse(stdout), {
    devname: ifname,
    ifindex: world.pair.receiver.index,
    attach_type: 'tcx_ingress',
  });
  t.notOk('netns' in (JSON.parse(stdout) as object));
});

t.test('an interface of another namespace whose index is that of one here', async (t) => {
  const namespace = `${world.netnsName}i`;
  ip(`netns add ${namespace}`);
  try {
    ip('link add shown_here index 9731 type veth peer name shown_peer');
    ip('link add elsewhere index 9731 type veth peer name elsewhere_peer', namespace);
    using xdp = api.Collection.load(api.ObjectFile.open(compiler.source('xdp', xdpText)));
    const netns = NetworkNamespace.open(namespace);
    const attached = [
      api.attachTcx(program('on_tcx_ingress'), { interface: 'elsewhere', netns }),
      api.attachXdp(xdp.program('shown_xdp'), { interface: 'elsewhere', netns, modes: ['generic'] }),
    ];
    netns.close();
    for (const link of attached) {
      const { document, text } = await run(['show', 'id', String(link.id)]);
      t.match(document, { devname: 'elsewhere', ifindex: 9731, netns: namespace });
      t.match(text, /\n\tifindex elsewhere\(9731\) /);
      t.ok(text.endsWith(`  netns ${namespace}`), text);
      link.close();
    }
  } finally {
    ip('link del shown_here');
    ip(`netns del ${namespace}`);
  }
});

t.test('holders tell the namespace of a link that is on it as a whole', (t) => {
  const info = listLinks(systemKernel()).find(
    (each) => each.kind === 'netns' && links.some(({ id }) => id === each.id),
  );
  const { holders } = api.holdersOf({ kind: 'program', id: info?.programId ?? 0 });
  const holder = holders.find(({ kind }) => kind === 'link') as LinkHolder | undefined;
  t.same(holder?.place, { netns: { inode: netns.inode, name: world.netnsName }, interface: undefined });
  t.equal(whoLinkText(holder!.info, holder!.place), `sk_lookup of network namespace ${world.netnsName}`);
  t.end();
});

t.test('all links, with pins and holders', async (t) => {
  const path = join(world.bpffs.path, 'a_link');
  await run(['pin', 'id', String(links[1]?.id), path]);
  const { document } = await run(['show'], { bpffs: true, pids: true });
  const own = (document as { id: number; pinned: string[]; pids: { pid: number }[] }[]).filter(({ id }) =>
    links.some((link) => link.id === id),
  );
  t.equal(own.length, links.filter((link) => link.id !== undefined).length);
  t.same(own.find(({ id }) => id === links[1]?.id)?.pinned, [path]);
  for (const { pids } of own) t.ok(pids.some(({ pid }) => pid === process.pid));
  const theirs = bpftoolJson('link', 'show', 'pinned', path);
  t.same(asBpftoolShows((await run(['show', 'pinned', path])).document, theirs), theirs);
  rmSync(path);
});

t.test('kinds that this kernel does not make', (t) => {
  const none = { place: undefined, symbols: new Map(), programType: undefined };
  const symbols = new Map([[0xffff_ffff_8100_0010n, { name: 'vfs_read', module: undefined }]]);
  const facts = { id: 5, programId: 6 };
  const rows: readonly (readonly [ShownLink, string, string])[] = [
    [
      {
        ...none,
        symbols,
        info: {
          ...facts,
          kind: 'kprobe_multi',
          count: 1,
          flags: 1,
          missed: 2n,
          addresses: [0xffff_ffff_8100_0010n],
          cookies: [9n],
        },
      },
      '{"id":5,"type":"kprobe_multi","prog_id":6,"retprobe":true,"func_cnt":1,"missed":2,"funcs":[{"addr":18446744071578845200,"func":"vfs_read","module":null,"cookie":9}]}',
      '5: kprobe_multi  prog 6\n\tfunc_cnt 1\n\t0xffffffff81000010 cookie 9 vfs_read',
    ],
    [
      { ...none, info: { ...facts, kind: 'netkit', attachType: 'netkit_peer', ifindex: 0 } },
      '{"id":5,"type":"netkit","prog_id":6,"devname":"(detached)","ifindex":0,"attach_type":"netkit_peer"}',
      '5: netkit  prog 6\n\tifindex (detached)  attach_type netkit_peer',
    ],
    [
      { ...none, info: { id: 5, programId: 0, kind: 'struct_ops', mapId: 8 } },
      '{"id":5,"type":"struct_ops","prog_id":0,"map_id":8}',
      '5: struct_ops  map 8',
    ],
    [
      { ...none, info: { ...facts, kind: 'sockmap', mapId: 8, attachType: 'sk_msg_verdict' } },
      '{"id":5,"type":"sockmap","prog_id":6,"map_id":8,"attach_type":"sk_msg_verdict"}',
      '5: sockmap  prog 6\n\tmap_id 8  attach_type sk_msg_verdict',
    ],
    [
      {
        ...none,
        info: { ...facts, kind: 'perf_event', event: 'event', type: 3, config: 0x10002n, cookie: 0n },
      },
      '{"id":5,"type":"perf_event","prog_id":6,"event_type":"hw-cache","event_config":"LLC-load-misses","cookie":0}',
      '5: perf_event  prog 6\n\tevent_type hw-cache  event_config LLC-load-misses  cookie 0',
    ],
    [
      { ...none, info: { ...facts, kind: 'unknown', type: 77 } },
      '{"id":5,"type":77,"prog_id":6}',
      '5: type 77  prog 6',
    ],
  ];
  for (const [link, json, text] of rows) {
    t.equal(jsonText(linkDocument(link)), json);
    t.equal(linkText(link), text);
  }
  t.end();
});

t.test('update and detach', async (t) => {
  const id = String(links[0]?.id);
  const next = program('on_tcx_ingress_next');
  const { prog_id: previous } = bpftoolJson('link', 'show', 'id', id) as { prog_id: number };
  const updated = await run(['update', id, 'id', String(next.id)]);
  t.same(updated.document, { id: Number(id), prog_id: next.id, previous_prog_id: previous });
  t.match(bpftoolJson('link', 'show', 'id', id), { prog_id: next.id });
  await run(['detach', 'id', id]);
  const { document, text } = await run(['show', id]);
  t.match(document, { devname: '(detached)', ifindex: 0 });
  t.match(text, '\n\tifindex (detached)  attach_type tcx_ingress');
  const [, ofCgroup, , , tracepoint] = links;
  const refusals: readonly (readonly [string[], RegExp])[] = [
    [
      ['update', String(ofCgroup?.id), 'id', String(next.id)],
      /^Cannot put program \d+ under link \d+: the program is of type sched_cls, and the link wants cgroup_sock_addr \(EINVAL\)$/,
    ],
    [
      ['update', String(tracepoint?.id), 'id', String(next.id)],
      /^Cannot put program \d+ under link \d+: links of type raw_tracepoint keep the program that they were made with \(EINVAL\)$/,
    ],
    [
      ['update', id, 'id', String(next.id)],
      /^Cannot put program \d+ under link \d+: it is detached \(ENOLINK\)$/,
    ],
    [
      ['detach', String(tracepoint?.id)],
      /^Cannot detach link \d+: the kernel detaches no links of type raw_tracepoint, which end with their last holder$/,
    ],
  ];
  for (const [words, message] of refusals) await t.rejects(run(words), { code: 'SYSCALL_FAILED', message });
});

t.test('what cannot be shown', async (t) => {
  const rows: readonly (readonly [string[], string])[] = [
    [['show', 'id', '4294967294'], 'Cannot find link id 4294967294: the kernel has none of that id'],
    [['show', 'name', 'x'], 'Cannot find link name x: links are known by id and by pin alone'],
    [['show', '/no/such'], 'Cannot open pinned link /no/such: there is no such file'],
    [['detach'], 'link detach needs a link'],
    [['pin', '7'], 'link pin needs a path'],
  ];
  for (const [words, message] of rows) await t.rejects(run(words), { message }, message);
});

t.test('nothing stays open', (t) => {
  close();
  t.same(openDescriptors(), before);
  t.end();
});
