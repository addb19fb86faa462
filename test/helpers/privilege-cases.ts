/** What docs/privileges.md has a row for, done for real. */
import { readFileSync } from 'node:fs';
import {
  attachCgroup,
  attachFlowDissector,
  attachFreplace,
  attachIterator,
  attachKprobe,
  attachKprobeMulti,
  attachKsyscall,
  attachNetfilter,
  attachNetkit,
  attachPerfEvent,
  attachRawTracepoint,
  attachReuseport,
  attachSkLookup,
  attachSocketFilter,
  attachSockmap,
  attachStructOps,
  attachTc,
  attachTcx,
  attachTracepoint,
  attachTracing,
  attachUprobe,
  attachUprobeMulti,
  attachXdp,
  BpfMap,
  BpfProgram,
  Collection,
  ObjectFile,
  TsXdpError,
} from '../../src/index.ts';
import { LiveStatistics } from '../../src/inspect/index.ts';
import { MapType } from '../../src/maps/index.ts';
import { Socket, socketConstants } from '../../src/sys/index.ts';
import { inProject } from './project-root.ts';

/** Where a case attaches; the interfaces are in the current network namespace. */
export interface PrivilegePlace {
  /** Of `privileges.bpf.c` and of `privileges-struct-ops.bpf.c`. */
  readonly objects: readonly [programs: string, structOps: string];
  readonly interface: string;
  /** Undefined where the kernel has no netkit. */
  readonly netkit: string | undefined;
  readonly cgroup: string;
  /** A program of somebody else's. */
  readonly programId: number;
  readonly mapId: number;
}

export interface PrivilegeCase {
  /** As the first column of the page has it. */
  readonly row: string;
  /** What tells it from others of the row. */
  readonly name: string;
  readonly run: (place: PrivilegePlace) => void;
}

interface Closable {
  close(): void;
}

/** Loads a program, attaches it and closes both. */
function attached(
  row: string,
  program: string,
  attach: (program: BpfProgram, place: PrivilegePlace) => Closable,
): PrivilegeCase {
  const run = (place: PrivilegePlace): void => {
    const object = ObjectFile.open(place.objects[0]);
    using collection = Collection.load(object, { programs: [`on_${program}`] });
    attach(collection.program(`on_${program}`), place).close();
  };
  return { row, name: program, run };
}

const cgroup = (row: string, program: string): PrivilegeCase =>
  attached(row, program, (loaded, place) => attachCgroup(loaded, { cgroup: place.cgroup }));

function created(
  row: string,
  name: keyof typeof MapType,
  sizes: [key: number, value: number],
): PrivilegeCase {
  const [keySize, valueSize] = sizes;
  return {
    row,
    name: `map ${name}`,
    run: (): void => {
      BpfMap.create({ type: MapType[name], keySize, valueSize, maxEntries: 4096, name }).close();
    },
  };
}

const sockets = (attach: (descriptor: number) => Closable): Closable => {
  const { AF_INET, SOCK_DGRAM, SOL_SOCKET } = socketConstants;
  const socket = Socket.open({ domain: AF_INET, type: SOCK_DGRAM, protocol: 0, description: 'socket' });
  try {
    socket.setOption({ level: SOL_SOCKET, name: 15 /* SO_REUSEPORT */ }, 1);
    return attach(socket.fd.value);
  } finally {
    socket.close();
  }
};

const onSockmap = (program: BpfProgram): Closable => {
  using map = BpfMap.create({ type: MapType.SockMap, keySize: 4, valueSize: 4, maxEntries: 1, name: 'map' });
  return attachSockmap(program, { map, via: 'prog_attach' });
};

const library = { path: 'libc.so.6', function: 'getppid' } as const;

