/**
 * The first version of Linux that has each program type, map type, attach type and helper, as the kernel's history has
 * it. Collected from data/feature-versions.yaml of docs.ebpf.io and docs/kernel-versions.md of bcc, which cite the
 * commits; what is newer than these is from the kernel's tree. For people and for lower bounds, never compared with the
 * running kernel: that one is asked.
 */
import * as uapi from '../uapi/index.ts';

type Table = readonly (readonly [version: string, ...values: number[]])[];

const PROGRAM_TYPES: Table = [
  ['3.19', uapi.BPF_PROG_TYPE_SOCKET_FILTER],
  ['4.1', uapi.BPF_PROG_TYPE_KPROBE, uapi.BPF_PROG_TYPE_SCHED_CLS, uapi.BPF_PROG_TYPE_SCHED_ACT],
  ['4.7', uapi.BPF_PROG_TYPE_TRACEPOINT],
  ['4.8', uapi.BPF_PROG_TYPE_XDP],
  ['4.9', uapi.BPF_PROG_TYPE_PERF_EVENT],
  ['4.10', uapi.BPF_PROG_TYPE_CGROUP_SKB, uapi.BPF_PROG_TYPE_CGROUP_SOCK],
  ['4.10', uapi.BPF_PROG_TYPE_LWT_IN, uapi.BPF_PROG_TYPE_LWT_OUT, uapi.BPF_PROG_TYPE_LWT_XMIT],
  ['4.13', uapi.BPF_PROG_TYPE_SOCK_OPS],
  ['4.14', uapi.BPF_PROG_TYPE_SK_SKB],
  ['4.15', uapi.BPF_PROG_TYPE_CGROUP_DEVICE],
  ['4.17', uapi.BPF_PROG_TYPE_SK_MSG, uapi.BPF_PROG_TYPE_RAW_TRACEPOINT, uapi.BPF_PROG_TYPE_CGROUP_SOCK_ADDR],
  ['4.18', uapi.BPF_PROG_TYPE_LWT_SEG6LOCAL, uapi.BPF_PROG_TYPE_LIRC_MODE2],
  ['4.19', uapi.BPF_PROG_TYPE_SK_REUSEPORT],
  ['4.20', uapi.BPF_PROG_TYPE_FLOW_DISSECTOR],
  ['5.2', uapi.BPF_PROG_TYPE_CGROUP_SYSCTL, uapi.BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE],
  ['5.3', uapi.BPF_PROG_TYPE_CGROUP_SOCKOPT],
  ['5.5', uapi.BPF_PROG_TYPE_TRACING],
  ['5.6', uapi.BPF_PROG_TYPE_STRUCT_OPS, uapi.BPF_PROG_TYPE_EXT],
  ['5.7', uapi.BPF_PROG_TYPE_LSM],
  ['5.9', uapi.BPF_PROG_TYPE_SK_LOOKUP],
  ['5.14', uapi.BPF_PROG_TYPE_SYSCALL],
  ['6.4', uapi.BPF_PROG_TYPE_NETFILTER],
];

const MAP_TYPES: Table = [
  ['3.19', uapi.BPF_MAP_TYPE_HASH, uapi.BPF_MAP_TYPE_ARRAY],
  ['4.2', uapi.BPF_MAP_TYPE_PROG_ARRAY],
  ['4.3', uapi.BPF_MAP_TYPE_PERF_EVENT_ARRAY],
  ['4.6', uapi.BPF_MAP_TYPE_PERCPU_HASH, uapi.BPF_MAP_TYPE_PERCPU_ARRAY, uapi.BPF_MAP_TYPE_STACK_TRACE],
  ['4.8', uapi.BPF_MAP_TYPE_CGROUP_ARRAY],
  ['4.10', uapi.BPF_MAP_TYPE_LRU_HASH, uapi.BPF_MAP_TYPE_LRU_PERCPU_HASH],
  ['4.11', uapi.BPF_MAP_TYPE_LPM_TRIE],
  ['4.12', uapi.BPF_MAP_TYPE_ARRAY_OF_MAPS, uapi.BPF_MAP_TYPE_HASH_OF_MAPS],
  ['4.14', uapi.BPF_MAP_TYPE_DEVMAP, uapi.BPF_MAP_TYPE_SOCKMAP],
  ['4.15', uapi.BPF_MAP_TYPE_CPUMAP],
  ['4.18', uapi.BPF_MAP_TYPE_XSKMAP, uapi.BPF_MAP_TYPE_SOCKHASH],
  ['4.19', uapi.BPF_MAP_TYPE_CGROUP_STORAGE, uapi.BPF_MAP_TYPE_REUSEPORT_SOCKARRAY],
  ['4.20', uapi.BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE, uapi.BPF_MAP_TYPE_QUEUE, uapi.BPF_MAP_TYPE_STACK],
  ['5.2', uapi.BPF_MAP_TYPE_SK_STORAGE],
  ['5.4', uapi.BPF_MAP_TYPE_DEVMAP_HASH],
  ['5.6', uapi.BPF_MAP_TYPE_STRUCT_OPS],
  ['5.8', uapi.BPF_MAP_TYPE_RINGBUF],
  ['5.10', uapi.BPF_MAP_TYPE_INODE_STORAGE],
  ['5.11', uapi.BPF_MAP_TYPE_TASK_STORAGE],
  ['5.16', uapi.BPF_MAP_TYPE_BLOOM_FILTER],
  ['6.1', uapi.BPF_MAP_TYPE_USER_RINGBUF],
  ['6.2', uapi.BPF_MAP_TYPE_CGRP_STORAGE],
  ['6.9', uapi.BPF_MAP_TYPE_ARENA],
  ['6.19', uapi.BPF_MAP_TYPE_INSN_ARRAY],
  ['7.2', uapi.BPF_MAP_TYPE_RHASH],
];

