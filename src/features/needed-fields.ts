import * as uapi from '../uapi/index.ts';
import type { bpf_attr_prog_load } from '../uapi/index.ts';

/** Something that is in every BTF, and no function: enough for the verifier to look at. */
const ANY_TYPE = 1;

/** What types of programs cannot be loaded without; other fields stay zero. */
const neededFields: Readonly<Record<number, Partial<bpf_attr_prog_load>>> = {
  [uapi.BPF_PROG_TYPE_CGROUP_SOCK_ADDR]: { expected_attach_type: uapi.BPF_CGROUP_INET4_CONNECT },
  [uapi.BPF_PROG_TYPE_CGROUP_SOCKOPT]: { expected_attach_type: uapi.BPF_CGROUP_GETSOCKOPT },
  [uapi.BPF_PROG_TYPE_LIRC_MODE2]: { expected_attach_type: uapi.BPF_LIRC_MODE2 },
  [uapi.BPF_PROG_TYPE_SK_LOOKUP]: { expected_attach_type: uapi.BPF_SK_LOOKUP },
  [uapi.BPF_PROG_TYPE_NETFILTER]: { expected_attach_type: uapi.BPF_NETFILTER },
  [uapi.BPF_PROG_TYPE_SYSCALL]: { prog_flags: uapi.BPF_F_SLEEPABLE },
  // The oldest kind of tracing, and the one that machines allow which forbid to change the kernel's code.
  [uapi.BPF_PROG_TYPE_TRACING]: {
    expected_attach_type: uapi.BPF_TRACE_RAW_TP,
    attach_btf_id: ANY_TYPE,
  },
  [uapi.BPF_PROG_TYPE_LSM]: { expected_attach_type: uapi.BPF_LSM_MAC, attach_btf_id: ANY_TYPE },
  [uapi.BPF_PROG_TYPE_EXT]: { attach_btf_id: ANY_TYPE },
  [uapi.BPF_PROG_TYPE_STRUCT_OPS]: { attach_btf_id: ANY_TYPE },
};

/** Fields of `BPF_PROG_LOAD` for the shortest program of a type. */
export function fieldsOf(programType: number): Partial<bpf_attr_prog_load> {
  return { prog_type: programType, ...neededFields[programType] };
}
