import * as uapi from '../uapi/index.ts';
import type { Capability } from './capabilities.ts';

const NET_ADMIN: readonly number[] = [
  uapi.BPF_PROG_TYPE_SCHED_CLS,
  uapi.BPF_PROG_TYPE_SCHED_ACT,
  uapi.BPF_PROG_TYPE_XDP,
  uapi.BPF_PROG_TYPE_LWT_IN,
  uapi.BPF_PROG_TYPE_LWT_OUT,
  uapi.BPF_PROG_TYPE_LWT_XMIT,
  uapi.BPF_PROG_TYPE_LWT_SEG6LOCAL,
  uapi.BPF_PROG_TYPE_SK_SKB,
  uapi.BPF_PROG_TYPE_SK_MSG,
  // Until Linux 6.4; later ones do not ask for it.
  uapi.BPF_PROG_TYPE_LIRC_MODE2,
  uapi.BPF_PROG_TYPE_FLOW_DISSECTOR,
  uapi.BPF_PROG_TYPE_CGROUP_DEVICE,
  uapi.BPF_PROG_TYPE_CGROUP_SOCK,
  uapi.BPF_PROG_TYPE_CGROUP_SOCK_ADDR,
  uapi.BPF_PROG_TYPE_CGROUP_SOCKOPT,
  uapi.BPF_PROG_TYPE_CGROUP_SYSCTL,
  uapi.BPF_PROG_TYPE_SOCK_OPS,
  uapi.BPF_PROG_TYPE_EXT,
  uapi.BPF_PROG_TYPE_NETFILTER,
];

const PERFMON: readonly number[] = [
  uapi.BPF_PROG_TYPE_KPROBE,
  uapi.BPF_PROG_TYPE_TRACEPOINT,
  uapi.BPF_PROG_TYPE_PERF_EVENT,
  uapi.BPF_PROG_TYPE_RAW_TRACEPOINT,
  uapi.BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE,
  uapi.BPF_PROG_TYPE_TRACING,
  uapi.BPF_PROG_TYPE_LSM,
  uapi.BPF_PROG_TYPE_STRUCT_OPS,
  uapi.BPF_PROG_TYPE_EXT,
];

/**
 * What loading a program of that type takes (is_net_admin_prog_type() and is_perfmon_prog_type() in
 * kernel/bpf/syscall.c). CAP_BPF is not asked for of socket filters and cgroup_skb programs where
 * kernel.unprivileged_bpf_disabled is 0.
 */
export function capabilitiesOfProgramType(type: number): Capability[] {
  return [
    'CAP_BPF',
    ...(NET_ADMIN.includes(type) ? (['CAP_NET_ADMIN'] as const) : []),
    ...(PERFMON.includes(type) ? (['CAP_PERFMON'] as const) : []),
  ];
}

const OF_SOCKETS_AND_DEVICES: readonly number[] = [
  uapi.BPF_MAP_TYPE_SOCKMAP,
  uapi.BPF_MAP_TYPE_SOCKHASH,
  uapi.BPF_MAP_TYPE_DEVMAP,
  uapi.BPF_MAP_TYPE_DEVMAP_HASH,
  uapi.BPF_MAP_TYPE_XSKMAP,
];

/** What creating a map of that type takes (map_create() in kernel/bpf/syscall.c, before 6.5 each type's map_alloc). */
export function capabilitiesOfMapType(type: number): Capability[] {
  return OF_SOCKETS_AND_DEVICES.includes(type) ? ['CAP_BPF', 'CAP_NET_ADMIN'] : ['CAP_BPF'];
}