const ATTACH_TYPES: Table = [
  ['4.10', uapi.BPF_CGROUP_INET_INGRESS, uapi.BPF_CGROUP_INET_EGRESS, uapi.BPF_CGROUP_INET_SOCK_CREATE],
  ['4.13', uapi.BPF_CGROUP_SOCK_OPS],
  ['4.14', uapi.BPF_SK_SKB_STREAM_PARSER, uapi.BPF_SK_SKB_STREAM_VERDICT],
  ['4.15', uapi.BPF_CGROUP_DEVICE],
  ['4.17', uapi.BPF_SK_MSG_VERDICT],
  ['4.17', uapi.BPF_CGROUP_INET4_BIND, uapi.BPF_CGROUP_INET6_BIND],
  ['4.17', uapi.BPF_CGROUP_INET4_CONNECT, uapi.BPF_CGROUP_INET6_CONNECT],
  ['4.17', uapi.BPF_CGROUP_INET4_POST_BIND, uapi.BPF_CGROUP_INET6_POST_BIND],
  ['4.18', uapi.BPF_CGROUP_UDP4_SENDMSG, uapi.BPF_CGROUP_UDP6_SENDMSG, uapi.BPF_LIRC_MODE2],
  ['4.20', uapi.BPF_FLOW_DISSECTOR],
  ['5.2', uapi.BPF_CGROUP_SYSCTL, uapi.BPF_CGROUP_UDP4_RECVMSG, uapi.BPF_CGROUP_UDP6_RECVMSG],
  ['5.3', uapi.BPF_CGROUP_GETSOCKOPT, uapi.BPF_CGROUP_SETSOCKOPT],
  ['5.5', uapi.BPF_TRACE_RAW_TP, uapi.BPF_TRACE_FENTRY, uapi.BPF_TRACE_FEXIT],
  ['5.7', uapi.BPF_MODIFY_RETURN, uapi.BPF_LSM_MAC],
  ['5.8', uapi.BPF_TRACE_ITER, uapi.BPF_XDP_DEVMAP],
  ['5.8', uapi.BPF_CGROUP_INET4_GETPEERNAME, uapi.BPF_CGROUP_INET6_GETPEERNAME],
  ['5.8', uapi.BPF_CGROUP_INET4_GETSOCKNAME, uapi.BPF_CGROUP_INET6_GETSOCKNAME],
  ['5.9', uapi.BPF_CGROUP_INET_SOCK_RELEASE, uapi.BPF_XDP_CPUMAP, uapi.BPF_SK_LOOKUP, uapi.BPF_XDP],
  ['5.13', uapi.BPF_SK_SKB_VERDICT],
  ['5.14', uapi.BPF_SK_REUSEPORT_SELECT, uapi.BPF_SK_REUSEPORT_SELECT_OR_MIGRATE],
  ['5.15', uapi.BPF_PERF_EVENT],
  ['5.18', uapi.BPF_TRACE_KPROBE_MULTI],
  ['6.0', uapi.BPF_LSM_CGROUP],
  ['6.4', uapi.BPF_STRUCT_OPS, uapi.BPF_NETFILTER],
  ['6.6', uapi.BPF_TCX_INGRESS, uapi.BPF_TCX_EGRESS, uapi.BPF_TRACE_UPROBE_MULTI],
  ['6.7', uapi.BPF_CGROUP_UNIX_CONNECT, uapi.BPF_CGROUP_UNIX_SENDMSG, uapi.BPF_CGROUP_UNIX_RECVMSG],
  ['6.7', uapi.BPF_CGROUP_UNIX_GETPEERNAME, uapi.BPF_CGROUP_UNIX_GETSOCKNAME],
  ['6.7', uapi.BPF_NETKIT_PRIMARY, uapi.BPF_NETKIT_PEER],
  ['6.10', uapi.BPF_TRACE_KPROBE_SESSION],
  ['6.13', uapi.BPF_TRACE_UPROBE_SESSION],
  ['7.0', uapi.BPF_TRACE_FSESSION],
  ['7.2', uapi.BPF_TRACE_FENTRY_MULTI, uapi.BPF_TRACE_FEXIT_MULTI, uapi.BPF_TRACE_FSESSION_MULTI],
];

