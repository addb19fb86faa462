import * as uapi from '../uapi/index.ts';

/** `enum bpf_attach_type`, by the names that bpftool and libbpf give them. */
export const AttachType = {
  cgroup_inet_ingress: uapi.BPF_CGROUP_INET_INGRESS,
  cgroup_inet_egress: uapi.BPF_CGROUP_INET_EGRESS,
  cgroup_inet_sock_create: uapi.BPF_CGROUP_INET_SOCK_CREATE,
  cgroup_sock_ops: uapi.BPF_CGROUP_SOCK_OPS,
  sk_skb_stream_parser: uapi.BPF_SK_SKB_STREAM_PARSER,
  sk_skb_stream_verdict: uapi.BPF_SK_SKB_STREAM_VERDICT,
  cgroup_device: uapi.BPF_CGROUP_DEVICE,
  sk_msg_verdict: uapi.BPF_SK_MSG_VERDICT,
  cgroup_inet4_bind: uapi.BPF_CGROUP_INET4_BIND,
  cgroup_inet6_bind: uapi.BPF_CGROUP_INET6_BIND,
  cgroup_inet4_connect: uapi.BPF_CGROUP_INET4_CONNECT,
  cgroup_inet6_connect: uapi.BPF_CGROUP_INET6_CONNECT,
  cgroup_inet4_post_bind: uapi.BPF_CGROUP_INET4_POST_BIND,
  cgroup_inet6_post_bind: uapi.BPF_CGROUP_INET6_POST_BIND,
  cgroup_udp4_sendmsg: uapi.BPF_CGROUP_UDP4_SENDMSG,
  cgroup_udp6_sendmsg: uapi.BPF_CGROUP_UDP6_SENDMSG,
  lirc_mode2: uapi.BPF_LIRC_MODE2,
  flow_dissector: uapi.BPF_FLOW_DISSECTOR,
  cgroup_sysctl: uapi.BPF_CGROUP_SYSCTL,
  cgroup_udp4_recvmsg: uapi.BPF_CGROUP_UDP4_RECVMSG,
  cgroup_udp6_recvmsg: uapi.BPF_CGROUP_UDP6_RECVMSG,
  cgroup_getsockopt: uapi.BPF_CGROUP_GETSOCKOPT,
  cgroup_setsockopt: uapi.BPF_CGROUP_SETSOCKOPT,
  trace_raw_tp: uapi.BPF_TRACE_RAW_TP,
  trace_fentry: uapi.BPF_TRACE_FENTRY,
  trace_fexit: uapi.BPF_TRACE_FEXIT,
  modify_return: uapi.BPF_MODIFY_RETURN,
  lsm_mac: uapi.BPF_LSM_MAC,
  trace_iter: uapi.BPF_TRACE_ITER,
  cgroup_inet4_getpeername: uapi.BPF_CGROUP_INET4_GETPEERNAME,
  cgroup_inet6_getpeername: uapi.BPF_CGROUP_INET6_GETPEERNAME,
  cgroup_inet4_getsockname: uapi.BPF_CGROUP_INET4_GETSOCKNAME,
  cgroup_inet6_getsockname: uapi.BPF_CGROUP_INET6_GETSOCKNAME,
  xdp_devmap: uapi.BPF_XDP_DEVMAP,
  cgroup_inet_sock_release: uapi.BPF_CGROUP_INET_SOCK_RELEASE,
  xdp_cpumap: uapi.BPF_XDP_CPUMAP,
  sk_lookup: uapi.BPF_SK_LOOKUP,
  xdp: uapi.BPF_XDP,
  sk_skb_verdict: uapi.BPF_SK_SKB_VERDICT,
  sk_reuseport_select: uapi.BPF_SK_REUSEPORT_SELECT,
  sk_reuseport_select_or_migrate: uapi.BPF_SK_REUSEPORT_SELECT_OR_MIGRATE,
  perf_event: uapi.BPF_PERF_EVENT,
  trace_kprobe_multi: uapi.BPF_TRACE_KPROBE_MULTI,
  lsm_cgroup: uapi.BPF_LSM_CGROUP,
  struct_ops: uapi.BPF_STRUCT_OPS,
  netfilter: uapi.BPF_NETFILTER,
  tcx_ingress: uapi.BPF_TCX_INGRESS,
  tcx_egress: uapi.BPF_TCX_EGRESS,
  trace_uprobe_multi: uapi.BPF_TRACE_UPROBE_MULTI,
  cgroup_unix_connect: uapi.BPF_CGROUP_UNIX_CONNECT,
  cgroup_unix_sendmsg: uapi.BPF_CGROUP_UNIX_SENDMSG,
  cgroup_unix_recvmsg: uapi.BPF_CGROUP_UNIX_RECVMSG,
  cgroup_unix_getpeername: uapi.BPF_CGROUP_UNIX_GETPEERNAME,
  cgroup_unix_getsockname: uapi.BPF_CGROUP_UNIX_GETSOCKNAME,
  netkit_primary: uapi.BPF_NETKIT_PRIMARY,
  netkit_peer: uapi.BPF_NETKIT_PEER,
  trace_kprobe_session: uapi.BPF_TRACE_KPROBE_SESSION,
  trace_uprobe_session: uapi.BPF_TRACE_UPROBE_SESSION,
  trace_fsession: uapi.BPF_TRACE_FSESSION,
  trace_fentry_multi: uapi.BPF_TRACE_FENTRY_MULTI,
  trace_fexit_multi: uapi.BPF_TRACE_FEXIT_MULTI,
  trace_fsession_multi: uapi.BPF_TRACE_FSESSION_MULTI,
} as const;

export type AttachTypeName = keyof typeof AttachType;

let names: ReadonlyMap<number, string> | undefined;

/** `cgroup_inet_ingress` for BPF_CGROUP_INET_INGRESS; `attach_type_99` where it is unknown. */
export function attachTypeName(type: number): string {
  names ??= new Map(Object.entries(AttachType).map(([name, value]) => [value, name]));
  return names.get(type) ?? `attach_type_${String(type)}`;
}
