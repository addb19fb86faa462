import { disassemble, INSTRUCTION_SIZE, InstructionView } from '../../asm/index.ts';
import { CoreResolver } from '../../btf/index.ts';
import { functionAt, recordsOf } from '../../elf/index.ts';
import type { FunctionSpec, ObjectFile } from '../../elf/index.ts';
import { BtfError, ObjectError } from '../../errors.ts';
import { VariablesByPlace } from './variables-by-place.ts';

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
  return new ObjectListing(object).list(fn);
}

/** The functions of an object. What is looked for in all of it is put in order once. */
export class ObjectListing {
  readonly #object: ObjectFile;
  readonly #variables: VariablesByPlace;
  readonly #resolver: CoreResolver | undefined;

  constructor(object: ObjectFile) {
    const { btf, variables } = object;
    this.#object = object;
    this.#variables = new VariablesByPlace(variables.values());
    this.#resolver = btf && new CoreResolver(btf, { main: () => btf });
  }

  list(fn: FunctionSpec): ListedFunction {
    const references = new Map(
      fn.relocations.map((it) => [it.offset / INSTRUCTION_SIZE, this.#referenceText(it)]),
    );
    const core = this.#coreSpecs(fn);
    const lines = sourceLines(this.#object, fn);
    const printed = disassemble(new InstructionView(fn.instructions, this.#object.littleEndian));
    const instructions = printed.map(({ index, text }) => ({
      index,
      text,
      reference: references.get(index) ?? null,
      core: core.get(index) ?? [],
      source: lines.get(index) ?? null,
    }));
    return { name: fn.name, section: fn.section, instructions };
  }

  #referenceText(relocation: FunctionSpec['relocations'][number]): string {
    switch (relocation.kind) {
      case 'map':
        return `map ${relocation.map}`;
      case 'data': {
        const { map, valueOffset } = relocation;
        const variable = this.#variables.at(map, valueOffset);
        return `${map} + ${valueOffset}${variable ? ` (${variable.name})` : ''}`;
      }
      case 'jump-table':
        return `jump table ${relocation.table.name}`;
      case 'extern':
        return `extern ${relocation.symbol}`;
      case 'call':
      case 'function': {
        const { section, target } = relocation;
        const callee = functionAt(this.#object, relocation);
        return `function ${callee?.name ?? `at byte ${target} of section ${section}`}`;
      }
    }
  }

  /** By instruction of the function. */
  #coreSpecs(fn: FunctionSpec): Map<number, string[]> {
    const specs = new Map<number, string[]>();
    const resolver = this.#resolver;
    if (!resolver) return specs;
    for (const relocation of recordsOf(this.#object.btfExt?.coreRelocations, fn)) {
      const index = (relocation.instructionOffset - fn.offset) / INSTRUCTION_SIZE;
      const spec = describe(() => resolver.describe(relocation));
      const ofInstruction = specs.get(index);
      if (ofInstruction) ofInstruction.push(spec);
      else specs.set(index, [spec]);
    }
    return specs;
  }
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
  return newLines(
    recordsOf(btfExt?.lineInfo, fn).map(({ instructionOffset, fileName, lineNumber, column, line }) => ({
      index: (instructionOffset - fn.offset) / INSTRUCTION_SIZE,
      file: fileName,
      line: lineNumber,
      column,
      text: line,
    })),
  );
}

/** Thousands of instructions may each be of a line of 64 KiB. */
const MOST_SOURCE = 1 << 24;

/** By instruction; only where the line is another one than before. */
export function newLines(
  records: readonly (ListedLine & { readonly index: number })[],
): Map<number, ListedLine> {
  const lines = new Map<number, ListedLine>();
  let previous = '';
  let length = 0;
  for (const { index, file, line, column, text } of records) {
    const key = `${file}:${line}`;
    // Line 0 is what the compiler made of no line at all.
    if (key === previous || line === 0) continue;
    previous = key;
    length += file.length + text.length;
    if (length > MOST_SOURCE)
      throw new ObjectError(
        'OBJECT_INVALID',
        `Cannot list the instructions: the source of one function is longer than ${MOST_SOURCE} characters`,
      );
    lines.set(index, { file, line, column, text: text.trim() });
  }
  return lines;
}
