export { helperName, helperNumber } from './helper-names.ts';
export { encodeInstructions, InstructionView } from './instruction.ts';
export type { Instruction } from './instruction.ts';
export {
  CALL,
  EXIT,
  INSTRUCTION_SIZE,
  InstructionClass,
  LOAD_IMMEDIATE_64,
  MOVE_IMMEDIATE_64,
} from './opcode.ts';
export { kernelText } from './kernel-text.ts';
export type { KernelTextOptions } from './kernel-text.ts';
export { assemble } from './parse.ts';
export { disassemble } from './print.ts';
export type { PrintedInstruction, PrintOptions } from './print.ts';
