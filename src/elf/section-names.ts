import * as uapi from '../uapi/index.ts';

/** What a section name says of the programs in it. */
export interface SectionDefinition {
  /** The name, or what stands before the first `/` where `pattern` is `prefix`. */
  readonly name: string;
  /** `exact`: the whole name. `prefix`: the name alone, or with `/TARGET` after it. */
  readonly pattern: 'exact' | 'prefix';
  readonly type: number;
  readonly attachType: number;
  /** The attach type may be left out where the kernel does not know it (libbpf's SEC_EXP_ATTACH_OPT). */
  readonly attachTypeOptional: boolean;
  readonly sleepable: boolean;
  /** `BPF_F_XDP_HAS_FRAGS`: packets of several buffers are welcome. */
  readonly frags: boolean;
  /** The program attaches to a function found by name in BTF. */
  readonly attachesToBtf: boolean;
}

export interface SectionMeaning extends SectionDefinition {
  /** What stands after the name: `sched/sched_process_exit` of `tp/sched/sched_process_exit`. */
  readonly target: string | undefined;
}

type Flag = 'optional' | 'sleepable' | 'frags' | 'btf';
type Row = readonly [names: string, type: number, attachType: number, ...flags: Flag[]];

/**
 * Every section name that libbpf 1.7 gives a meaning to (the table section_defs of its libbpf.c). A trailing `+`
 * marks names that take a target after a slash; names that share a meaning share a row.
 */
