import { formTables, type CompiledForm } from './form.ts';
import type { Instruction, InstructionView } from './instruction.ts';
import { LOAD_IMMEDIATE_64 } from './opcode.ts';
import { helperName } from './helper-names.ts';
import * as uapi from '../uapi/index.ts';

/** An instruction as text, and which it is. */
export interface PrintedInstruction {
  /** Of its first slot. */
  readonly index: number;
  /** 2 for a 64-bit load, else 1. */
  readonly slots: number;
  readonly text: string;
}

/** Options of {@link disassemble}. */
export interface PrintOptions {
  /**
   * What the kernel puts where a program had the descriptor of a map: its id, in the instructions of a loaded program.
   * @default 'descriptor'
   */
  readonly mapsBy?: 'descriptor' | 'id' | undefined;
}

/**
 * Instructions as text, in the syntax of LLVM's assembler; calls of helpers by name, as in the kernel's log.
 * `assemble()` makes the same instructions of it, whatever they are: what no instruction looks like is printed as
 * `.quad 0x…`.
 */
export function disassemble(
  view: InstructionView,
  { mapsBy = 'descriptor' }: PrintOptions = {},
): PrintedInstruction[] {
  const printed: PrintedInstruction[] = [];
  for (let index = 0; index < view.count;) {
    const instruction = view.get(index);
    const isWide = instruction.opcode === LOAD_IMMEDIATE_64 && index + 1 < view.count;
    const second = isWide ? view.get(index + 1) : undefined;
    const form = formOf(instruction, second);
    const slots = form && second ? 2 : 1;
    const text = form ? fill(form, instruction, second) : raw(instruction);
    printed.push({ index, slots, text: mapsBy === 'id' ? text.replace('map[fd:', 'map[id:') : text });
    index += slots;
  }
  return printed;
}

function formOf(instruction: Instruction, second: Instruction | undefined): CompiledForm | undefined {
  const { opcode } = instruction;
  if (opcode === LOAD_IMMEDIATE_64 && (second === undefined || !isSecondHalf(second))) return undefined;
  return formTables()
    .byOpcode.get(opcode)
    ?.find((form) => form.readOnly !== true && hasFixedFields(form, instruction));
}

function isSecondHalf({ opcode, destination, source, offset }: Instruction): boolean {
  return opcode === 0 && destination === 0 && source === 0 && offset === 0;
}

/** Fields that the text would not show must be as the form has them. */
function hasFixedFields(form: CompiledForm, instruction: Instruction): boolean {
  const shown = new Set(form.places.map(({ operand }) => fieldOf(operand)));
  const { source = 0, offset = 0, immediate = 0 } = form;
  return (
    (shown.has('destination') || instruction.destination === 0) &&
    (shown.has('source') || instruction.source === source) &&
    (shown.has('offset') || instruction.offset === offset) &&
    (shown.has('immediate') || instruction.immediate === immediate)
  );
}

/** The field that an operand shows; that of the second half of a 64-bit load is `second`. */
export function fieldOf(operand: string | undefined): keyof Instruction | 'second' | undefined {
  switch (operand) {
    case 'd':
    case 'D':
      return 'destination';
    case 's':
    case 'S':
      return 'source';
    case 'o':
    case '+o':
    case 'm':
      return 'offset';
    case 'i':
    case '+i':
    case 'M':
    case 'l':
      return 'immediate';
    case 'n':
    case 'N':
      return 'second';
    default:
      return undefined;
  }
}

function fill(form: CompiledForm, instruction: Instruction, second: Instruction | undefined): string {
  if (instruction.opcode === (uapi.BPF_JMP | uapi.BPF_CALL) && instruction.source === 0) {
    const name = helperName(instruction.immediate);
    if (name !== undefined) return `call ${name}#${instruction.immediate}`;
  }
  return form.text.replace(/\{([+\w]+)\}/g, (_, operand: string) =>
    operandText(operand, instruction, second?.immediate ?? 0),
  );
}

function operandText(operand: string, instruction: Instruction, second: number): string {
  const { destination, source, offset, immediate } = instruction;
  switch (operand) {
    case 'd':
      return `r${destination}`;
    case 'D':
      return `w${destination}`;
    case 's':
      return `r${source}`;
    case 'S':
      return `w${source}`;
    case 'o':
      return String(offset);
    case '+o':
      return signed(offset);
    case '+i':
      return signed(immediate);
    case 'm':
      return added(offset);
    case 'M':
      return added(immediate);
    case 'n':
      return String(second);
    case 'N':
      return added(second);
    case 'l':
      return String((BigInt(second) << 32n) | BigInt(immediate >>> 0));
    default:
      return String(immediate);
  }
}

function signed(value: number): string {
  return value < 0 ? String(value) : `+${value}`;
}

function added(value: number): string {
  return value < 0 ? ` - ${-value}` : ` + ${value}`;
}

function raw({ opcode, destination, source, offset, immediate }: Instruction): string {
  const low = BigInt(opcode | (destination << 8) | (source << 12)) | (BigInt(offset & 0xffff) << 16n);
  return `.quad 0x${((BigInt(immediate >>> 0) << 32n) | low).toString(16).padStart(16, '0')}`;
}
