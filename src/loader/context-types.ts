/** The struct by whose name kernels before Linux 6.8 know that an argument of a global function is the context. */
import { resolveType } from '../btf/index.ts';
import type { Btf } from '../btf/index.ts';
import * as uapi from '../uapi/index.ts';

/** `unfit`: it can be no context at all. */
export type ArgumentVerdict = 'keep' | 'replace' | 'unfit';

export interface ContextType {
  /** Of the struct. */
  readonly name: string;
  /** What is to become of an argument of this type, that is tagged as the context. */
  readonly of: (btf: Btf, typeId: number) => ArgumentVerdict;
}

/** BPF_PROG_TYPE() of include/linux/bpf_types.h; types of programs that are not here have no such struct. */
const NAMES: Readonly<Record<number, string>> = {
  [uapi.BPF_PROG_TYPE_CGROUP_DEVICE]: 'bpf_cgroup_dev_ctx',
  [uapi.BPF_PROG_TYPE_CGROUP_SKB]: '__sk_buff',
  [uapi.BPF_PROG_TYPE_CGROUP_SOCK]: 'bpf_sock',
  [uapi.BPF_PROG_TYPE_CGROUP_SOCK_ADDR]: 'bpf_sock_addr',
  [uapi.BPF_PROG_TYPE_CGROUP_SOCKOPT]: 'bpf_sockopt',
  [uapi.BPF_PROG_TYPE_CGROUP_SYSCTL]: 'bpf_sysctl',
  [uapi.BPF_PROG_TYPE_FLOW_DISSECTOR]: '__sk_buff',
  [uapi.BPF_PROG_TYPE_KPROBE]: 'bpf_user_pt_regs_t',
  [uapi.BPF_PROG_TYPE_LWT_IN]: '__sk_buff',
  [uapi.BPF_PROG_TYPE_LWT_OUT]: '__sk_buff',
  [uapi.BPF_PROG_TYPE_LWT_SEG6LOCAL]: '__sk_buff',
  [uapi.BPF_PROG_TYPE_LWT_XMIT]: '__sk_buff',
  [uapi.BPF_PROG_TYPE_NETFILTER]: 'bpf_nf_ctx',
  [uapi.BPF_PROG_TYPE_PERF_EVENT]: 'bpf_perf_event_data',
  [uapi.BPF_PROG_TYPE_RAW_TRACEPOINT]: 'bpf_raw_tracepoint_args',
  [uapi.BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE]: 'bpf_raw_tracepoint_args',
  [uapi.BPF_PROG_TYPE_SCHED_ACT]: '__sk_buff',
  [uapi.BPF_PROG_TYPE_SCHED_CLS]: '__sk_buff',
  [uapi.BPF_PROG_TYPE_SK_LOOKUP]: 'bpf_sk_lookup',
  [uapi.BPF_PROG_TYPE_SK_MSG]: 'sk_msg_md',
  [uapi.BPF_PROG_TYPE_SK_REUSEPORT]: 'sk_reuseport_md',
  [uapi.BPF_PROG_TYPE_SK_SKB]: '__sk_buff',
  [uapi.BPF_PROG_TYPE_SOCK_OPS]: 'bpf_sock_ops',
  [uapi.BPF_PROG_TYPE_SOCKET_FILTER]: '__sk_buff',
  [uapi.BPF_PROG_TYPE_XDP]: 'xdp_md',
};

/** A typedef, and the only one that the kernel looks at; which struct it is depends on the machine. */
const REGISTERS = 'bpf_user_pt_regs_t';
const OF_REGISTERS: readonly number[] = [uapi.BPF_PROG_TYPE_KPROBE, uapi.BPF_PROG_TYPE_PERF_EVENT];
const RAW: readonly number[] = [
  uapi.BPF_PROG_TYPE_RAW_TRACEPOINT,
  uapi.BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE,
];

/** Undefined for a type of programs whose context has no name. */
export function contextTypeOf(programType: number): ContextType | undefined {
  const name = NAMES[programType];
  if (name === undefined) return undefined;
  return { name, of: (btf, typeId) => judge(btf, { typeId, programType, name }) };
}

function judge(
  btf: Btf,
  { typeId, programType, name }: { typeId: number; programType: number; name: string },
): ArgumentVerdict {
  const pointer = btf.type(resolveType(btf, typeId));
  if (pointer.kind !== 'pointer') return 'unfit';
  const target = resolveType(btf, pointer.typeId);
  if (OF_REGISTERS.includes(programType) && pointsToRegisters(btf, pointer.typeId)) return 'keep';
  if (target === 0) return 'replace';
  const type = btf.type(target);
  if (type.kind === 'struct' && type.name === name) return 'keep';
  if (type.kind === 'struct' && isRegisters(type.name, programType)) return 'replace';
  return RAW.includes(programType) && type.kind === 'int' && type.size === 8 ? 'replace' : 'unfit';
}

/** Through modifiers, but no other typedef. */
function pointsToRegisters(btf: Btf, typeId: number): boolean {
  let type = btf.type(typeId);
  while (
    type.kind === 'const' ||
    type.kind === 'volatile' ||
    type.kind === 'restrict' ||
    type.kind === 'type_tag'
  )
    type = btf.type(type.typeId);
  return type.kind === 'typedef' && type.name === REGISTERS;
}

function isRegisters(name: string, programType: number): boolean {
  if (programType === uapi.BPF_PROG_TYPE_KPROBE) return name === 'pt_regs';
  if (programType !== uapi.BPF_PROG_TYPE_PERF_EVENT) return false;
  return name === (process.arch === 'arm64' ? 'user_pt_regs' : 'pt_regs');
}
