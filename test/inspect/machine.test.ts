import t from 'tap';
import { doctorDocument } from '../../src/cli/doctor/document.ts';
import { runDoctor } from '../../src/cli/doctor/run.ts';
import { doctorText } from '../../src/cli/doctor/text.ts';
import type { Check, MachineFiles } from '../../src/inspect/index.ts';
import { inspectMachine } from '../../src/inspect/index.ts';
import { checkCapabilities } from '../../src/inspect/machine-capabilities.ts';
import { checkMemoryLock } from '../../src/inspect/machine-features.ts';
import type { InterfaceFacts } from '../../src/inspect/machine-interface.ts';
import { checkInterface } from '../../src/inspect/machine-interface.ts';
import { checkKernel } from '../../src/inspect/machine-kernel.ts';
import { checkMounts } from '../../src/inspect/machine-mounts.ts';
import { checkSettings } from '../../src/inspect/machine-settings.ts';
import type { Capability, Restrictions } from '../../src/sys/index.ts';
import { effectiveCapabilities, errno, missingCapabilities } from '../../src/sys/index.ts';
import {
  BPF_LINK_CREATE,
  BPF_MAP_CREATE,
  BPF_MAP_LOOKUP_BATCH,
  BPF_MAP_TYPE_RINGBUF,
  BPF_PROG_LOAD,
  bpf_attr_map_create,
} from '../../src/uapi/index.ts';
import { RecordingKernel } from '../helpers/recording-kernel.ts';
import { CapturedOutput } from '../helpers/run-command.ts';

/** A machine of these files and no others. */
function machineOf(files: Readonly<Record<string, string>>): MachineFiles {
  return { read: (path) => files[path], size: (path) => files[path]?.length };
}

function find(checks: readonly Check[], name: string): Check {
  const found = checks.find((check) => check.name === name);
  if (found === undefined) throw new Error(`there is no check ${name}`);
  return found;
}

const unrestricted: Restrictions = {
  userNamespace: false,
  lockdown: 'none',
  unprivilegedBpfDisabled: 2,
};

t.test('the kernel', (t) => {
  const good = checkKernel(
    machineOf({ '/sys/kernel/btf/vmlinux': 'x'.repeat(1024 * 1024), '/proc/self/status': 'Seccomp:\t0\n' }),
    unrestricted,
  );
  t.strictSame(
    good.map(({ name, status }) => [name, status]),
    ['kernel', 'BTF of the kernel', 'lockdown', 'user namespace', 'seccomp'].map((name) => [name, 'ok']),
    'is fine with BTF and without restrictions',
  );
  t.equal(find(good, 'BTF of the kernel').text, '1.0 MiB in /sys/kernel/btf/vmlinux');

  const bad = checkKernel(
    machineOf({ '/proc/self/status': 'Name:\tnode\nSeccomp:\t2\nSeccomp_filters:\t1\n' }),
    {
      ...unrestricted,
      userNamespace: true,
      lockdown: 'confidentiality',
    },
  );
  t.match(find(bad, 'BTF of the kernel'), { status: 'warning', advice: /CONFIG_DEBUG_INFO_BTF/ });
  t.match(find(bad, 'lockdown'), { status: 'warning', value: 'confidentiality', advice: /even for root/ });
  t.match(find(bad, 'user namespace'), { status: 'warning', value: 'other' });
  t.match(find(bad, 'seccomp'), { status: 'info', value: true, advice: /CAP_BPF/ });
  t.match(
    find(checkKernel(machineOf({}), { ...unrestricted, lockdown: undefined }), 'lockdown'),
    { status: 'info', text: 'the kernel does not tell' },
    'may not tell of lockdown',
  );
  t.end();
});

