/** `ts-xdp net`, `cgroup` and `perf`: what is attached where, field by field as bpftool shows it. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { cgroupCommands } from '../../src/cli/commands/cgroup.ts';
import { netCommands } from '../../src/cli/commands/net.ts';
import { perfCommands } from '../../src/cli/commands/perf.ts';
import { unloadCommand } from '../../src/cli/commands/unload.ts';
import { holdersOf } from '../../src/inspect/index.ts';
import * as api from '../../src/index.ts';
import type { Collection } from '../../src/index.ts';
import { AttachWorld } from '../helpers/attach-world.ts';
import { asBpftoolShows, bpftoolJson, bpftoolVersion, noBpftool, type Document } from '../helpers/bpftool.ts';
import { Compiler, whyNotCompile } from '../helpers/compile.ts';
import { xdpState } from '../helpers/kernel-objects.ts';
import { openDescriptors } from '../helpers/open-descriptors.ts';
import { runCommand } from '../helpers/run-command.ts';
import { VethPair } from '../helpers/veth.ts';

const missing = process.getuid?.() === 0 ? whyNotCompile() || noBpftool : 'hooks need root';
if (missing !== false) {
  t.plan(0, missing);
  process.exit(0);
}

const before = openDescriptors();
const world = new AttachWorld();
const compiler = new Compiler();
// bpftool shows the namespace that it runs in.
const pair = VethPair.open({ namespace: 'current' });
const device = pair.receiver.name;
const opened: { close(): void }[] = [];
let closed = false;
const close = (): void => {
  if (closed) return;
  closed = true;
  for (const each of opened.reverse()) each.close();
  pair.close();
  world.close();
  compiler.close();
};
t.teardown(close);

function load(...names: string[]): Collection {
  const collection = world.load(...names);
  opened.push(collection);
  return collection;
}

const net = (...words: string[]) => runCommand(netCommands, words);
const cgroup = (...words: string[]) => runCommand(cgroupCommands, words);
const unload = (...words: string[]) =>
  runCommand({ name: '', summary: '', commands: [unloadCommand] }, ['unload', ...words], {
    iface: [],
  });

type Net = Record<'xdp' | 'tc' | 'flow_dissector' | 'netfilter', Record<string, Document>[]>;

/** What bpftool of any age shows of the interface. */
async function compareNet(t: Test): Promise<Net> {
  const [ours] = (await net('show', 'dev', device)).document as [Net];
  const [theirs] = bpftoolJson('net', 'show', 'dev', device) as [Net];
  const old = bpftoolVersion() < 704;
  // tcx is newer than some; what each shows beside it has the same order.
  const tc = old ? ours.tc.filter(({ kind }) => (kind as string).startsWith('clsact')) : ours.tc;
  t.same(ours.xdp, theirs.xdp);
  t.same(asBpftoolShows(tc, theirs.tc), theirs.tc);
  if (!old) t.same(ours.tc, theirs.tc, 'nothing more and nothing less');
  return ours;
}

