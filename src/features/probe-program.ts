import { EXIT, MOVE_IMMEDIATE_64, encodeInstructions } from '../asm/index.ts';
import type { Instruction } from '../asm/index.ts';
import type { Capability, Kernel } from '../sys/index.ts';
import {
  BPF_PROG_TYPE_KPROBE,
  BPF_PROG_TYPE_PERF_EVENT,
  BPF_PROG_TYPE_RAW_TRACEPOINT,
  BPF_PROG_TYPE_SCHED_ACT,
  BPF_PROG_TYPE_SCHED_CLS,
  BPF_PROG_TYPE_TRACEPOINT,
  BPF_PROG_TYPE_XDP,
  bpf_attr_prog_load,
} from '../uapi/index.ts';
import type { Attempt } from './attempt.ts';

/** `r0 = 0; exit`: the shortest program there is. */
export const returnZero: readonly Partial<Instruction>[] = [
  { opcode: MOVE_IMMEDIATE_64, destination: 0, immediate: 0 },
  { opcode: EXIT },
];

/** Beside CAP_BPF (is_net_admin_prog_type() and is_perfmon_prog_type() in kernel/bpf/syscall.c). */
const furtherCapabilities: Readonly<Record<number, Capability>> = {
  [BPF_PROG_TYPE_XDP]: 'CAP_NET_ADMIN',
  [BPF_PROG_TYPE_SCHED_CLS]: 'CAP_NET_ADMIN',
  [BPF_PROG_TYPE_SCHED_ACT]: 'CAP_NET_ADMIN',
  [BPF_PROG_TYPE_KPROBE]: 'CAP_PERFMON',
  [BPF_PROG_TYPE_TRACEPOINT]: 'CAP_PERFMON',
  [BPF_PROG_TYPE_RAW_TRACEPOINT]: 'CAP_PERFMON',
  [BPF_PROG_TYPE_PERF_EVENT]: 'CAP_PERFMON',
};

const license = new TextEncoder().encode('GPL\0');

/** BPF_PROG_LOAD of a few instructions, under the GPL so that no helper is out of reach. */
export function programLoad(
  kernel: Kernel,
  program: {
    readonly subject: string;
    readonly instructions: readonly Partial<Instruction>[];
    readonly fields: Partial<bpf_attr_prog_load>;
    /** Further buffers that `fields` has the addresses of. */
    readonly keep?: readonly Uint8Array[];
  },
): Attempt<bpf_attr_prog_load> {
  const further = furtherCapabilities[program.fields.prog_type ?? 0];
  const instructions = encodeInstructions(program.instructions);
  return {
    command: 'BPF_PROG_LOAD',
    attribute: bpf_attr_prog_load,
    fields: {
      insns: kernel.addressOf(instructions),
      insn_cnt: program.instructions.length,
      license: kernel.addressOf(license),
      ...program.fields,
    },
    keep: [instructions, license, ...(program.keep ?? [])],
    subject: program.subject,
    needed: further === undefined ? ['CAP_BPF'] : ['CAP_BPF', further],
  };
}