const ROWS: readonly Row[] = [
  ['socket', uapi.BPF_PROG_TYPE_SOCKET_FILTER, 0],
  ['sk_reuseport/migrate', uapi.BPF_PROG_TYPE_SK_REUSEPORT, uapi.BPF_SK_REUSEPORT_SELECT_OR_MIGRATE],
  ['sk_reuseport', uapi.BPF_PROG_TYPE_SK_REUSEPORT, uapi.BPF_SK_REUSEPORT_SELECT],
  ['kprobe+ uprobe+ kretprobe+ uretprobe+ ksyscall+ kretsyscall+ usdt+', uapi.BPF_PROG_TYPE_KPROBE, 0],
  ['uprobe.s+ uretprobe.s+ usdt.s+', uapi.BPF_PROG_TYPE_KPROBE, 0, 'sleepable'],
  ['kprobe.multi+ kretprobe.multi+', uapi.BPF_PROG_TYPE_KPROBE, uapi.BPF_TRACE_KPROBE_MULTI],
  ['kprobe.session+', uapi.BPF_PROG_TYPE_KPROBE, uapi.BPF_TRACE_KPROBE_SESSION],
  ['uprobe.multi+ uretprobe.multi+', uapi.BPF_PROG_TYPE_KPROBE, uapi.BPF_TRACE_UPROBE_MULTI],
  ['uprobe.multi.s+ uretprobe.multi.s+', uapi.BPF_PROG_TYPE_KPROBE, uapi.BPF_TRACE_UPROBE_MULTI, 'sleepable'],
  ['uprobe.session+', uapi.BPF_PROG_TYPE_KPROBE, uapi.BPF_TRACE_UPROBE_SESSION],
  ['uprobe.session.s+', uapi.BPF_PROG_TYPE_KPROBE, uapi.BPF_TRACE_UPROBE_SESSION, 'sleepable'],
  ['tc/ingress tcx/ingress', uapi.BPF_PROG_TYPE_SCHED_CLS, uapi.BPF_TCX_INGRESS, 'optional'],
  ['tc/egress tcx/egress', uapi.BPF_PROG_TYPE_SCHED_CLS, uapi.BPF_TCX_EGRESS, 'optional'],
  ['tc classifier', uapi.BPF_PROG_TYPE_SCHED_CLS, 0],
  ['action', uapi.BPF_PROG_TYPE_SCHED_ACT, 0],
  ['netkit/primary', uapi.BPF_PROG_TYPE_SCHED_CLS, uapi.BPF_NETKIT_PRIMARY],
  ['netkit/peer', uapi.BPF_PROG_TYPE_SCHED_CLS, uapi.BPF_NETKIT_PEER],
  ['tracepoint+ tp+', uapi.BPF_PROG_TYPE_TRACEPOINT, 0],
  ['raw_tracepoint+ raw_tp+', uapi.BPF_PROG_TYPE_RAW_TRACEPOINT, 0],
  ['raw_tracepoint.w+ raw_tp.w+', uapi.BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE, 0],
  ['tp_btf+', uapi.BPF_PROG_TYPE_TRACING, uapi.BPF_TRACE_RAW_TP, 'btf'],
  ['fentry+', uapi.BPF_PROG_TYPE_TRACING, uapi.BPF_TRACE_FENTRY, 'btf'],
  ['fentry.s+', uapi.BPF_PROG_TYPE_TRACING, uapi.BPF_TRACE_FENTRY, 'btf', 'sleepable'],
  ['fmod_ret+', uapi.BPF_PROG_TYPE_TRACING, uapi.BPF_MODIFY_RETURN, 'btf'],
  ['fmod_ret.s+', uapi.BPF_PROG_TYPE_TRACING, uapi.BPF_MODIFY_RETURN, 'btf', 'sleepable'],
  ['fexit+', uapi.BPF_PROG_TYPE_TRACING, uapi.BPF_TRACE_FEXIT, 'btf'],
  ['fexit.s+', uapi.BPF_PROG_TYPE_TRACING, uapi.BPF_TRACE_FEXIT, 'btf', 'sleepable'],
  ['fsession+', uapi.BPF_PROG_TYPE_TRACING, uapi.BPF_TRACE_FSESSION, 'btf'],
  ['fsession.s+', uapi.BPF_PROG_TYPE_TRACING, uapi.BPF_TRACE_FSESSION, 'btf', 'sleepable'],
  ['freplace+', uapi.BPF_PROG_TYPE_EXT, 0, 'btf'],
  ['lsm+', uapi.BPF_PROG_TYPE_LSM, uapi.BPF_LSM_MAC, 'btf'],
  ['lsm.s+', uapi.BPF_PROG_TYPE_LSM, uapi.BPF_LSM_MAC, 'btf', 'sleepable'],
  ['lsm_cgroup+', uapi.BPF_PROG_TYPE_LSM, uapi.BPF_LSM_CGROUP, 'btf'],
  ['iter+', uapi.BPF_PROG_TYPE_TRACING, uapi.BPF_TRACE_ITER, 'btf'],
  ['iter.s+', uapi.BPF_PROG_TYPE_TRACING, uapi.BPF_TRACE_ITER, 'btf', 'sleepable'],
  ['syscall', uapi.BPF_PROG_TYPE_SYSCALL, 0, 'sleepable'],
  ['xdp.frags/devmap', uapi.BPF_PROG_TYPE_XDP, uapi.BPF_XDP_DEVMAP, 'frags'],
  ['xdp/devmap', uapi.BPF_PROG_TYPE_XDP, uapi.BPF_XDP_DEVMAP],
  ['xdp.frags/cpumap', uapi.BPF_PROG_TYPE_XDP, uapi.BPF_XDP_CPUMAP, 'frags'],
  ['xdp/cpumap', uapi.BPF_PROG_TYPE_XDP, uapi.BPF_XDP_CPUMAP],
  ['xdp.frags', uapi.BPF_PROG_TYPE_XDP, uapi.BPF_XDP, 'frags'],
  ['xdp', uapi.BPF_PROG_TYPE_XDP, uapi.BPF_XDP, 'optional'],
  ['perf_event', uapi.BPF_PROG_TYPE_PERF_EVENT, 0],
  ['lwt_in', uapi.BPF_PROG_TYPE_LWT_IN, 0],
  ['lwt_out', uapi.BPF_PROG_TYPE_LWT_OUT, 0],
  ['lwt_xmit', uapi.BPF_PROG_TYPE_LWT_XMIT, 0],
  ['lwt_seg6local', uapi.BPF_PROG_TYPE_LWT_SEG6LOCAL, 0],
  ['sockops', uapi.BPF_PROG_TYPE_SOCK_OPS, uapi.BPF_CGROUP_SOCK_OPS, 'optional'],
  ['sk_skb/stream_parser', uapi.BPF_PROG_TYPE_SK_SKB, uapi.BPF_SK_SKB_STREAM_PARSER, 'optional'],
  ['sk_skb/stream_verdict', uapi.BPF_PROG_TYPE_SK_SKB, uapi.BPF_SK_SKB_STREAM_VERDICT, 'optional'],
  ['sk_skb/verdict', uapi.BPF_PROG_TYPE_SK_SKB, uapi.BPF_SK_SKB_VERDICT, 'optional'],
  ['sk_skb', uapi.BPF_PROG_TYPE_SK_SKB, 0],
  ['sk_msg', uapi.BPF_PROG_TYPE_SK_MSG, uapi.BPF_SK_MSG_VERDICT, 'optional'],
  ['lirc_mode2', uapi.BPF_PROG_TYPE_LIRC_MODE2, uapi.BPF_LIRC_MODE2, 'optional'],
  ['flow_dissector', uapi.BPF_PROG_TYPE_FLOW_DISSECTOR, uapi.BPF_FLOW_DISSECTOR, 'optional'],
  ['cgroup_skb/ingress', uapi.BPF_PROG_TYPE_CGROUP_SKB, uapi.BPF_CGROUP_INET_INGRESS, 'optional'],
  ['cgroup_skb/egress', uapi.BPF_PROG_TYPE_CGROUP_SKB, uapi.BPF_CGROUP_INET_EGRESS, 'optional'],
  ['cgroup/skb', uapi.BPF_PROG_TYPE_CGROUP_SKB, 0],
  ['cgroup/sock_create', uapi.BPF_PROG_TYPE_CGROUP_SOCK, uapi.BPF_CGROUP_INET_SOCK_CREATE],
  ['cgroup/sock_release', uapi.BPF_PROG_TYPE_CGROUP_SOCK, uapi.BPF_CGROUP_INET_SOCK_RELEASE],
  ['cgroup/sock', uapi.BPF_PROG_TYPE_CGROUP_SOCK, uapi.BPF_CGROUP_INET_SOCK_CREATE, 'optional'],
  ['cgroup/post_bind4', uapi.BPF_PROG_TYPE_CGROUP_SOCK, uapi.BPF_CGROUP_INET4_POST_BIND],
  ['cgroup/post_bind6', uapi.BPF_PROG_TYPE_CGROUP_SOCK, uapi.BPF_CGROUP_INET6_POST_BIND],
  ['cgroup/bind4', uapi.BPF_PROG_TYPE_CGROUP_SOCK_ADDR, uapi.BPF_CGROUP_INET4_BIND],
  ['cgroup/bind6', uapi.BPF_PROG_TYPE_CGROUP_SOCK_ADDR, uapi.BPF_CGROUP_INET6_BIND],
  ['cgroup/connect4', uapi.BPF_PROG_TYPE_CGROUP_SOCK_ADDR, uapi.BPF_CGROUP_INET4_CONNECT],
  ['cgroup/connect6', uapi.BPF_PROG_TYPE_CGROUP_SOCK_ADDR, uapi.BPF_CGROUP_INET6_CONNECT],
  ['cgroup/connect_unix', uapi.BPF_PROG_TYPE_CGROUP_SOCK_ADDR, uapi.BPF_CGROUP_UNIX_CONNECT],
  ['cgroup/sendmsg4', uapi.BPF_PROG_TYPE_CGROUP_SOCK_ADDR, uapi.BPF_CGROUP_UDP4_SENDMSG],
  ['cgroup/sendmsg6', uapi.BPF_PROG_TYPE_CGROUP_SOCK_ADDR, uapi.BPF_CGROUP_UDP6_SENDMSG],
  ['cgroup/sendmsg_unix', uapi.BPF_PROG_TYPE_CGROUP_SOCK_ADDR, uapi.BPF_CGROUP_UNIX_SENDMSG],
  ['cgroup/recvmsg4', uapi.BPF_PROG_TYPE_CGROUP_SOCK_ADDR, uapi.BPF_CGROUP_UDP4_RECVMSG],
  ['cgroup/recvmsg6', uapi.BPF_PROG_TYPE_CGROUP_SOCK_ADDR, uapi.BPF_CGROUP_UDP6_RECVMSG],
  ['cgroup/recvmsg_unix', uapi.BPF_PROG_TYPE_CGROUP_SOCK_ADDR, uapi.BPF_CGROUP_UNIX_RECVMSG],
  ['cgroup/getpeername4', uapi.BPF_PROG_TYPE_CGROUP_SOCK_ADDR, uapi.BPF_CGROUP_INET4_GETPEERNAME],
  ['cgroup/getpeername6', uapi.BPF_PROG_TYPE_CGROUP_SOCK_ADDR, uapi.BPF_CGROUP_INET6_GETPEERNAME],
  ['cgroup/getpeername_unix', uapi.BPF_PROG_TYPE_CGROUP_SOCK_ADDR, uapi.BPF_CGROUP_UNIX_GETPEERNAME],
  ['cgroup/getsockname4', uapi.BPF_PROG_TYPE_CGROUP_SOCK_ADDR, uapi.BPF_CGROUP_INET4_GETSOCKNAME],
  ['cgroup/getsockname6', uapi.BPF_PROG_TYPE_CGROUP_SOCK_ADDR, uapi.BPF_CGROUP_INET6_GETSOCKNAME],
  ['cgroup/getsockname_unix', uapi.BPF_PROG_TYPE_CGROUP_SOCK_ADDR, uapi.BPF_CGROUP_UNIX_GETSOCKNAME],
  ['cgroup/sysctl', uapi.BPF_PROG_TYPE_CGROUP_SYSCTL, uapi.BPF_CGROUP_SYSCTL],
  ['cgroup/getsockopt', uapi.BPF_PROG_TYPE_CGROUP_SOCKOPT, uapi.BPF_CGROUP_GETSOCKOPT],
  ['cgroup/setsockopt', uapi.BPF_PROG_TYPE_CGROUP_SOCKOPT, uapi.BPF_CGROUP_SETSOCKOPT],
  ['cgroup/dev', uapi.BPF_PROG_TYPE_CGROUP_DEVICE, uapi.BPF_CGROUP_DEVICE, 'optional'],
  ['struct_ops+', uapi.BPF_PROG_TYPE_STRUCT_OPS, 0],
  ['struct_ops.s+', uapi.BPF_PROG_TYPE_STRUCT_OPS, 0, 'sleepable'],
  ['sk_lookup', uapi.BPF_PROG_TYPE_SK_LOOKUP, uapi.BPF_SK_LOOKUP],
  ['netfilter', uapi.BPF_PROG_TYPE_NETFILTER, uapi.BPF_NETFILTER],
];