t.test('XDP in each mode that veth has', async (t) => {
  const text = `#include <linux/bpf.h>
    #include <bpf/bpf_helpers.h>
    SEC("xdp") int hooked_one(struct xdp_md *ctx) { return XDP_PASS; }
    SEC("xdp") int hooked_two(struct xdp_md *ctx) { return XDP_DROP; }
    char _license[] SEC("license") = "GPL";`;
  const collection = api.Collection.load(api.ObjectFile.open(compiler.source('hooked', text)));
  opened.push(collection);
  const [one, two] = [collection.program('hooked_one').id, collection.program('hooked_two').id];
  for (const [place, mode, shown] of [
    ['xdpgeneric', 2, 'generic'],
    ['xdpdrv', 1, 'driver'],
  ] as const) {
    t.equal((await net('attach', place, 'id', String(one), 'dev', device)).document, null);
    t.same(xdpState(device), { programId: one, mode });
    t.same((await compareNet(t)).xdp, [
      { devname: device, ifindex: pair.receiver.index, mode: shown, id: one },
    ]);
    await t.rejects(net('attach', place, 'id', String(two), 'dev', device), {
      code: 'ALREADY_ATTACHED',
      hint: `take its place: the word overwrite at the end, or detach it: ts-xdp unload --iface ${device}`,
    });
    await net('attach', place, 'id', String(two), 'dev', device, 'overwrite');
    t.same(xdpState(device), { programId: two, mode });
    await net('detach', place, 'dev', device);
    t.equal(xdpState(device).programId, undefined);
  }
  const { notes } = await net('attach', 'xdp', 'id', String(one), 'dev', device);
  t.same(notes, ['note: attached in native mode']);
  await net('detach', 'xdp', 'dev', device);
  await t.rejects(net('detach', 'xdp', 'dev', device), {
    message: `Cannot detach from ${device} (xdp): no program is attached there`,
  });
});

t.test('tc, tcx by link and without', async (t) => {
  const programs = load('on_classifier', 'on_tcx_ingress', 'on_tcx_egress');
  opened.push(
    api.attachTc(programs.program('on_classifier'), { interface: device, direction: 'egress' }),
    api.attachTcx(programs.program('on_tcx_ingress'), { interface: device }),
  );
  const { id } = programs.program('on_tcx_egress');
  await net('attach', 'tcx_egress', 'id', String(id), 'dev', device);
  const ours = await compareNet(t);
  t.match(ours.tc, [
    { devname: device, kind: 'tcx/ingress', name: 'on_tcx_ingress', link_id: Number, prog_flags: [] },
    { devname: device, kind: 'tcx/egress', name: 'on_tcx_egress', prog_id: id, link_id: 0 },
    {
      devname: device,
      kind: 'clsact/egress',
      name: 'on_classifier',
      id: programs.program('on_classifier').id,
    },
  ]);
  const { text } = await net('show', 'dev', device);
  t.match(text, `${device}(${pair.receiver.index}) tcx/egress name on_tcx_egress prog_id ${id}\n`);
  await net('detach', 'tcx_egress', 'dev', device);
  t.equal((await compareNet(t)).tc.length, 2);
  await t.rejects(net('detach', 'tcx_egress', 'dev', device), {
    message: `Cannot detach from ${device} (tcx_egress): no program is attached there`,
  });
  for (const each of opened.splice(-2).reverse()) each.close();
  execFileSync('tc', ['qdisc', 'del', 'dev', device, 'clsact']);
});

t.test('filters of an ingress qdisc, of a classful one and of its classes', async (t) => {
  const program = load('on_classifier').program('on_classifier');
  const { id } = program;
  const pin = join(world.bpffs.path, 'on_classifier');
  program.pin(pin);
  const tc = (command: string): string =>
    execFileSync('tc', command.replace('DEV', `dev ${device}`).split(' '), { encoding: 'utf8' });
  for (const made of [
    'qdisc add DEV root handle 1: htb',
    'class add DEV parent 1: classid 1:10 htb rate 1mbit',
    'qdisc add DEV ingress',
  ])
    tc(made);
  for (const parent of ['1:', '1:10', 'ffff:'])
    tc(`filter add DEV parent ${parent} protocol all prio 7 bpf direct-action object-pinned ${pin}`);
  try {
    const [ours] = (await net('show', 'dev', device)).document as [Net];
    const name = 'on_classifier:[*fsobj]';
    const place = { devname: device, ifindex: pair.receiver.index };
    t.same(ours.tc, [
      { ...place, kind: 'htb', name, id, parent: '1:10' },
      { ...place, kind: 'htb', name, id, parent: '1:' },
      { ...place, kind: 'ingress', name, id, parent: 'ffff:' },
    ]);
    const [theirs] = bpftoolJson('net', 'show', 'dev', device) as [Net];
    const once = theirs.tc.filter(({ kind }) => kind === 'htb' || kind === 'ingress');
    t.same(asBpftoolShows(ours.tc, once), once);
    for (const { parent } of ours.tc)
      t.match(tc(`filter show DEV parent ${parent as string}`), `id ${id}`, 'tc has it there');
    t.match((await net('show', 'dev', device)).text, `htb name ${name} id ${id} parent 1:10\n`);

    const held = holdersOf({ kind: 'program', id }).holders.filter(({ kind }) => kind === 'tc');
    t.match(held, [
      { qdisc: 'htb', parent: 0x1_0010, direction: 'egress' },
      { qdisc: 'htb', parent: 0x1_0000, direction: 'egress' },
      { qdisc: 'ingress', parent: 0xffff_0000, direction: 'ingress' },
    ]);
    await unload('prog', String(id));
    t.same(((await net('show', 'dev', device)).document as [Net])[0].tc, []);
    for (const parent of ['1:', '1:10', 'ffff:'])
      t.equal(tc(`filter show DEV parent ${parent}`), '', `nothing is left at ${parent}`);
  } finally {
    tc('qdisc del DEV root');
    tc('qdisc del DEV ingress');
  }
});

