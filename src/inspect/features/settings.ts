import { readKernelConfig } from '../../loader/index.ts';
import type { MachineFiles } from '../machine-files.ts';

/** The sysctls that bear on BPF, by the names that bpftool gives them. */
const sysctls = {
  unprivileged_bpf_disabled: '/proc/sys/kernel/unprivileged_bpf_disabled',
  bpf_jit_enable: '/proc/sys/net/core/bpf_jit_enable',
  bpf_jit_harden: '/proc/sys/net/core/bpf_jit_harden',
  bpf_jit_kallsyms: '/proc/sys/net/core/bpf_jit_kallsyms',
  bpf_jit_limit: '/proc/sys/net/core/bpf_jit_limit',
} as const;

/** What the kernel must be built with for one thing or another that BPF does. */
const options: readonly string[] = [
  ...['BPF', 'BPF_SYSCALL', 'HAVE_EBPF_JIT', 'BPF_JIT', 'BPF_JIT_ALWAYS_ON'],
  ...['DEBUG_INFO_BTF', 'DEBUG_INFO_BTF_MODULES'],
  ...['CGROUPS', 'CGROUP_BPF', 'CGROUP_NET_CLASSID', 'SOCK_CGROUP_DATA'],
  ...['BPF_EVENTS', 'KPROBE_EVENTS', 'UPROBE_EVENTS', 'TRACING', 'FTRACE_SYSCALLS'],
  ...['FUNCTION_ERROR_INJECTION', 'BPF_KPROBE_OVERRIDE'],
  ...['NET', 'XDP_SOCKETS', 'LWTUNNEL_BPF', 'NET_ACT_BPF', 'NET_CLS_BPF', 'NET_CLS_ACT', 'NET_SCH_INGRESS'],
  ...['XFRM', 'IP_ROUTE_CLASSID', 'IPV6_SEG6_BPF', 'BPF_LIRC_MODE2', 'BPF_STREAM_PARSER'],
  ...['NETFILTER_XT_MATCH_BPF', 'BPFILTER', 'BPFILTER_UMH', 'TEST_BPF', 'HZ'],
].map((name) => `CONFIG_${name}`);

/** How the kernel is built and set. */
export interface KernelSettings {
  /** Undefined for one that is not there or may not be read. */
  readonly sysctls: ReadonlyMap<string, number | undefined>;
  /** `y`, `m`, `250`; undefined for what is not set. The whole is undefined where the kernel's configuration cannot be read. */
  readonly options: ReadonlyMap<string, string | undefined> | undefined;
}

/** @throws FileError for a configuration that is damaged */
export function readKernelSettings(files: MachineFiles): KernelSettings {
  const text = readKernelConfig();
  return {
    sysctls: new Map(Object.entries(sysctls).map(([name, path]) => [name, numberIn(files.read(path))])),
    options: text === undefined ? undefined : new Map(options.map((name) => [name, valueOf(text, name)])),
  };
}

function numberIn(text: string | undefined): number | undefined {
  return text !== undefined && /^-?\d+$/.test(text) ? Number(text) : undefined;
}

function valueOf(text: string, name: string): string | undefined {
  return new RegExp(`^${name}=(.+)$`, 'm').exec(text)?.[1];
}
