import { CALL, INSTRUCTION_SIZE, InstructionView, kernelText, LOAD_IMMEDIATE_64 } from '../../asm/index.ts';
import type { Instruction } from '../../asm/index.ts';
import { KernelSymbols, type LoadedLine, type LoadedProgram } from '../../inspect/index.ts';
import { BPF_PSEUDO_CALL } from '../../uapi/index.ts';
import type { Json } from '../output/error-report.ts';
import { lineDocument, lineText } from './source-line.ts';
import { signatureText } from './signature.ts';

export interface XlatedDumpOptions {
  /** The bytes beside the text. */
  readonly opcodes: boolean;
  /** File, line and column beside the source. */
  readonly linum: boolean;
}

interface ShownInstruction {
  readonly index: number;
  readonly wide: boolean;
  readonly text: string;
  /** Of the function that begins here. */
  readonly signature: string | undefined;
  readonly line: LoadedLine | undefined;
}

/** The instructions of a loaded program, as JSON and as text of bpftool. */
export function dumpXlated(
  program: LoadedProgram,
  options: XlatedDumpOptions,
): { readonly document: Json; readonly text: string } {
  const shown = describe(program);
  const { instructions: bytes } = program;
  return {
    document: shown.map((instruction) => instructionDocument(instruction, { bytes, options })),
    text: shown.flatMap((instruction) => instructionText(instruction, { bytes, options })).join('\n'),
  };
}

function describe(program: LoadedProgram): ShownInstruction[] {
  const view = new InstructionView(program.instructions);
  const callTarget = callTargets(program, view);
  const { btf } = program;
  const functions = new Map(program.functions.map((fn) => [fn.index, fn]));
  const lines = new Map(program.lines.map((line) => [line.index, line]));
  const shown: ShownInstruction[] = [];
  for (let index = 0; index < view.count; index++) {
    const wide = view.opcode(index) === LOAD_IMMEDIATE_64;
    const fn = functions.get(index);
    const signature = btf && fn ? signatureText(btf, fn.typeId) : undefined;
    const text = kernelText(view, index, { callTarget });
    shown.push({ index, wide, text, signature: signature || undefined, line: lines.get(index) });
    if (wide) index++;
  }
  return shown;
}

/** What calls lead to: functions of the program by their symbols, helpers and kernel functions by the kernel's. */
function callTargets(
  { addresses }: LoadedProgram,
  view: InstructionView,
): (instruction: Instruction) => string {
  const calls = Array.from({ length: view.count }, (_, index) => index).filter(
    (index) => view.opcode(index) === CALL,
  );
  const symbols = calls.length > 0 ? KernelSymbols.read() : undefined;
  const base = symbols?.callBase ?? 0n;
  const addressOf = ({ source, immediate }: Pick<Instruction, 'source' | 'immediate'>): bigint => {
    // Once compiled, the immediate of a call within the program is the number of the function (jit_subprogs()).
    const own = source === BPF_PSEUDO_CALL ? addresses[immediate] : undefined;
    return BigInt.asUintN(64, own ?? base + BigInt(immediate));
  };
  const found = symbols?.find(calls.map((index) => addressOf(view.get(index))));
  return (instruction) => {
    const { source, offset } = instruction;
    const address = addressOf(instruction);
    const name = found?.get(address)?.name ?? `0x${address.toString(16)}`;
    if (source !== BPF_PSEUDO_CALL) return name;
    const distance = offset < 0 ? String(offset) : `+${offset}`;
    return addresses.length === 0 ? distance : `${distance}#${name}`;
  };
}

interface Context {
  readonly bytes: Uint8Array;
  readonly options: XlatedDumpOptions;
}

function instructionDocument(
  { index, wide, text, signature, line }: ShownInstruction,
  { bytes, options }: Context,
): Json {
  return {
    ...(signature !== undefined && { proto: signature }),
    ...(line && lineDocument(line, options)),
    disasm: text,
    ...(options.opcodes && { opcodes: opcodeDocument(bytes, { index, wide }) }),
  };
}

function opcodeDocument(bytes: Uint8Array, { index, wide }: { index: number; wide: boolean }): Json {
  const at = index * INSTRUCTION_SIZE;
  const registers = bytes[at + 1] ?? 0;
  return {
    code: hex(bytes[at] ?? 0),
    src_reg: `0x${(registers >> 4).toString(16)}`,
    dst_reg: `0x${(registers & 0xf).toString(16)}`,
    off: [...bytes.subarray(at + 2, at + 4)].map(hex),
    imm: [...bytes.subarray(at + 4, at + (wide ? 16 : 8))].map(hex),
  };
}

function hex(byte: number): string {
  return `0x${byte.toString(16).padStart(2, '0')}`;
}

function instructionText(
  { index, wide, text, signature, line }: ShownInstruction,
  { bytes, options }: Context,
): string[] {
  const lines = signature === undefined ? [] : [`${signature}:`];
  lines.push(...lineText(line, options));
  lines.push(`${String(index).padStart(4)}: ${text}`);
  if (options.opcodes) {
    const at = index * INSTRUCTION_SIZE;
    const own = [...bytes.subarray(at, at + (wide ? 2 : 1) * INSTRUCTION_SIZE)];
    lines.push(`       ${own.map((byte) => byte.toString(16).padStart(2, '0')).join(' ')}`);
  }
  return lines;
}
