import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { arch, tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { Feature, isHelperAvailable, isSupported } from '../../src/features/index.ts';
import { inspectMachine } from '../../src/inspect/index.ts';
import type { Check, InterfaceFindings } from '../../src/inspect/index.ts';
import { setInterface } from '../../src/netlink/index.ts';
import { systemKernel, withNetworkNamespace } from '../../src/sys/index.ts';
import type { Kernel } from '../../src/sys/index.ts';
import * as uapi from '../../src/uapi/index.ts';
import { openDescriptors } from '../helpers/open-descriptors.ts';
import { thrown } from '../helpers/thrown.ts';
import { withVethPair } from '../helpers/veth.ts';
import { inProject } from '../helpers/project-root.ts';

if (process.getuid?.() !== 0) {
  t.plan(0, 'needs root for bpf(2)');
  process.exit(0);
}

const directory = mkdtempSync(join(tmpdir(), 'ts-xdp-doctor-'));
t.teardown(() => {
  rmSync(directory, { recursive: true });
});

/** Compiles C for BPF and gives the path of the object. */
function compile(name: string, source: string): string {
  const path = join(directory, `${name}.o`);
  execFileSync('clang', ['-w', '-g', '-O2', '--target=bpf', ...headers, '-c', '-x', 'c', '-o', path, '-'], {
    input: source,
  });
  return path;
}
/** <asm/types.h> of Debian's multiarch. */
const headers = ['-I', `/usr/include/${arch() === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`];

/** The running kernel under another identity, so that nothing is known of it yet. */
function unknownKernel(): Kernel {
  const kernel = systemKernel();
  return {
    bpf: (command, attribute) => kernel.bpf(command, attribute),
    addressOf: (bytes) => kernel.addressOf(bytes),
    close: (fd) => kernel.close(fd),
    duplicate: (fd, minimum) => kernel.duplicate(fd, minimum),
    mapCopied: (request) => kernel.mapCopied(request),
    mmap: (request) => kernel.mmap(request),
    pageSize: kernel.pageSize,
    possibleCpus: () => kernel.possibleCpus(),
    onlineCpus: () => kernel.onlineCpus(),
  };
}

interface BpftoolProbe {
  readonly syscall_config: { readonly have_bpf_syscall: boolean };
  readonly program_types: Readonly<Record<string, boolean>>;
  readonly map_types: Readonly<Record<string, boolean>>;
  readonly helpers: Readonly<Record<string, readonly string[]>>;
}

t.test('features are what bpftool finds', (t) => {
  const text = execFileSync('bpftool', ['--json', 'feature', 'probe', 'kernel'], { encoding: 'utf8' });
  const probe = JSON.parse(text) as BpftoolProbe;
  const xdpHelpers = probe.helpers['xdp_available_helpers'] ?? [];
  const socketHelpers = probe.helpers['socket_filter_available_helpers'] ?? [];
  const truth: readonly [Feature, boolean | undefined][] = [
    [Feature.BpfSyscall, probe.syscall_config.have_bpf_syscall],
    [Feature.XdpProgram, probe.program_types['have_xdp_prog_type']],
    [Feature.RingBuffer, probe.map_types['have_ringbuf_map_type']],
    [Feature.RingBufferReserve, xdpHelpers.includes('bpf_ringbuf_reserve')],
    [Feature.RingBufferOutput, xdpHelpers.includes('bpf_ringbuf_output')],
    [Feature.XdpLoadBytes, xdpHelpers.includes('bpf_xdp_load_bytes')],
    [Feature.MemoryCgroupAccounting, socketHelpers.includes('bpf_ktime_get_coarse_ns')],
  ];
  for (const [feature, expected] of truth) t.equal(isSupported(feature), expected, feature.name);
  t.end();
});

/** A kernel may be built without these (CONFIG_NETKIT, CONFIG_FPROBE), whatever its version. */
const CONFIGURABLE: readonly Feature[] = [Feature.Netkit, Feature.KprobeMulti, Feature.KprobeSession];

t.test('features are all there on a kernel that is new enough', (t) => {
  const before = openDescriptors();
  const [major = 0, minor = 0] = execFileSync('uname', ['-r'], { encoding: 'utf8' }).split('.').map(Number);
  for (const feature of Object.values(Feature)) {
    const [wantedMajor = 0, wantedMinor = 0] = feature.minKernel.split('.').map(Number);
    const newEnough = major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
    const supported = isSupported(feature, { kernel: unknownKernel() });
    if (newEnough && !CONFIGURABLE.includes(feature))
      t.equal(supported, true, `${feature.name}, since ${feature.minKernel}`);
    else t.comment(`${feature.name}: ${String(supported)}, expected since ${feature.minKernel}`);
  }
  t.strictSame(openDescriptors(), before, 'and nothing stays open');
  t.end();
});

t.test('asking for bpf_xdp_load_bytes() costs a load one call of the kernel', (t) => {
  let calls = 0;
  const unknown = unknownKernel();
  const kernel: Kernel = {
    ...unknown,
    bpf: (command, attribute) => {
      calls++;
      return unknown.bpf(command, attribute);
    },
  };
  t.equal(isSupported(Feature.XdpLoadBytes, { kernel }), isSupported(Feature.XdpLoadBytes));
  t.equal(calls, 1, 'a program that is tried');
  isSupported(Feature.XdpLoadBytes, { kernel });
  t.equal(calls, 1, 'and it is not asked again');
  t.end();
});

/** A program of one call, and how bpftool loads it: libbpf and the verifier say whether the helper is there. */
const helperCases: readonly [call: string, helper: number, section: 'xdp' | 'tc' | 'socket'][] = [
  ['bpf_xdp_load_bytes(context, 0, bytes, sizeof(bytes))', uapi.BPF_FUNC_xdp_load_bytes, 'xdp'],
  ['bpf_xdp_load_bytes(context, 0, bytes, sizeof(bytes))', uapi.BPF_FUNC_xdp_load_bytes, 'tc'],
  ['bpf_skb_load_bytes(context, 0, bytes, sizeof(bytes))', uapi.BPF_FUNC_skb_load_bytes, 'tc'],
  ['bpf_skb_load_bytes(context, 0, bytes, sizeof(bytes))', uapi.BPF_FUNC_skb_load_bytes, 'socket'],
  ['bpf_skb_load_bytes(context, 0, bytes, sizeof(bytes))', uapi.BPF_FUNC_skb_load_bytes, 'xdp'],
  ['bpf_xdp_adjust_head(context, 0)', uapi.BPF_FUNC_xdp_adjust_head, 'xdp'],
  ['bpf_xdp_adjust_head(context, 0)', uapi.BPF_FUNC_xdp_adjust_head, 'socket'],
  ['bpf_ktime_get_boot_ns()', uapi.BPF_FUNC_ktime_get_boot_ns, 'socket'],
  ['bpf_redirect(1, 0)', uapi.BPF_FUNC_redirect, 'xdp'],
  ['bpf_redirect(1, 0)', uapi.BPF_FUNC_redirect, 'socket'],
  ['bpf_override_return(context, 0)', uapi.BPF_FUNC_override_return, 'tc'],
];
const programTypes = {
  xdp: uapi.BPF_PROG_TYPE_XDP,
  tc: uapi.BPF_PROG_TYPE_SCHED_CLS,
  socket: uapi.BPF_PROG_TYPE_SOCKET_FILTER,
};

t.test('helpers are there where a program that calls them loads', (t) => {
  const answers = new Set<boolean>();
  helperCases.forEach(([call, helper, section], index) => {
    const context = section === 'xdp' ? 'struct xdp_md' : 'struct __sk_buff';
    const object = compile(
      `helper${String(index)}`,
      `#include <linux/bpf.h>
      #include <bpf/bpf_helpers.h>
      SEC("${section}") int probe(${context} *context)
      {
        __u32 bytes[1] = { 0 };
        return (${call}) + bytes[0] > 0;
      }
      char _license[] SEC("license") = "GPL";`,
    );
    const loads = bpftoolLoads(object);
    const available = isHelperAvailable({ helper, programType: programTypes[section] });
    answers.add(available);
    t.equal(available, loads, `${call} in ${section}: ${String(loads)}`);
  });
  t.equal(answers.size, 2, 'both answers are among them');
  t.end();
});

/** With a bpf file system of its own, in a mount namespace that ends with the command. */
function bpftoolLoads(object: string): boolean {
  const script = 'mount -t bpf bpf "$1" && bpftool prog load "$2" "$1/probe"';
  const mountPoint = mkdtempSync(join(directory, 'bpf-'));
  return spawnSync('unshare', ['--mount', 'sh', '-c', script, 'sh', mountPoint, object]).status === 0;
}

interface DoctorDocument {
  readonly verdict: {
    readonly can_run: boolean;
    readonly obstacle: string | null;
    readonly reasons: string[];
  };
  readonly checks: readonly Check[];
  readonly interfaces: readonly { readonly name: string; readonly mtu: number }[];
}

/** `ts-xdp doctor`, started by `prefix`. */
function doctor(
  prefix: readonly string[],
  options: readonly string[] = [],
): { status: number | null; stdout: string; stderr: string } {
  const main = inProject('dist/cli/main.js');
  const [command = '', ...args] = [...prefix, process.execPath, main, 'doctor', ...options];
  return spawnSync(command, args, { encoding: 'utf8' });
}

function find(checks: readonly Check[], name: string): Check {
  const found = checks.find((check) => check.name === name);
  if (found === undefined) throw new Error(`there is no check ${name}`);
  return found;
}

t.test('what is found of this machine is what others say', (t) => {
  const report = inspectMachine();
  t.strictSame(report.verdict, { canRun: true, obstacle: undefined, reasons: [] });
  const output = (command: string, args: readonly string[]): string =>
    spawnSync(command, args, { encoding: 'utf8' }).stdout.trim();

  t.equal(find(report.checks, 'kernel').value, output('uname', ['-r']));
  for (const { name, value } of report.checks.filter(({ group }) => group === 'settings')) {
    t.equal(value, Number(output('sysctl', ['-n', name])), name);
  }
  for (const [name, type] of [
    ['bpf file system', 'bpf'],
    ['tracefs', 'tracefs'],
    ['cgroup v2', 'cgroup2'],
  ] as const) {
    const [first = ''] = output('findmnt', ['-n', '-o', 'TARGET', '-t', type, '--list']).split('\n');
    t.equal(find(report.checks, name).value ?? '', first, name);
  }
  const effective = BigInt(
    `0x${/^CapEff:\s*(\w+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0'}`,
  );
  // <linux/capability.h>
  for (const [name, bit] of [
    ['CAP_NET_ADMIN', 12n],
    ['CAP_SYS_ADMIN', 21n],
    ['CAP_PERFMON', 38n],
    ['CAP_BPF', 39n],
  ] as const) {
    t.equal(find(report.checks, name).value, ((effective >> bit) & 1n) === 1n, name);
  }
  const links = JSON.parse(output('ip', ['-json', 'link', 'show'])) as {
    ifname: string;
    mtu: number;
    flags: string[];
  }[];
  t.strictSame(
    report.interfaces.map(({ name, mtu }) => ({ name, mtu })),
    links
      .filter(({ flags }) => flags.includes('UP') && !flags.includes('LOOPBACK'))
      .map(({ ifname, mtu }) => ({ name: ifname, mtu })),
    'the interfaces that are up',
  );
  t.end();
});

t.test('doctor without privileges', (t) => {
  const without = (capabilities: string): string[] => [
    'setpriv',
    '--inh-caps=-all',
    `--bounding-set=-all${capabilities}`,
  ];

  t.test('exits 3, and names what is missing', (t) => {
    const { status, stdout } = doctor(without(''), ['--json']);
    t.equal(status, 3);
    const { verdict, checks } = JSON.parse(stdout) as DoctorDocument;
    t.strictSame(verdict, {
      can_run: false,
      obstacle: 'permission',
      reasons: ['CAP_BPF is missing.', 'CAP_NET_ADMIN is missing.', 'CAP_PERFMON is missing.'],
    });
    t.match(find(checks, 'CAP_BPF'), { status: 'missing', value: false });
    t.match(
      find(checks, 'bpf(2)'),
      { status: 'ok', value: true },
      'the system call itself is found all the same',
    );
    t.match(find(checks, 'XDP programs'), {
      status: 'missing',
      value: null,
      advice: 'Run it as root, or give the process CAP_BPF and CAP_NET_ADMIN.',
    });
    t.match(find(checks, 'ring buffer maps'), { status: 'info', value: null });
    t.end();
  });

  t.test('exits 0 with the three capabilities, and no other', (t) => {
    const { status, stdout, stderr } = doctor(without(',+bpf,+net_admin,+perfmon'), [
      '--json',
      '--iface',
      'lo',
    ]);
    t.equal(stderr, '');
    t.equal(status, 0);
    const { verdict, interfaces } = JSON.parse(stdout) as DoctorDocument;
    t.strictSame(verdict, { can_run: true, obstacle: null, reasons: [] });
    t.strictSame(
      interfaces.map(({ name }) => name),
      ['lo'],
      'and looks at the interface that is asked for',
    );
    t.end();
  });

  t.test('exits 3 in a user namespace, whose capabilities do not count', (t) => {
    const { status, stdout } = doctor(['unshare', '--user', '--map-root-user']);
    t.equal(status, 3);
    t.match(stdout, /^warning {2}user namespace +other$/m);
    t.match(stdout, /^warning {2}CAP_BPF +effective in this user namespace alone$/m);
    t.match(
      stdout,
      /The process is in a user namespace, whose capabilities do not count for BPF; run it outside, or with a BPF token \(Linux 6\.9\)\.\n$/,
    );
    t.notMatch(stdout, '\u001b', 'without colours, because this is no terminal');
    t.end();
  });
  t.end();
});

t.test('an interface that is not there is an error', (t) => {
  const error = thrown(() => inspectMachine({ interfaces: ['nothere0'] }));
  t.match(error, { code: 'INTERFACE_NOT_FOUND', subject: 'nothere0' });
  t.end();
});

const passObject = (): string =>
  compile(
    'pass',
    'int pass(void *context) __attribute__((section("xdp")));\nint pass(void *context) { return 2; }\n',
  );

t.test('an interface is described as iproute2 sees it', async (t) => {
  const object = passObject();
  await withVethPair((pair) => {
    const { receiver, sender, namespaceName = '' } = pair;
    const ip = (args: readonly string[]): number | null =>
      spawnSync('ip', ['-netns', namespaceName, ...args]).status;
    const attach = (name: string): boolean =>
      ip(['link', 'set', 'dev', name, 'xdpdrv', 'object', object, 'section', 'xdp']) === 0;
    const detach = (name: string): void => {
      ip(['link', 'set', 'dev', name, 'xdpdrv', 'off']);
    };
    const inspect = (name: string): InterfaceFindings => {
      const found = withNetworkNamespace(pair.netns, () => inspectMachine({ interfaces: [name] }))
        .interfaces[0];
      if (found === undefined) throw new Error('no interface was inspected');
      return found;
    };
    const before = openDescriptors();

    t.match(
      inspect(receiver.name),
      { driver: 'veth', kind: 'veth', mtu: 1500, up: true, nativeXdp: 'yes', programs: [] },
      'a veth',
    );

    t.equal(attach(receiver.name), true, 'takes a native program, as it says');
    const [link] = JSON.parse(
      execFileSync('ip', ['-netns', namespaceName, '-json', 'link', 'show', receiver.name], {
        encoding: 'utf8',
      }),
    ) as { xdp: { prog: { id: number } } }[];
    const attached = inspect(receiver.name);
    t.strictSame(attached.programs, [{ mode: 'native', id: link?.xdp.prog.id }], 'and says which it has');
    t.match(find(attached.checks, 'attached'), { status: 'warning' });
    detach(receiver.name);

    // The rule is exact on veth with pages of 4 KiB and the usual skb_shared_info.
    const largest = systemKernel().pageSize - 590;
    for (const mtu of [largest, largest + 1]) {
      for (const { index } of [receiver, sender]) setInterface(pair.socket, { index, change: { mtu } });
      const fits = attach(receiver.name);
      t.equal(
        find(inspect(receiver.name).checks, 'MTU').status,
        fits ? 'ok' : 'warning',
        `MTU ${String(mtu)}`,
      );
      if (fits) detach(receiver.name);
    }

    ip(['link', 'add', 'bridge0', 'type', 'bridge']);
    const bridge = inspect('bridge0');
    t.match(bridge, { driver: 'bridge', kind: 'bridge', up: false, nativeXdp: 'no' }, 'a bridge');
    t.equal(attach('bridge0'), false, 'which takes no native program');
    t.match(find(bridge.checks, 'state'), { status: 'warning', value: 'down' });
    t.strictSame(openDescriptors(), before, 'nothing stays open');
  });
});
