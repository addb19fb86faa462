/** Every kind of attachment by one contract: it runs while attached and no longer, by handle and by pin. */
import { statSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Test } from 'tap';
import {
  attachCgroup,
  attachFlowDissector,
  attachKprobe,
  attachKprobeMulti,
  attachKsyscall,
  attachNetfilter,
  attachPerfEvent,
  attachRawTracepoint,
  attachSkLookup,
  attachTc,
  attachTcx,
  attachTracepoint,
  attachTracing,
  attachUprobe,
  attachUprobeMulti,
  attachUsdt,
  attachXdp,
  BpfLink,
  type BpfProgram,
  type Collection,
  type Link,
  type LinkInfo,
  XdpLink,
  type XdpOptions,
} from '../../src/index.ts';
import { AttachWorld } from '../helpers/attach-world.ts';
import { notRoot } from '../helpers/cli.ts';
import { endAttachTest, isKernelBefore, whyNotHere } from '../helpers/lacking.ts';
import { noClang } from '../helpers/object-source.ts';
import { openDescriptors } from '../helpers/open-descriptors.ts';
import { thrown } from '../helpers/thrown.ts';
import { until } from '../helpers/until.ts';

const skip = notRoot || noClang;
if (skip !== false) {
  t.plan(0, skip);
  process.exit(0);
}

const world = new AttachWorld();
t.teardown(() => {
  world.close();
});
const { pair } = world;
const netns = pair.netns;

interface Kind {
  readonly name: string;
  /** Of the object, without `on_`; `NAME_next` takes its place where it can be updated. */
  readonly program: string;
  readonly attach: (program: BpfProgram, collection: Collection) => Link;
  readonly fire: () => void;
  /** Fields of `info()`, for bpf_links. */
  readonly info?: Record<string, unknown>;
  readonly update?: boolean;
  /** It runs for every process, so that this one's deeds must be told apart. */
  readonly everywhere?: boolean;
  /** Why it cannot be pinned, where it is no bpf_link. */
  readonly unpinnable?: RegExp;
}

const sender = pair.sender.name;
const receiver = pair.receiver.name;
const callSystem = (): void => {
  statSync('/');
};
const udp = 'echo x > /dev/udp/127.0.0.1/9';
const cgroup = (name: string, script: string, attachType: string): Kind => ({
  name: `cgroup: ${name}`,
  program: name,
  attach: (program) => attachCgroup(program, { cgroup: world.cgroup }),
  fire: () => {
    world.inCgroup(script);
  },
  info: { kind: 'cgroup', attachType },
  update: true,
});

const xdp = (name: string, options: Pick<XdpOptions, 'modes' | 'via'>): Kind => ({
  name,
  program: 'xdp',
  attach: (program) => attachXdp(program, { interface: receiver, netns, ...options }),
  fire: () => {
    world.sendFrame();
  },
  update: true,
  ...(options.via === 'netlink'
    ? { unpinnable: /it was made by netlink$/ }
    : { info: { kind: 'xdp', ifindex: pair.receiver.index } }),
});

