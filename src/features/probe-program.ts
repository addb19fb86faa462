import { EXIT, MOVE_IMMEDIATE_64, encodeInstructions } from '../asm/index.ts';
import type { Instruction } from '../asm/index.ts';
import { capabilitiesOfProgramType, type Kernel } from '../sys/index.ts';
import { bpf_attr_prog_load } from '../uapi/index.ts';
import type { Attempt } from './attempt.ts';

/** `r0 = 0; exit`: the shortest program there is. */
export const returnZero: readonly Partial<Instruction>[] = [
  { opcode: MOVE_IMMEDIATE_64, destination: 0, immediate: 0 },
  { opcode: EXIT },
];

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
    needed: capabilitiesOfProgramType(program.fields.prog_type ?? 0),
  };
}