/** In the order of the page. */
export const privilegeCases: readonly PrivilegeCase[] = [
  attached('`attachXdp`', 'xdp', (program, place) => attachXdp(program, { interface: place.interface })),
  {
    ...attached('`attachXdp` by netlink', 'xdp', (program, place) =>
      attachXdp(program, { interface: place.interface, via: 'netlink' }),
    ),
    name: 'xdp by netlink',
  },
  attached('`attachTcx`', 'tcx', (program, place) => attachTcx(program, { interface: place.interface })),
  attached('`attachTc`', 'classifier', (program, place) =>
    attachTc(program, { interface: place.interface, direction: 'ingress' }),
  ),
  attached('`attachNetkit`', 'netkit', (program, place) =>
    attachNetkit(program, { interface: place.netkit ?? 'no netkit' }),
  ),
  cgroup('`attachCgroup`: `cgroup_skb/…`', 'cgroup_skb'),
  ...['sock_create', 'connect4', 'setsockopt', 'sysctl', 'device', 'sock_ops'].map((program) =>
    cgroup('`attachCgroup`: `cgroup/…`, `sockops`', program),
  ),
  cgroup('`attachCgroup`: `lsm_cgroup/…`', 'lsm_cgroup'),
  attached('`attachSkLookup`', 'lookup', (program) => attachSkLookup(program)),
  attached('`attachFlowDissector`', 'dissector', (program) => attachFlowDissector(program)),
  attached('`attachNetfilter`', 'filter', (program) =>
    attachNetfilter(program, { family: 'ipv4', hook: 'input', priority: 5 }),
  ),
  attached('`attachSockmap`', 'message', onSockmap),
  attached('`attachSockmap`', 'stream', onSockmap),
  attached('`attachSocketFilter`', 'socket_filter', (program) =>
    sockets((socket) => attachSocketFilter(program, { socket })),
  ),
  attached('`attachReuseport`', 'reuseport', (program) =>
    sockets((socket) => attachReuseport(program, { socket })),
  ),
  attached('`attachTracepoint`', 'tracepoint', (program) =>
    attachTracepoint(program, { tracepoint: 'raw_syscalls/sys_enter' }),
  ),
  attached('`attachRawTracepoint`', 'raw_tp', (program) =>
    attachRawTracepoint(program, { tracepoint: 'sys_enter' }),
  ),
  ...['tp_btf', 'fentry'].map((program) =>
    attached('`attachTracing`', program, (loaded) => attachTracing(loaded)),
  ),
  attached('`attachTracing`: `lsm/…`', 'lsm', (program) => attachTracing(program)),
  {
    row: '`attachFreplace`',
    name: 'replacement',
    run: ({ objects }: PrivilegePlace): void => {
      const object = ObjectFile.open(objects[0]);
      using target = Collection.load(object, { programs: ['replaceable'] });
      const attachTo = new Map([['replacement', target.program('replaceable')]]);
      using collection = Collection.load(object, { programs: ['replacement'], attachTo });
      attachFreplace(collection.program('replacement')).close();
    },
  },
  attached('`attachIterator`', 'iterator', (program) => {
    const tasks = attachIterator(program);
    tasks.text();
    return tasks;
  }),
  attached('`attachPerfEvent`', 'perf_event', (program) =>
    attachPerfEvent(program, { event: 'cpu-clock', sample: { period: 1_000_000 }, pid: process.pid }),
  ),
  attached('`attachKprobe`, `attachKsyscall`', 'kprobe', (program) =>
    attachKprobe(program, { function: 'vfs_read' }),
  ),
  {
    ...attached('`attachKprobe`, `attachKsyscall`', 'kprobe', (program) =>
      attachKsyscall(program, { syscall: 'openat' }),
    ),
    name: 'ksyscall',
  },
  attached('`attachKprobeMulti` by names', 'kprobe_multi', (program) =>
    attachKprobeMulti(program, { functions: ['vfs_read'] }),
  ),
  {
    ...attached('`attachKprobeMulti` by a pattern', 'kprobe_multi', (program) =>
      attachKprobeMulti(program, { functions: 'vfs_rea?' }),
    ),
    name: 'kprobe_multi by a pattern',
  },
  attached('`attachUprobe`, `attachUsdt`', 'uprobe', (program) => attachUprobe(program, library)),
  attached('`attachUprobeMulti`', 'uprobe_multi', (program) =>
    attachUprobeMulti(program, { path: library.path, functions: [library.function] }),
  ),
  {
    row: '`attachStructOps`',
    name: 'tcp_congestion_ops',
    run: ({ objects }: PrivilegePlace): void => {
      using collection = Collection.load(ObjectFile.open(objects[1]));
      const value = collection.structOpsValue('operations');
      attachStructOps(collection.map('operations'), { value }).close();
    },
  },
  {
    row: '`testRun`',
    name: 'test run',
    run: ({ objects }: PrivilegePlace): void => {
      using collection = Collection.load(ObjectFile.open(objects[0]), { programs: ['on_socket_filter'] });
      collection.program('on_socket_filter').testRun({ data: new Uint8Array(64) });
    },
  },
  created('maps', 'Array', [4, 4]),
  created('maps', 'LruHash', [4, 4]),
  created('maps', 'RingBuffer', [0, 0]),
  created('sockmaps, sockhashes, devmaps and AF_XDP maps', 'SockMap', [4, 4]),
  created('sockmaps, sockhashes, devmaps and AF_XDP maps', 'SockHash', [4, 4]),
  created('sockmaps, sockhashes, devmaps and AF_XDP maps', 'DevMap', [4, 4]),
  created('sockmaps, sockhashes, devmaps and AF_XDP maps', 'XskMap', [4, 4]),
  {
    row: 'programs, maps, links and BTF by id; listing them',
    name: 'program by id',
    run: ({ programId }: PrivilegePlace): void => {
      BpfProgram.fromId(programId).close();
    },
  },
  {
    row: 'programs, maps, links and BTF by id; listing them',
    name: 'map by id',
    run: ({ mapId }: PrivilegePlace): void => {
      BpfMap.fromId(mapId).close();
    },
  },
  {
    row: '`ts-xdp top`: the statistics of programs',
    name: 'statistics',
    run: (): void => {
      LiveStatistics.open().close();
    },
  },
];

export interface PrivilegeResult {
  readonly name: string;
  /** Undefined where it was permitted. */
  readonly refusal:
    | { readonly code: string; readonly message: string; readonly missing: readonly string[] | undefined }
    | undefined;
}

/** Tries a case; an error that is not ours passes through. */
export function tryPrivilegeCase({ name, run }: PrivilegeCase, place: PrivilegePlace): PrivilegeResult {
  try {
    run(place);
    return { name, refusal: undefined };
  } catch (error) {
    if (!(error instanceof TsXdpError)) throw error;
    const { missing } = error as { missing?: readonly string[] };
    return { name, refusal: { code: error.code, message: error.message, missing } };
  }
}

/** The first two columns of the page's table: what is done, and the capabilities that it takes. */
export function documentedPrivileges(): ReadonlyMap<string, readonly string[]> {
  const rows = readFileSync(inProject('docs/privileges.md'), 'utf8').matchAll(
    /^\| (.*?) +\| (.*CAP_.*?) +\|/gm,
  );
  return new Map([...rows].map(([, row = '', needed = '']) => [row, needed.match(/CAP_[A-Z_]+/g) ?? []]));
}