let definitions: ReadonlyMap<string, SectionDefinition> | undefined;

/** All section names, by name. */
export function sectionDefinitions(): ReadonlyMap<string, SectionDefinition> {
  definitions ??= new Map(ROWS.flatMap(expandRow).map((definition) => [definition.name, definition]));
  return definitions;
}

function expandRow([names, type, attachType, ...flags]: Row): SectionDefinition[] {
  return names.split(' ').map((name) => ({
    name: name.replace('+', ''),
    pattern: name.endsWith('+') ? 'prefix' : 'exact',
    type,
    attachType,
    attachTypeOptional: flags.includes('optional'),
    sleepable: flags.includes('sleepable'),
    frags: flags.includes('frags'),
    attachesToBtf: flags.includes('btf'),
  }));
}

/** What a section name means; undefined where it says nothing. A leading `?` is not part of the name. */
export function interpretSectionName(section: string): SectionMeaning | undefined {
  const exact = sectionDefinitions().get(section);
  if (exact) return meaning(exact, undefined);
  const slash = section.indexOf('/');
  if (slash < 0) return undefined;
  const prefix = sectionDefinitions().get(section.slice(0, slash));
  return prefix?.pattern === 'prefix' ? meaning(prefix, section.slice(slash + 1)) : undefined;
}

function meaning(definition: SectionDefinition, target: string | undefined): SectionMeaning {
  const { name, pattern, type, attachType, attachTypeOptional, sleepable, frags, attachesToBtf } = definition;
  return { name, pattern, type, attachType, attachTypeOptional, sleepable, frags, attachesToBtf, target };
}
