import { KernelSymbols, readJitedProgram, type JitedFunction, type LoadedLine } from '../../inspect/index.ts';
import type { Fd, Kernel } from '../../sys/index.ts';
import type { Btf } from '../../btf/index.ts';
import type { Json } from '../output/error-report.ts';
import { disassembleMachineCode, type MachineInstruction } from './machine-code.ts';
import { lineDocument, lineText } from './source-line.ts';
import { signatureText } from './signature.ts';

interface ShownFunction {
  readonly name: string;
  readonly signature: string | undefined;
  readonly code: Uint8Array;
  /** Undefined where nothing disassembles here. */
  readonly instructions: readonly MachineInstruction[] | undefined;
  /** By the offset of the instruction that a line begins with; of several the last. */
  readonly lines: ReadonlyMap<number, LoadedLine>;
}

interface JitedDumpOptions {
  /** The bytes beside the text. */
  readonly opcodes: boolean;
  /** File, line and column beside the source. */
  readonly linum: boolean;
}

const BYTES_IN_LINE = 16;

/** The machine code of a loaded program by function: as instructions where objdump is installed, otherwise as bytes. */
export function dumpJited(
  kernel: Kernel,
  { fd, ...options }: JitedDumpOptions & { fd: Fd },
): { readonly document: Json; readonly text: string; readonly code: Uint8Array } {
  const { functions, btf } = readJitedProgram(kernel, fd);
  const symbols = KernelSymbols.read().find(functions.map(({ address }) => address));
  const shown = functions.map((fn) => describe(fn, { btf, name: symbols.get(fn.address)?.name }));
  return {
    document: shown.map((fn) => functionDocument(fn, options)),
    text: shown.map((fn) => functionText(fn, options)).join('\n\n'),
    code: Buffer.concat(functions.map(({ code }) => code)),
  };
}

function describe(
  { address, code, typeId, lines }: JitedFunction,
  { btf, name }: { btf: Btf | undefined; name: string | undefined },
): ShownFunction {
  const signature = btf && typeId !== undefined ? signatureText(btf, typeId) : '';
  return {
    name: name ?? `0x${address.toString(16).padStart(16, '0')}`,
    signature: signature || undefined,
    code,
    instructions: disassembleMachineCode(code),
    lines: new Map(lines.map((line) => [line.index, line])),
  };
}

function functionDocument(
  { name, signature, code, instructions, lines }: ShownFunction,
  options: JitedDumpOptions,
): Json {
  return {
    ...(signature !== undefined && { proto: signature }),
    name,
    ...(instructions
      ? {
          insns: instructions.map((instruction) => {
            const line = lines.get(instruction.offset);
            return { ...(line && lineDocument(line, options)), ...instructionDocument(instruction, options) };
          }),
        }
      : { bytes: Buffer.from(code).toString('hex') }),
  };
}

function instructionDocument(
  { offset, bytes, operation, operands }: MachineInstruction,
  { opcodes }: JitedDumpOptions,
): Record<string, Json> {
  return {
    pc: `0x${offset.toString(16)}`,
    operation,
    operands: operands.length === 0 ? [null] : [...operands],
    ...(opcodes && { opcodes: bytes.map((byte) => `0x${byte.toString(16).padStart(2, '0')}`) }),
  };
}

function functionText(
  { name, signature, code, instructions, lines: sources }: ShownFunction,
  { opcodes, linum }: JitedDumpOptions,
): string {
  const heading = [...(signature === undefined ? [] : [`${signature}:`]), `${name}:`];
  if (!instructions) return [...heading, ...byteLines(code)].join('\n');
  const lines = instructions.flatMap(({ offset, bytes, operation, operands }) => [
    ...lineText(sources.get(offset), { linum }),
    `${offset.toString(16).padStart(4)}:\t${operation}${operands.length > 0 ? ` ${operands.join(', ')}` : ''}`,
    ...(opcodes ? [`\t${hexText(bytes)}`] : []),
  ]);
  return [...heading, ...lines].join('\n');
}

function byteLines(code: Uint8Array): string[] {
  return Array.from({ length: Math.ceil(code.length / BYTES_IN_LINE) }, (_, line) => {
    const start = line * BYTES_IN_LINE;
    return `${start.toString(16).padStart(4)}:\t${hexText(code.subarray(start, start + BYTES_IN_LINE))}`;
  });
}

function hexText(bytes: Iterable<number>): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
}
