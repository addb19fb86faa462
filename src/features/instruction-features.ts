import { EXIT, MOVE_IMMEDIATE_64 } from '../asm/index.ts';
import type { Instruction } from '../asm/index.ts';
import type { Kernel } from '../sys/index.ts';
import * as uapi from '../uapi/index.ts';
import type { bpf_attr_prog_load } from '../uapi/index.ts';
import { canOpen } from './attempt.ts';
import type { Feature } from './feature.ts';
import { programLoad } from './probe-program.ts';

/** BPF_MAXINSNS, which was the limit of every program before 5.2. */
const OLD_LIMIT = 4096;

/** `BPF_ALU64 | BPF_SUB | BPF_K`. */
const SUBTRACT = 0x17;
/** `BPF_JMP | BPF_JNE | BPF_K`. */
const JUMP_NOT_EQUAL = 0x55;
/** `BPF_JMP | BPF_JLT | BPF_K`. */
const JUMP_LESS = 0xa5;
/** `BPF_JMP32 | BPF_JLT | BPF_K`. */
const JUMP_LESS_32 = 0xa6;
/** `BPF_JMP32 | BPF_JA`. */
const JUMP_FAR = 0x06;

const exit = { opcode: EXIT };

function move(immediate: number): Partial<Instruction> {
  return { opcode: MOVE_IMMEDIATE_64, destination: 0, immediate };
}

/** A feature that a network card may lack when programs are offloaded to it. */
export interface InstructionFeature extends Feature {
  /** `device` is the index of a network device. Throws as `probe` does. */
  readonly probeOnDevice: (kernel: Kernel, device: number) => boolean;
}

/** A feature that shows in a socket filter of these instructions; on a card, which takes no such, in an XDP program. */
function instructionFeature(
  name: string,
  facts: { readonly minKernel: string; readonly instructions: () => readonly Partial<Instruction>[] },
): InstructionFeature {
  const { minKernel, instructions } = facts;
  const loads = (kernel: Kernel, fields: Partial<bpf_attr_prog_load>): boolean =>
    canOpen(kernel, programLoad(kernel, { subject: name, instructions: instructions(), fields }));
  return {
    name,
    minKernel,
    probe: (kernel) => loads(kernel, { prog_type: uapi.BPF_PROG_TYPE_SOCKET_FILTER }),
    probeOnDevice: (kernel, device) =>
      loads(kernel, { prog_type: uapi.BPF_PROG_TYPE_XDP, prog_ifindex: device }),
  };
}

export const largePrograms = instructionFeature('programs of more than 4096 instructions', {
  minKernel: '5.2',
  // Only where it is asked: 4,096 objects at every start cost milliseconds.
  instructions: () => [...Array.from({ length: OLD_LIMIT }, () => move(1)), exit],
});

export const boundedLoops = instructionFeature('loops', {
  minKernel: '5.3',
  instructions: () => [
    move(10),
    { opcode: SUBTRACT, destination: 0, immediate: 1 },
    { opcode: JUMP_NOT_EQUAL, destination: 0, offset: -2, immediate: 0 },
    exit,
  ],
});

/** Jumps on "less than". */
export const instructionSet2 = instructionFeature('version 2 of the instruction set', {
  minKernel: '4.14',
  instructions: () => [
    move(0),
    { opcode: JUMP_LESS, destination: 0, offset: 1, immediate: 0 },
    move(1),
    exit,
  ],
});

/** Jumps that compare 32 bits. */
export const instructionSet3 = instructionFeature('version 3 of the instruction set', {
  minKernel: '5.1',
  instructions: () => [
    move(0),
    { opcode: JUMP_LESS_32, destination: 0, offset: 1, immediate: 0 },
    move(1),
    exit,
  ],
});

/** Jumps over a distance of 32 bits; the signed operations came with them. */
export const instructionSet4 = instructionFeature('version 4 of the instruction set', {
  minKernel: '6.6',
  // The verifier takes no instruction that nothing leads to: hence the jump around the one that is tried.
  instructions: () => [
    move(0),
    { opcode: JUMP_NOT_EQUAL, destination: 0, offset: 1, immediate: 0 },
    { opcode: JUMP_FAR, immediate: 1 },
    move(1),
    exit,
  ],
});