t.test('a filter of a block that qdiscs share', async (t) => {
  const program = load('on_classifier').program('on_classifier');
  const { id } = program;
  const pin = join(world.bpffs.path, 'in_a_block');
  program.pin(pin);
  const tc = (...words: string[]): string => execFileSync('tc', words, { encoding: 'utf8' });
  const devices = [device, pair.sender.name];
  for (const each of devices) tc('qdisc', 'add', 'dev', each, 'ingress_block', '22', 'clsact');
  try {
    tc('filter', 'add', 'block', '22', 'bpf', 'direct-action', 'object-pinned', pin);
    const [ours] = (await net('show', 'dev', device)).document as [Net];
    t.match(ours.tc, [{ kind: 'clsact/ingress', id }]);
    const held = holdersOf({ kind: 'program', id }).holders.filter(({ kind }) => kind === 'tc');
    t.same(
      held.map((holder) => holder.kind === 'tc' && holder.block),
      [22, 22],
    );
    await unload('prog', String(id));
    t.equal(tc('filter', 'show', 'block', '22'), '', 'is deleted by the number of the block');
  } finally {
    for (const each of devices) tc('qdisc', 'del', 'dev', each, 'clsact');
  }
});

t.test('netfilter programs of every namespace', async (t) => {
  const program = load('on_filter').program('on_filter');
  const { netns } = world.pair;
  opened.push(api.attachNetfilter(program, { family: 'ipv6', hook: 'output', priority: 5, netns }));
  const [ours] = (await net('show')).document as [Net];
  const expected = { pf: 10, hook: 3, prio: 5, flags: 0, id: program.id };
  t.same(
    ours.netfilter.find(({ id }) => id === program.id),
    expected,
  );
  const [theirs] = bpftoolJson('net', 'show') as [Partial<Net>];
  if (theirs.netfilter)
    t.same(
      theirs.netfilter.find(({ id }) => id === program.id),
      expected,
    );
});

