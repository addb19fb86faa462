import { CALL, EXIT, InstructionClass, LOAD_IMMEDIATE_64 } from '../../asm/index.ts';
import type { InstructionView } from '../../asm/index.ts';

/** `BPF_JA` of both classes. */
const ALWAYS = 0x05;
const ALWAYS_FAR = 0x06;
/** `BPF_JA | BPF_X`: where it leads is in a table. */
const ALWAYS_BY_TABLE = 0x0d;
/** Its condition belongs to the kernel: how often may this loop go round. */
const MAY_GOTO = 0xe5;

/** Whether an instruction has two successors, one of them by a comparison: `may_goto` is none, see {@link mayGoto}. */
export function isBranch(opcode: number): boolean {
  const kind = opcode & 0x07;
  if (kind !== InstructionClass.Jmp && kind !== InstructionClass.Jmp32) return false;
  return ![CALL, EXIT, ALWAYS, ALWAYS_FAR, ALWAYS_BY_TABLE, MAY_GOTO].includes(opcode);
}

/**
 * The instruction that runs after another, where no branch is taken; undefined after the last, and where a table says it:
 * the kernels that have tables (Linux 6.19) have every helper, so what is behind them makes no difference.
 */
export function followedBy(view: InstructionView, index: number): number | undefined {
  switch (view.opcode(index)) {
    case EXIT:
    case ALWAYS_BY_TABLE:
      return undefined;
    case LOAD_IMMEDIATE_64:
      return index + 2;
    case ALWAYS:
      return index + 1 + view.offset(index);
    case ALWAYS_FAR:
      return index + 1 + view.immediate(index);
    default:
      return index + 1;
  }
}

/** Whether an instruction leaves a loop when the kernel has had enough of it. */
export function mayGoto(opcode: number): boolean {
  return opcode === MAY_GOTO;
}

/** Where a branch leads that is taken. */
export function branchTarget(view: InstructionView, index: number): number {
  return index + 1 + view.offset(index);
}