/**
 * The last helper that each version added: `enum bpf_func_id` has only ever grown at its end. There will be no more of
 * them, since new functions are kfuncs.
 */
const LAST_HELPERS: readonly (readonly [version: string, last: number])[] = [
  ['3.19', uapi.BPF_FUNC_map_delete_elem],
  ['4.1', uapi.BPF_FUNC_l4_csum_replace],
  ['4.2', uapi.BPF_FUNC_get_current_comm],
  ['4.3', uapi.BPF_FUNC_perf_event_read],
  ['4.4', uapi.BPF_FUNC_perf_event_output],
  ['4.5', uapi.BPF_FUNC_skb_load_bytes],
  ['4.6', uapi.BPF_FUNC_skb_set_tunnel_opt],
  ['4.8', uapi.BPF_FUNC_probe_write_user],
  ['4.9', uapi.BPF_FUNC_set_hash_invalid],
  ['4.10', uapi.BPF_FUNC_xdp_adjust_head],
  ['4.11', uapi.BPF_FUNC_probe_read_str],
  ['4.12', uapi.BPF_FUNC_get_socket_uid],
  ['4.13', uapi.BPF_FUNC_skb_adjust_room],
  ['4.14', uapi.BPF_FUNC_sock_map_update],
  ['4.15', uapi.BPF_FUNC_getsockopt],
  ['4.16', uapi.BPF_FUNC_sock_ops_cb_flags_set],
  ['4.17', uapi.BPF_FUNC_bind],
  ['4.18', uapi.BPF_FUNC_get_current_cgroup_id],
  ['4.19', uapi.BPF_FUNC_skb_ancestor_cgroup_id],
  ['4.20', uapi.BPF_FUNC_msg_push_data],
  ['5.0', uapi.BPF_FUNC_rc_pointer_rel],
  ['5.1', uapi.BPF_FUNC_get_listener_sock],
  ['5.2', uapi.BPF_FUNC_sk_storage_delete],
  ['5.3', uapi.BPF_FUNC_send_signal],
  ['5.4', uapi.BPF_FUNC_tcp_gen_syncookie],
  ['5.5', uapi.BPF_FUNC_probe_read_kernel_str],
  ['5.6', uapi.BPF_FUNC_jiffies64],
  ['5.7', uapi.BPF_FUNC_sk_assign],
  ['5.8', uapi.BPF_FUNC_csum_level],
  ['5.9', uapi.BPF_FUNC_get_task_stack],
  ['5.10', uapi.BPF_FUNC_redirect_peer],
  ['5.11', uapi.BPF_FUNC_sock_from_file],
  ['5.12', uapi.BPF_FUNC_check_mtu],
  ['5.13', uapi.BPF_FUNC_snprintf],
  ['5.14', uapi.BPF_FUNC_sys_close],
  ['5.15', uapi.BPF_FUNC_task_pt_regs],
  ['5.16', uapi.BPF_FUNC_kallsyms_lookup_name],
  ['5.17', uapi.BPF_FUNC_get_func_arg_cnt],
  ['5.18', uapi.BPF_FUNC_ima_file_hash],
  ['5.19', uapi.BPF_FUNC_dynptr_data],
  ['6.0', uapi.BPF_FUNC_tcp_raw_check_syncookie_ipv6],
  ['6.1', uapi.BPF_FUNC_user_ringbuf_drain],
  ['6.2', uapi.BPF_FUNC_cgrp_storage_delete],
];

/** The first Linux with a program type (`BPF_PROG_TYPE_*`), as `5.8`; undefined for one that is not known. */
export function firstKernelOfProgramType(type: number): string | undefined {
  return find(PROGRAM_TYPES, type);
}

/** The first Linux with a map type (`BPF_MAP_TYPE_*`), as `5.8`; undefined for one that is not known. */
export function firstKernelOfMapType(type: number): string | undefined {
  return find(MAP_TYPES, type);
}

/** The first Linux with an attach type (`enum bpf_attach_type`), as `5.8`; undefined for one that is not known. */
export function firstKernelOfAttachType(type: number): string | undefined {
  return find(ATTACH_TYPES, type);
}

/**
 * The first Linux that has a helper (`BPF_FUNC_*`) in any type of program, as `5.8`: other types may have got it later.
 * Undefined for a number that is not known.
 */
export function firstKernelOfHelper(helper: number): string | undefined {
  return helper < 1 ? undefined : LAST_HELPERS.find(([, last]) => helper <= last)?.[0];
}

function find(table: Table, value: number): string | undefined {
  return table.find(([, ...values]) => values.includes(value))?.[0];
}