const kinds: readonly Kind[] = [
  xdp('XDP, native', { modes: ['native'], via: 'link' }),
  xdp('XDP, generic', { modes: ['generic'], via: 'link' }),
  xdp('XDP by netlink, native', { modes: ['native'], via: 'netlink' }),
  xdp('XDP by netlink, generic', { modes: ['generic'], via: 'netlink' }),
  {
    name: 'tcx ingress',
    program: 'tcx_ingress',
    attach: (program) => attachTcx(program, { interface: receiver, netns }),
    fire: () => {
      world.sendFrame();
    },
    info: { kind: 'tcx', attachType: 'tcx_ingress', ifindex: pair.receiver.index },
    update: true,
  },
  {
    name: 'tcx egress',
    program: 'tcx_egress',
    attach: (program) => attachTcx(program, { interface: sender, netns }),
    fire: () => {
      world.sendFrame();
    },
    info: { kind: 'tcx', attachType: 'tcx_egress', ifindex: pair.sender.index },
    update: true,
  },
  ...(['ingress', 'egress'] as const).map((direction): Kind => ({
    name: `tc ${direction}`,
    program: 'classifier',
    attach: (program) =>
      attachTc(program, { interface: direction === 'ingress' ? receiver : sender, direction, netns }),
    fire: () => {
      world.sendFrame();
    },
    update: true,
    unpinnable: /it was made by netlink$/,
  })),
  cgroup('cgroup_egress', udp, 'cgroup_inet_egress'),
  cgroup('sock_create', udp, 'cgroup_inet_sock_create'),
  cgroup('connect4', udp, 'cgroup_inet4_connect'),
  cgroup('sysctl', 'cat /proc/sys/kernel/ostype > /dev/null', 'cgroup_sysctl'),
  cgroup('device', 'cat /dev/null', 'cgroup_device'),
  {
    name: 'cgroup without a link',
    program: 'connect4',
    attach: (program) => attachCgroup(program, { cgroup: world.cgroup, via: 'prog_attach' }),
    fire: () => {
      world.inCgroup(udp);
    },
    unpinnable: /it was made without a bpf_link$/,
  },
  {
    name: 'sk_lookup',
    program: 'lookup',
    attach: (program) => attachSkLookup(program, { netns }),
    fire: () => {
      world.inNamespace(udp);
    },
    info: { kind: 'netns', attachType: 'sk_lookup', inode: netns.inode },
    update: true,
  },
  {
    name: 'flow dissector',
    program: 'dissector',
    attach: (program) => attachFlowDissector(program, { netns }),
    fire: () => {
      world.sendFrame();
    },
    info: { kind: 'netns', attachType: 'flow_dissector', inode: netns.inode },
    update: true,
  },
  {
    name: 'netfilter',
    program: 'filter',
    attach: (program) => attachNetfilter(program, { family: 'ipv4', hook: 'input', priority: -7, netns }),
    fire: () => {
      world.inNamespace(udp);
    },
    info: { kind: 'netfilter', protocolFamily: 2, hook: 1, priority: -7, flags: 0 },
  },
  {
    name: 'raw tracepoint',
    program: 'raw_tp',
    attach: (program) => attachRawTracepoint(program, { tracepoint: 'sys_enter' }),
    fire: callSystem,
    everywhere: true,
    info: { kind: 'raw_tracepoint', tracepoint: 'sys_enter', cookie: 0n },
  },
  {
    name: 'tp_btf',
    program: 'tp_btf',
    attach: (program) => attachTracing(program),
    fire: callSystem,
    everywhere: true,
    info: { kind: 'raw_tracepoint', tracepoint: 'sys_enter' },
  },
  {
    name: 'tracepoint',
    program: 'tracepoint',
    attach: (program) => attachTracepoint(program, { tracepoint: 'raw_syscalls/sys_enter' }),
    fire: callSystem,
    everywhere: true,
    info: { kind: 'perf_event', event: 'tracepoint', tracepoint: 'sys_enter' },
  },
  {
    name: 'perf event',
    program: 'perf_event',
    attach: (program) =>
      attachPerfEvent(program, { event: 'context-switches', sample: { period: 1 }, pid: process.pid }),
    // Waiting for a child gives the CPU away.
    fire: () => world.runTraced(),
    info: { kind: 'perf_event', event: 'event', type: 1, config: 3n },
  },
  {
    name: 'uprobe',
    program: 'uprobe',
    attach: (program) => attachUprobe(program, { path: world.traced, function: 'traced_add' }),
    fire: () => world.runTraced(),
    info: { kind: 'perf_event', event: 'uprobe', path: world.traced },
  },
  {
    name: 'uretprobe of a function that is not exported',
    program: 'uretprobe',
    attach: (program) =>
      attachUprobe(program, { path: world.traced, function: 'traced_hidden', onReturn: true }),
    fire: () => world.runTraced(),
    info: { kind: 'perf_event', event: 'uretprobe', path: world.traced },
  },
  {
    name: 'uprobe by tracefs',
    program: 'uprobe',
    attach: (program) =>
      attachUprobe(program, { path: world.traced, function: 'traced_add', via: 'tracefs' }),
    fire: () => world.runTraced(),
    unpinnable: /it is no bpf_link, and goes with this process$/,
  },
  {
    name: 'uprobe.multi',
    program: 'uprobe_multi',
    attach: (program) => attachUprobeMulti(program, { path: world.traced, functions: 'traced_*' }),
    fire: () => world.runTraced(),
    info: { kind: 'uprobe_multi', path: world.traced, flags: 0, pid: 0 },
  },
  {
    name: 'USDT',
    program: 'usdt',
    attach: (program, collection) =>
      attachUsdt(program, {
        path: world.traced,
        provider: 'traced',
        name: 'round',
        maps: {
          specs: collection.map('__bpf_usdt_specs'),
          instructions: collection.map('__bpf_usdt_ip_to_spec_id'),
        },
      }),
    fire: () => world.runTraced(),
    unpinnable: /it is of several links$/,
  },
  {
    name: 'kprobe',
    program: 'kprobe',
    attach: (program) => attachKprobe(program, { function: 'vfs_read' }),
    fire: () => world.runTraced(),
    info: { kind: 'perf_event', event: 'kprobe', function: 'vfs_read' },
  },
  {
    name: 'kretprobe',
    program: 'kretprobe',
    attach: (program) => attachKprobe(program, { function: 'vfs_read', onReturn: true }),
    fire: () => world.runTraced(),
    info: { kind: 'perf_event', event: 'kretprobe', function: 'vfs_read' },
  },
  {
    name: 'ksyscall',
    program: 'ksyscall',
    attach: (program) => attachKsyscall(program, { syscall: 'openat' }),
    fire: () => world.runTraced(),
  },
  {
    name: 'kprobe.multi',
    program: 'kprobe_multi',
    attach: (program) => attachKprobeMulti(program, { functions: ['vfs_read', 'vfs_write'] }),
    fire: () => world.runTraced(),
    info: { kind: 'kprobe_multi', count: 2 },
  },
  {
    name: 'fentry',
    program: 'fentry',
    attach: (program) => attachTracing(program),
    fire: () => world.runTraced(),
    info: { kind: 'tracing', attachType: 'trace_fentry' },
  },
  {
    name: 'fexit',
    program: 'fexit',
    attach: (program) => attachTracing(program),
    fire: () => world.runTraced(),
    info: { kind: 'tracing', attachType: 'trace_fexit' },
  },
  {
    name: 'LSM',
    program: 'lsm',
    attach: (program) => attachTracing(program),
    fire: () => world.runTraced(),
    info: { kind: 'tracing', attachType: 'lsm_mac' },
  },
];