t.test('capabilities', (t) => {
  const statuses = (effective: readonly Capability[], userNamespace = false): string[] =>
    checkCapabilities(new Set(effective), { userNamespace }).map(({ name, status }) => `${name} ${status}`);
  t.strictSame(
    statuses(['CAP_BPF', 'CAP_NET_ADMIN', 'CAP_PERFMON']),
    ['CAP_BPF ok', 'CAP_NET_ADMIN ok', 'CAP_PERFMON ok', 'CAP_SYS_ADMIN info'],
    'suffice without CAP_SYS_ADMIN',
  );
  t.strictSame(
    statuses(['CAP_SYS_ADMIN']),
    ['CAP_BPF ok', 'CAP_NET_ADMIN warning', 'CAP_PERFMON ok', 'CAP_SYS_ADMIN ok'],
    'are replaced by CAP_SYS_ADMIN, in bpf(2) alone',
  );
  t.strictSame(
    statuses([]),
    ['CAP_BPF missing', 'CAP_NET_ADMIN missing', 'CAP_PERFMON missing', 'CAP_SYS_ADMIN info'],
    'are missing without privileges',
  );
  t.strictSame(
    statuses(['CAP_BPF', 'CAP_NET_ADMIN', 'CAP_PERFMON', 'CAP_SYS_ADMIN'], true),
    ['CAP_BPF', 'CAP_NET_ADMIN', 'CAP_PERFMON', 'CAP_SYS_ADMIN'].map((name) => `${name} warning`),
    'do not count in a user namespace',
  );
  t.end();
});

t.test('settings', (t) => {
  const cases: readonly [string, string, string | undefined, Partial<Check>][] = [
    [
      'the compiler is on',
      'net.core.bpf_jit_enable',
      '1',
      { status: 'ok', value: 1, text: '1: programs are compiled' },
    ],
    [
      'the compiler is off',
      'net.core.bpf_jit_enable',
      '0',
      {
        status: 'warning',
        value: 0,
        text: '0: programs are interpreted',
        advice:
          'They run several times slower so. Switch the compiler on: sysctl -w net.core.bpf_jit_enable=1',
      },
    ],
    ['everybody may use BPF', 'kernel.unprivileged_bpf_disabled', '0', { status: 'info', value: 0 }],
    ['perf events for everybody', 'kernel.perf_event_paranoid', '-1', { status: 'ok', value: -1 }],
    ['addresses are hidden', 'kernel.kptr_restrict', '2', { status: 'info', value: 2 }],
    ['a value without a meaning here', 'kernel.kptr_restrict', '9', { status: 'info', value: 9, text: '9' }],
    [
      'another network namespace, or no permission',
      'net.core.bpf_jit_harden',
      undefined,
      { status: 'info', value: null, text: 'cannot be read from here' },
    ],
  ];
  for (const [name, setting, text, expected] of cases) {
    const path = `/proc/sys/${setting.replaceAll('.', '/')}`;
    const found = find(checkSettings(machineOf(text === undefined ? {} : { [path]: text })), setting);
    t.match(found, expected, name);
  }
  t.end();
});

t.test('mounts', (t) => {
  const mounts = [
    '/dev/vda / ext4 rw,relatime 0 0',
    'none /mnt/bpf\\040here\\134x bpf rw 0 0',
    'tracefs /sys/kernel/debug/tracing tracefs rw 0 0',
  ];
  const checks = checkMounts(machineOf({ '/proc/self/mounts': mounts.join('\n') }));
  t.match(
    find(checks, 'bpf file system'),
    { status: 'ok', value: '/mnt/bpf here\\x' },
    'with a blank in a path',
  );
  t.match(find(checks, 'tracefs'), { status: 'ok', value: '/sys/kernel/debug/tracing' });
  t.match(find(checks, 'cgroup v2'), { status: 'warning', value: null, advice: /mount -t cgroup2/ });
  const none = checkMounts(machineOf({}));
  t.equal(
    find(none, 'bpf file system').advice,
    'Pinning (--pin, --detach) needs it: mount -t bpf bpf /sys/fs/bpf',
  );
  t.equal(
    find(none, 'tracefs').advice,
    'Tracepoints and --trace need it: mount -t tracefs nodev /sys/kernel/tracing',
  );
  t.end();
});

