import { disassemble, INSTRUCTION_SIZE, InstructionView } from '../../asm/index.ts';
import { CoreResolver } from '../../btf/index.ts';
import type { FunctionSpec, ObjectFile } from '../../elf/index.ts';
import { BtfError } from '../../errors.ts';

/** Type aliases and not interfaces, so that they are JSON to the compiler. */
export type ListedLine = { file: string; line: number; column: number; text: string };

export type ListedInstruction = {
  /** From the start of the function, or of a loaded program. */
  index: number;
  text: string;
  /** What its relocation leads to: `map events`, `function twice`, `extern bpf_rcu_read_lock`. */
  reference: string | null;
  /** The CO-RE relocations of the instruction, as libbpf prints them. */
  core: string[];
  /** Where a new line of the source begins. */
  source: ListedLine | null;
};

/** `section` is null in a loaded program, which has none. */
export type ListedFunction = { name: string; section: string | null; instructions: ListedInstruction[] };

/** The instructions of one function, with all that the object says of each. */
export function listFunction(object: ObjectFile, fn: FunctionSpec): ListedFunction {
  const references = new Map(
    fn.relocations.map((it) => [it.offset / INSTRUCTION_SIZE, referenceText(object, it)]),
  );
  const core = coreSpecs(object, fn);
  const lines = sourceLines(object, fn);
  const printed = disassemble(new InstructionView(fn.instructions, object.littleEndian));
  const instructions = printed.map(({ index, text }) => ({
    index,
    text,
    reference: references.get(index) ?? null,
    core: core.get(index) ?? [],
    source: lines.get(index) ?? null,
  }));
  return { name: fn.name, section: fn.section, instructions };
}

function referenceText(object: ObjectFile, relocation: FunctionSpec['relocations'][number]): string {
  switch (relocation.kind) {
    case 'map':
      return `map ${relocation.map}`;
    case 'data':
      return `${relocation.map} + ${relocation.valueOffset}${variableText(object, relocation)}`;
    case 'jump-table':
      return `jump table ${relocation.table.name}`;
    case 'extern':
      return `extern ${relocation.symbol}`;
    case 'call':
    case 'function': {
      const { section, target } = relocation;
      const callee = [...object.programs.values(), ...object.subprograms].find(
        ({ sectionIndex, offset }) => sectionIndex === section && offset === target,
      );
      return `function ${callee?.name ?? `at byte ${target} of section ${section}`}`;
    }
  }
}

function variableText(object: ObjectFile, place: { map: string; valueOffset: number }): string {
  const { map, valueOffset } = place;
  const found = [...object.variables.values()].find(
    ({ section, offset, size }) => section === map && offset <= valueOffset && valueOffset < offset + size,
  );
  return found ? ` (${found.name})` : '';
}

/** By instruction of the function. */
function coreSpecs({ btf, btfExt }: ObjectFile, fn: FunctionSpec): Map<number, string[]> {
  const specs = new Map<number, string[]>();
  if (!btf || !btfExt) return specs;
  const resolver = new CoreResolver(btf, { main: () => btf });
  for (const relocation of btfExt.coreRelocations.get(fn.section)?.records ?? []) {
    const index = (relocation.instructionOffset - fn.offset) / INSTRUCTION_SIZE;
    if (index < 0 || relocation.instructionOffset >= fn.offset + fn.instructions.length) continue;
    specs.set(index, [...(specs.get(index) ?? []), describe(() => resolver.describe(relocation))]);
  }
  return specs;
}

function describe(spec: () => string): string {
  try {
    return spec();
  } catch (error) {
    if (!(error instanceof BtfError)) throw error;
    return error.message;
  }
}

/** By instruction of the function. */
function sourceLines({ btfExt }: ObjectFile, fn: FunctionSpec): Map<number, ListedLine> {
  const ofSection = btfExt?.lineInfo.get(fn.section)?.records ?? [];
  const end = fn.offset + fn.instructions.length;
  return newLines(
    ofSection
      .filter(({ instructionOffset }) => instructionOffset >= fn.offset && instructionOffset < end)
      .map(({ instructionOffset, fileName, lineNumber, column, line }) => ({
        index: (instructionOffset - fn.offset) / INSTRUCTION_SIZE,
        file: fileName,
        line: lineNumber,
        column,
        text: line,
      })),
  );
}

/** By instruction; only where the line is another one than before. */
export function newLines(
  records: readonly (ListedLine & { readonly index: number })[],
): Map<number, ListedLine> {
  const lines = new Map<number, ListedLine>();
  let previous = '';
  for (const { index, file, line, column, text } of records) {
    const key = `${file}:${line}`;
    // Line 0 is what the compiler made of no line at all.
    if (key === previous || line === 0) continue;
    previous = key;
    lines.set(index, { file, line, column, text: text.trim() });
  }
  return lines;
}
