/** What kernels say that lack a kind of attachment: the feature and its first version, found by trying. */
import t from 'tap';
import {
  attachCgroup,
  attachKprobeMulti,
  attachNetfilter,
  attachRawTracepoint,
  attachSkLookup,
  attachSockmap,
  attachStructOps,
  attachTracing,
  attachUprobeMulti,
  BpfMap,
  BpfProgram,
  UnsupportedFeatureError,
} from '../../src/index.ts';
import { findCgroupMount } from '../../src/link/index.ts';
import { errno, Fd } from '../../src/sys/index.ts';
import * as uapi from '../../src/uapi/index.ts';
import { RecordingKernel } from '../helpers/recording-kernel.ts';
import { thrown } from '../helpers/thrown.ts';

/** A kernel that loads programs, and refuses these commands as one that does not know what they ask for. */
function lacking(...commands: number[]): RecordingKernel {
  const kernel: RecordingKernel = new RecordingKernel(({ command }) =>
    commands.includes(command) ? -errno.EINVAL : kernel.newDescriptor(),
  );
  return kernel;
}

function programOf(kernel: RecordingKernel, type: number, attachType = 0): BpfProgram {
  const fd = new Fd(kernel, kernel.newDescriptor(), 'program pass');
  return new BpfProgram(fd, { name: 'pass', type, attachType, kernel });
}

function mapOf(kernel: RecordingKernel, facts: { type: number; flags?: number }): BpfMap {
  const fd = new Fd(kernel, kernel.newDescriptor(), 'map sockets');
  const { type, flags = 0 } = facts;
  return new BpfMap(fd, {
    kernel,
    name: 'sockets',
    type,
    keySize: 4,
    valueSize: 4,
    maxEntries: 1,
    flags,
    types: undefined,
  });
}

t.test('each kind names its feature and the first kernel', (t) => {
  const cases: [attach: (kernel: RecordingKernel) => unknown, feature: string, minKernel: string][] = [
    [
      (kernel) => attachSkLookup(programOf(kernel, uapi.BPF_PROG_TYPE_SK_LOOKUP)),
      'sk_lookup programs',
      '5.9',
    ],
    [
      (kernel) =>
        attachNetfilter(programOf(kernel, uapi.BPF_PROG_TYPE_NETFILTER), {
          family: 'ipv4',
          hook: 'input',
          priority: 1,
        }),
      'netfilter programs',
      '6.4',
    ],
    [
      (kernel) =>
        attachSockmap(programOf(kernel, uapi.BPF_PROG_TYPE_SK_MSG), {
          map: mapOf(kernel, { type: uapi.BPF_MAP_TYPE_SOCKMAP }),
        }),
      'bpf_link for sockmaps',
      '6.10',
    ],
    [
      (kernel) =>
        attachKprobeMulti(programOf(kernel, uapi.BPF_PROG_TYPE_KPROBE), { functions: ['vfs_read'] }),
      'kprobe.multi',
      '5.18',
    ],
    [
      (kernel) =>
        attachUprobeMulti(programOf(kernel, uapi.BPF_PROG_TYPE_KPROBE), {
          path: process.execPath,
          offsets: [1n],
        }),
      'uprobe.multi',
      '6.6',
    ],
    [
      (kernel) =>
        attachKprobeMulti(programOf(kernel, uapi.BPF_PROG_TYPE_KPROBE, uapi.BPF_TRACE_KPROBE_SESSION), {
          functions: ['vfs_read'],
        }),
      'kprobe.session',
      '6.10',
    ],
    [
      (kernel) =>
        attachUprobeMulti(programOf(kernel, uapi.BPF_PROG_TYPE_KPROBE, uapi.BPF_TRACE_UPROBE_SESSION), {
          path: process.execPath,
          offsets: [1n],
        }),
      'uprobe.session',
      '6.13',
    ],
  ];
  for (const [attach, feature, minKernel] of cases) {
    const kernel = lacking(uapi.BPF_LINK_CREATE);
    const error = thrown(() => attach(kernel));
    t.type(error, UnsupportedFeatureError, feature);
    t.match(error, { feature, minKernel });
    t.match(error.message, `: this kernel has no ${feature} (since Linux ${minKernel})`);
  }
  t.end();
});