/** Loads the programs of a kind. */
function load(kind: Kind): Collection {
  const { program } = kind;
  const programs = kind.update === true ? [`on_${program}`, `on_${program}_next`] : [`on_${program}`];
  const collection = world.load(...programs);
  collection.variable('only_pid').set(kind.everywhere === true ? process.pid : 0);
  return collection;
}

/** What kernels may forbid or be built without, whatever their version. */
const mayForbid = ['kprobe', 'kretprobe', 'ksyscall', 'kprobe.multi', 'fentry', 'fexit', 'LSM'];
const options: Readonly<Record<string, string>> = { 'kprobe.multi': 'CONFIG_FPROBE' };

for (const kind of kinds) {
  t.test(kind.name, async (t) => {
    const before = openDescriptors();
    let collection: Collection | undefined;
    let missing: string | undefined;
    try {
      collection = load(kind);
      const link = kind.attach(collection.program(`on_${kind.program}`), collection);
      await checkContract(t, { kind, collection, link });
      if (kind.unpinnable) checkUnpinnable(t, { kind, collection });
      else if (isKernelBefore('5.13') && kind.info?.['kind'] === 'tracing')
        t.comment('skipped: before Linux 5.13 such a program is attached only once');
      else {
        await checkPin(t, { kind, collection });
        checkDetachedByOthers(t, { kind, collection });
      }
    } catch (error) {
      const option = options[kind.name];
      missing = whyNotHere(error, { mayForbid: mayForbid.includes(kind.name), option });
      if (missing === undefined) throw error;
    } finally {
      collection?.close();
    }
    endAttachTest(t, { before, missing });
  });
}

/** One that has an id, and can be pinned. */
function isBpfLink(link: Link): link is BpfLink | XdpLink {
  return link instanceof BpfLink || link instanceof XdpLink;
}

function infoOfLink(link: BpfLink | XdpLink): LinkInfo {
  if (link instanceof BpfLink) return link.info();
  using other = BpfLink.fromId(link.id);
  return other.info();
}

interface Attached {
  readonly kind: Kind;
  readonly collection: Collection;
}

function hits({ kind, collection }: Attached, suffix = ''): number {
  return Number(collection.variable(`${kind.program}${suffix}_hits`).get());
}