t.test('programs of cgroups', async (t) => {
  const below = join(world.cgroup, 'below');
  mkdirSync(below);
  const programs = load('on_connect4', 'on_connect4_next', 'on_sysctl');
  opened.push(api.attachCgroup(programs.program('on_connect4'), { cgroup: world.cgroup }));
  const sysctl = programs.program('on_sysctl');
  await cgroup('attach', below, 'sysctl', 'id', String(sysctl.id), 'override');
  await cgroup(
    'attach',
    world.cgroup,
    'cgroup_inet4_connect',
    'id',
    String(programs.program('on_connect4_next').id),
    'multi',
  );
  const twice = ['attach', world.cgroup, 'connect4', 'id', String(programs.program('on_connect4_next').id)];
  await t.rejects(cgroup(...twice, 'multi'), {
    code: 'ALREADY_ATTACHED',
    message: `Cannot attach on_connect4_next to cgroup ${world.cgroup}: it is attached there already`,
  });
  for (const words of [[world.cgroup], [below]]) {
    const ours = (await cgroup('show', ...words)).document;
    t.same(ours, bpftoolJson('cgroup', 'show', ...words), words.join(' '));
  }
  const effective = (await cgroup('show', below, 'effective')).document as { id: number }[];
  const theirs = bpftoolJson('cgroup', 'show', below, 'effective') as { id: number }[];
  t.same(effective.map(({ id }) => id).sort(), theirs.map(({ id }) => id).sort());
  t.ok(effective.length >= 3);
  t.same((await cgroup('tree', world.cgroup)).document, bpftoolJson('cgroup', 'tree', world.cgroup));
  const { text } = await cgroup('show', below);
  t.match(
    text,
    new RegExp(`^ID +AttachType +AttachFlags +Name\n${sysctl.id} +cgroup_sysctl +override +on_sysctl$`),
  );
  await cgroup('detach', below, 'sysctl', 'id', String(sysctl.id));
  t.same((await cgroup('list', below)).document, []);
  await t.rejects(cgroup('detach', below, 'sysctl', 'id', String(sysctl.id)), {
    message: `Cannot detach on_sysctl from cgroup ${below}: it is not attached there`,
  });
  await t.rejects(cgroup('attach', below, 'nowhere', '1'), {
    message: /^cgroups have no hook nowhere: ingress, /,
  });
  await t.rejects(cgroup('show', '/no/such'), { code: 'CGROUP_NOT_FOUND' });
  rmdirSync(below);
});

t.test('events of processes', async (t) => {
  const programs = load('on_tracepoint', 'on_uprobe', 'on_raw_tp');
  opened.push(
    api.attachTracepoint(programs.program('on_tracepoint'), { tracepoint: 'raw_syscalls/sys_enter' }),
    api.attachUprobe(programs.program('on_uprobe'), {
      path: world.traced,
      function: 'traced_add',
      via: 'tracefs',
    }),
    api.attachRawTracepoint(programs.program('on_raw_tp'), { tracepoint: 'sys_enter' }),
  );
  type Event = { pid: number; fd: number };
  const own = (list: Document): Event[] => (list as Event[]).filter(({ pid }) => pid === process.pid);
  const { document, text } = await runCommand(perfCommands, ['show']);
  const theirs = own(bpftoolJson('perf', 'show'));
  const byFd = (one: Event, other: Event): number => one.fd - other.fd;
  t.ok(theirs.length >= 2);
  t.same(own(document).sort(byFd), theirs.sort(byFd));
  t.match(
    text,
    new RegExp(`pid ${process.pid}  fd \\d+: prog_id \\d+  uprobe  filename ${world.traced}  offset \\d+`),
  );
});

t.test('what the words must be', async (t) => {
  const rows: readonly (readonly [string[], string])[] = [
    [['show', 'eth0'], 'net show needs dev and an interface, not eth0: dev'],
    [['show', 'dev'], 'net show needs the name of an interface'],
    [
      ['attach', 'tc', '5'],
      'net attach needs where to attach, not tc: xdp, xdpgeneric, xdpdrv, xdpoffload, tcx_ingress, tcx_egress',
    ],
    [
      ['attach', 'tcx_egress', '5', 'dev', 'lo', 'overwrite'],
      'net attach overwrites xdp alone: tcx runs all that are attached',
    ],
  ];
  for (const [words, message] of rows) await t.rejects(net(...words), { message }, message);
  await t.rejects(net('show', 'dev', 'no-such'), { code: 'INTERFACE_NOT_FOUND' });
});

t.test('nothing stays open', (t) => {
  close();
  t.same(openDescriptors(), before);
  t.end();
});