t.test('cookies that a kernel does not know are no cookies that it ignores', (t) => {
  const raw = lacking(uapi.BPF_RAW_TRACEPOINT_OPEN);
  t.match(
    thrown(() =>
      attachRawTracepoint(programOf(raw, uapi.BPF_PROG_TYPE_RAW_TRACEPOINT), { tracepoint: 'x', cookie: 1n }),
    ),
    {
      code: 'UNSUPPORTED_FEATURE',
      message: 'Cannot attach pass to x: this kernel has no cookies for raw tracepoints (since Linux 6.10)',
    },
  );
  const tracing = lacking(uapi.BPF_LINK_CREATE);
  t.match(
    thrown(() =>
      attachTracing(programOf(tracing, uapi.BPF_PROG_TYPE_TRACING, uapi.BPF_TRACE_FENTRY), {
        cookie: 1n,
        target: 'vfs_read',
      }),
    ),
    {
      code: 'UNSUPPORTED_FEATURE',
      message:
        'Cannot attach pass to vfs_read: this kernel has no cookies for tracing programs (since Linux 5.19)',
    },
  );
  t.end();
});

t.test('struct_ops', (t) => {
  const kernel = lacking(uapi.BPF_LINK_CREATE, uapi.BPF_MAP_CREATE);
  const map = mapOf(kernel, { type: uapi.BPF_MAP_TYPE_STRUCT_OPS, flags: uapi.BPF_F_LINK });
  t.match(
    thrown(() => attachStructOps(map)),
    { feature: 'bpf_link for struct_ops', minKernel: '6.4' },
  );
  const plain = mapOf(kernel, { type: uapi.BPF_MAP_TYPE_STRUCT_OPS });
  t.equal(
    thrown(() => attachStructOps(plain)).message,
    'Cannot register struct_ops map sockets: its value is not given',
  );
  t.equal(
    thrown(() => attachStructOps(mapOf(kernel, { type: uapi.BPF_MAP_TYPE_HASH }))).message,
    'Cannot attach map sockets: it is no struct_ops map',
  );
  t.end();
});

t.test('arguments are checked before the kernel is asked', (t) => {
  const kernel = new RecordingKernel();
  const skb = programOf(kernel, uapi.BPF_PROG_TYPE_SOCK_OPS);
  t.equal(
    thrown(() => attachCgroup(skb, { cgroup: '/' })).message,
    'Cannot attach pass to a cgroup: nothing says its attach type',
  );
  skb.close();
  t.equal(thrown(() => attachCgroup(skb, { cgroup: '/' })).code, 'CLOSED');
  t.equal(kernel.calls.length, 0);
  t.end();
});

t.test('cgroup v2 is found where it is mounted', (t) => {
  const line = (point: string, type: string): string =>
    `36 25 0:31 / ${point} rw,nosuid shared:9 - ${type} ${type} rw`;
  t.equal(findCgroupMount([line('/sys/fs/cgroup', 'cgroup2')].join('\n')), '/sys/fs/cgroup');
  const hybrid = [
    line('/sys/fs/cgroup', 'tmpfs'),
    line('/sys/fs/cgroup/cpu', 'cgroup'),
    line('/sys/fs/cgroup/unified', 'cgroup2'),
  ];
  t.equal(findCgroupMount(hybrid.join('\n')), '/sys/fs/cgroup/unified');
  t.equal(findCgroupMount(line('/a\\040b', 'cgroup2')), '/a b');
  t.match(
    thrown(() => findCgroupMount(line('/sys/fs/cgroup/cpu', 'cgroup'))),
    { code: 'FILE_NOT_FOUND', hint: 'mount it: mount -t cgroup2 none /sys/fs/cgroup' },
  );
  t.end();
});

t.test('a tracing program without a trampoline: what is known of why', (t) => {
  let answer = 0;
  const kernel: RecordingKernel = new RecordingKernel(({ command }) => {
    if (command !== uapi.BPF_RAW_TRACEPOINT_OPEN) return 0;
    return answer === 0 ? kernel.newDescriptor() : answer;
  });
  const program = programOf(kernel, uapi.BPF_PROG_TYPE_TRACING, uapi.BPF_TRACE_FENTRY);
  const once = 'this kernel attaches such a program only once (again since Linux 5.13)';
  const refused = (why: string): void => {
    t.match(
      thrown(() => attachTracing(program, { target: 'do_unlinkat' })),
      { code: 'ATTACH_REFUSED', message: `Cannot attach pass to do_unlinkat: ${why}` },
    );
  };
  answer = -errno.ENOENT;
  refused(`what it was loaded for is gone, or it was attached before and ${once}`);
  answer = 0;
  attachTracing(program).close();
  answer = -errno.ENOENT;
  refused(`it was attached before, and ${once}`);
  t.end();
});