/** How often it ran while it was made to. */
function fired(attached: Attached, suffix = ''): number {
  const before = hits(attached, suffix);
  attached.kind.fire();
  return hits(attached, suffix) - before;
}

/** What the kernel lets go of in its own time still runs for a moment. */
async function checkSilent(t: Test, attached: Attached): Promise<void> {
  await until(() => fired(attached) === 0);
  t.equal(fired(attached), 0, 'detached it does not run');
}

/** What the kernel tells of a link; of perf events and of several probes not before 6.6. */
function infoOf({ info }: Kind): Record<string, unknown> | undefined {
  const isOfProbe = ['perf_event', 'kprobe_multi', 'uprobe_multi'].includes(String(info?.['kind']));
  return isOfProbe && isKernelBefore('6.6') ? { kind: info?.['kind'] } : info;
}

async function checkContract(t: Test, { kind, collection, link }: Attached & { link: Link }): Promise<void> {
  t.ok(fired({ kind, collection }) > 0, 'attached it runs');
  t.equal(link.closed, false);
  t.equal(link.attached, true);
  if (isBpfLink(link)) {
    const { id } = link;
    t.match(infoOfLink(link), {
      ...{ id, programId: collection.program(`on_${kind.program}`).id },
      ...infoOf(kind),
    });
  } else {
    t.equal(link.id, undefined);
  }
  if (kind.update === true && 'update' in link) {
    const next = collection.program(`on_${kind.program}_next`);
    (link as BpfLink).update(next);
    t.ok(fired({ kind, collection }, '_next') > 0, 'the other program runs in its place');
    t.equal(fired({ kind, collection }), 0, 'and this one no longer');
    if (isBpfLink(link)) t.equal(infoOfLink(link).programId, next.id);
  }
  link.close();
  link.close();
  t.equal(link.closed, true);
  await checkSilent(t, { kind, collection });
  t.equal(
    thrown(() => {
      link.pin(join(world.bpffs.path, 'late'));
    }).code,
    isBpfLink(link) ? 'CLOSED' : 'ARGUMENT_INVALID',
  );
  if (link instanceof BpfLink) t.equal(thrown(() => link.info()).code, 'CLOSED');
  t.equal(thrown(() => link.attached).code, 'CLOSED');
}

/** The kernel lets others detach these (BPF_LINK_DETACH), and of netfilter does not tell. */
const detachable = ['xdp', 'cgroup', 'tcx', 'netns', 'netfilter'];

function checkDetachedByOthers(t: Test, { kind, collection }: Attached): void {
  const link = kind.attach(collection.program(`on_${kind.program}`), collection);
  if (!isBpfLink(link)) {
    link.close();
    return;
  }
  const { kind: type } = infoOfLink(link);
  using other = BpfLink.fromId(link.id);
  if (detachable.includes(type)) {
    other.forceDetach();
    t.equal(link.attached, type === 'netfilter', 'detached by somebody else');
  } else {
    const error = thrown(() => {
      other.forceDetach();
    });
    t.match(error.message, /: the kernel detaches no links of type \S+, which end with their last holder$/);
    t.equal(link.attached, true);
  }
  link.close();
}

function checkUnpinnable(t: Test, { kind, collection }: Attached): void {
  const link = kind.attach(collection.program(`on_${kind.program}`), collection);
  const error = thrown(() => {
    link.pin(join(world.bpffs.path, 'link'));
  });
  t.equal(error.code, 'ARGUMENT_INVALID');
  t.match(error.message, kind.unpinnable);
  link.close();
}

async function checkPin(t: Test, attached: Attached): Promise<void> {
  const { kind, collection } = attached;
  const path = join(world.bpffs.path, 'link');
  const link = kind.attach(collection.program(`on_${kind.program}`), collection);
  if (!isBpfLink(link) && isKernelBefore('5.15')) {
    t.comment('skipped: perf events have no links before Linux 5.15');
    link.close();
    return;
  }
  const { id } = link;
  link.pin(path);
  link.close();
  t.ok(fired(attached) > 0, 'the pin keeps it attached');
  const again = BpfLink.fromPin(path);
  t.equal(again.id, id, 'the pin is of the same link');
  t.match(again.info(), { id, ...infoOf(kind) });
  unlinkSync(path);
  t.ok(fired(attached) > 0, 'reopened, the handle keeps it attached');
  again.close();
  await checkSilent(t, attached);
}