t.test('locked memory', (t) => {
  const limits = (value: string): MachineFiles =>
    machineOf({
      '/proc/self/limits': `Limit   Soft Limit   Hard Limit   Units\nMax locked memory   ${value}   ${value}   bytes\n`,
    });
  const old = (): RecordingKernel =>
    new RecordingKernel((call) => (call.command === BPF_PROG_LOAD ? -errno.EINVAL : -errno.EPERM));
  t.match(
    checkMemoryLock(new RecordingKernel(), limits('65536')),
    { status: 'ok', value: 65536, text: /counted by cgroup/ },
    'does not matter where the cgroup counts',
  );
  t.match(
    checkMemoryLock(old(), limits('65536')),
    { status: 'warning', value: 65536, text: 'the limit is 65536 bytes', advice: /ulimit -l unlimited/ },
    'is too little on an old kernel',
  );
  t.match(checkMemoryLock(old(), limits('unlimited')), { status: 'ok', text: 'the limit is unlimited' });
  t.match(
    checkMemoryLock(new RecordingKernel(() => -errno.EPERM), limits('65536')),
    { status: 'info' },
    'is a fact alone where the kernel cannot be asked',
  );
  t.end();
});

const eth0: InterfaceFacts = {
  name: 'eth0',
  index: 2,
  up: true,
  kind: undefined,
  driver: 'ixgbe',
  mtu: 1500,
  largeReceiveOffload: false,
  xdpFeatures: new Set(['basic', 'redirect', 'rx_sg']),
  programs: [],
};
const pages = { pageSize: 4096 };

t.test('an interface', (t) => {
  const good = checkInterface(eth0, pages);
  t.equal(good.nativeXdp, 'yes');
  t.strictSame(
    good.checks.map(({ group, name, status }) => `${group}: ${name} ${status}`),
    [
      'interface eth0: driver info',
      'interface eth0: state ok',
      'interface eth0: native XDP ok',
      'interface eth0: MTU ok',
      'interface eth0: large receive offload ok',
      'interface eth0: attached ok',
    ],
    'is fine',
  );

  const look = (name: string, facts: Partial<InterfaceFacts>): Check =>
    find(checkInterface({ ...eth0, ...facts }, pages).checks, name);
  t.match(look('MTU', { mtu: 3506 }), { status: 'ok' }, 'takes the largest frame of a page');
  t.match(
    look('MTU', { mtu: 9000 }),
    {
      status: 'warning',
      value: 9000,
      advice:
        'A frame must fit one page of memory, which limits the MTU to about 3506; a program in a section "xdp.frags" ' +
        'lifts it (Linux 5.18). Lower it (ip link set dev eth0 mtu 1500), or use --mode generic.',
    },
    'has frames too large for native XDP',
  );
  t.match(
    look('MTU', { mtu: 9000, xdpFeatures: new Set(['basic']) }),
    { status: 'warning', advice: /this driver takes no "xdp.frags" programs/ },
    'has a driver without frags',
  );
  t.match(
    look('large receive offload', { largeReceiveOffload: true }),
    { status: 'warning', advice: 'Most drivers refuse native XDP so: ethtool -K eth0 lro off' },
    'has large receive offload on',
  );
  t.match(look('large receive offload', { largeReceiveOffload: undefined }), { status: 'info', value: null });
  t.match(look('state', { up: false }), { status: 'warning', advice: /ip link set dev eth0 up/ }, 'is down');
  t.match(
    look('native XDP', { xdpFeatures: new Set() }),
    { status: 'warning', value: 'no', advice: /--mode generic/ },
    'has a driver without XDP',
  );
  t.match(
    look('native XDP', { xdpFeatures: undefined }),
    { status: 'info', value: 'unknown' },
    'has a kernel that does not tell',
  );
  t.match(
    look('attached', { programs: [{ mode: 'generic', id: 7 }] }),
    { status: 'warning', value: 'program 7 (generic)', advice: /--replace.*ts-xdp unload --iface eth0/ },
    'has a program already',
  );
  t.end();
});

/** A kernel that has everything but, where asked so, a ring buffer, as before 5.8. */
function kernelWith({ ringBuffer }: { ringBuffer: boolean }): RecordingKernel {
  const kernel: RecordingKernel = new RecordingKernel(({ command, attribute }) => {
    // Of a descriptor that cannot exist.
    if (command === BPF_LINK_CREATE || command === BPF_MAP_LOOKUP_BATCH) return -errno.EBADF;
    const isRing =
      command === BPF_MAP_CREATE && bpf_attr_map_create.decode(attribute).map_type === BPF_MAP_TYPE_RINGBUF;
    return isRing && !ringBuffer ? -errno.EINVAL : kernel.newDescriptor();
  });
  return kernel;
}

