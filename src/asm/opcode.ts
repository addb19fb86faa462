/**
 * The parts of a BPF opcode that the loader looks at.
 *
 * Values from include/uapi/linux/bpf_common.h and bpf.h; the encoding is described in
 * Documentation/bpf/standardization/instruction-set.rst.
 */
export const INSTRUCTION_SIZE = 8;

/** The class of an instruction, the low three bits of its opcode. */
export const InstructionClass = { Ld: 0, Ldx: 1, St: 2, Stx: 3, Alu: 4, Jmp: 5, Jmp32: 6, Alu64: 7 } as const;

/** `BPF_LD | BPF_IMM | BPF_DW`: a 64-bit immediate over two instruction slots. */
export const LOAD_IMMEDIATE_64 = 0x18;
/** `BPF_JMP | BPF_CALL`. */
export const CALL = 0x85;
/** `BPF_JMP | BPF_EXIT`. */
export const EXIT = 0x95;
/** `BPF_ALU64 | BPF_MOV | BPF_K`. */
export const MOVE_IMMEDIATE_64 = 0xb7;