t.test('doctor ends with the exit code of the verdict', async (t) => {
  const answers: [exitCode: number, kernel: RecordingKernel][] = [
    [4, kernelWith({ ringBuffer: false })],
    [3, new RecordingKernel(() => -errno.EPERM)],
  ];
  for (const [exitCode, kernel] of answers) {
    const output = new CapturedOutput({ json: true });
    t.equal(await runDoctor({ kernel }, output), exitCode);
    t.match(output.results, [{ document: { verdict: { can_run: false } } }]);
  }
});

t.test('the verdict', (t) => {
  const files = machineOf({});
  const missing = missingCapabilities(['CAP_BPF', 'CAP_NET_ADMIN', 'CAP_PERFMON'], effectiveCapabilities());

  const old = inspectMachine({ kernel: kernelWith({ ringBuffer: false }), files });
  t.equal(old.verdict.canRun, false);
  t.equal(old.verdict.obstacle, 'unsupported', 'is about the kernel even where a capability is missing too');
  t.equal(old.verdict.reasons[0], 'This kernel has no ring buffer maps (since Linux 5.8).');
  t.match(find(old.checks, 'ring buffer maps'), {
    status: 'missing',
    value: false,
    advice: 'The main job needs it. It is there since Linux 5.8.',
  });

  const refusing = new RecordingKernel(() => -errno.EPERM);
  const refused = inspectMachine({ kernel: refusing, files });
  t.equal(refused.verdict.obstacle, 'permission', 'is about permission where the kernel refuses');
  const silent = refused.checks.filter(({ text }) => text === 'not permitted to find out');
  t.equal(silent.length, 21, 'with every feature unknown');
  t.equal(silent.filter(({ advice }) => advice !== undefined).length, 1, 'and said once');

  const good = inspectMachine({ kernel: kernelWith({ ringBuffer: true }), files });
  t.equal(good.verdict.canRun, missing.length === 0, 'is yes where nothing is missing');
  t.end();
});

t.test('printing', (t) => {
  const checks: Check[] = [
    { name: 'kernel', group: 'kernel', status: 'ok', value: '6.1.0', text: '6.1.0 (x64)' },
    { name: 'CAP_BPF', group: 'capabilities', status: 'missing', value: false, advice: 'Run as root.' },
    { name: 'MTU', group: 'interface eth0', status: 'ok', value: 1500 },
  ];
  const findings = {
    verdict: { canRun: false, obstacle: 'permission', reasons: ['CAP_BPF is missing.'] },
    checks: checks.slice(0, 2),
    interfaces: [{ ...eth0, nativeXdp: 'yes', checks: checks.slice(2) }],
  } as const;
  t.equal(
    doctorText(findings, { colors: false }),
    [
      'kernel',
      'ok       kernel   6.1.0 (x64)',
      '',
      'capabilities',
      'missing  CAP_BPF  no',
      '         Run as root.',
      '',
      'interface eth0',
      'ok       MTU      1500',
      '',
      'Programs cannot be loaded, attached with XDP and streamed from like this:',
      '  CAP_BPF is missing.',
    ].join('\n'),
    'is aligned, with advice below',
  );
  const colored = doctorText(findings, { colors: true });
  t.match(colored, '\u001b[31mmissing\u001b[0m  CAP_BPF  no', 'is painted where colours are wanted');
  t.equal(
    colored.replace(/\u001b\[\d+m/g, ''),
    doctorText(findings, { colors: false }),
    'which moves nothing',
  );
  t.strictSame(
    doctorDocument(findings),
    {
      verdict: { can_run: false, obstacle: 'permission', reasons: ['CAP_BPF is missing.'] },
      checks: [
        { name: 'kernel', group: 'kernel', status: 'ok', value: '6.1.0', text: '6.1.0 (x64)' },
        { name: 'CAP_BPF', group: 'capabilities', status: 'missing', value: false, advice: 'Run as root.' },
      ],
      interfaces: [
        {
          name: 'eth0',
          ifindex: 2,
          up: true,
          kind: null,
          driver: 'ixgbe',
          mtu: 1500,
          lro: false,
          native_xdp: 'yes',
          xdp_features: ['basic', 'redirect', 'rx_sg'],
          programs: [],
          checks: [{ name: 'MTU', group: 'interface eth0', status: 'ok', value: 1500 }],
        },
      ],
    },
    'as JSON has the same facts',
  );
  t.end();
});
