import { CALL, helperName, INSTRUCTION_SIZE, InstructionView, LOAD_IMMEDIATE_64 } from '../asm/index.ts';
import { KERNEL_CONFIG_SECTION } from './externs.ts';
import type { ObjectFile } from './object-file.ts';
import type { FunctionSpec } from './program-spec.ts';

/** What a program refers to, itself or through the functions that it calls; each by name, once. */
export interface References {
  readonly functions: readonly FunctionSpec[];
  readonly helpers: readonly string[];
  /** Kernel functions that are called. */
  readonly kernelFunctions: readonly string[];
  /** Those of its global variables and of `.kconfig` among them. */
  readonly maps: readonly string[];
  /** Variables and addresses of the kernel, and settings of its configuration. */
  readonly externs: readonly string[];
}

/** The references of a function and of all that it reaches: calls and callbacks. */
export function referencesOf(object: ObjectFile, root: FunctionSpec): References {
  const functions = new Set([root]);
  const [helpers, kernelFunctions] = [new Set<string>(), new Set<string>()];
  const [maps, externs] = [new Set<string>(), new Set<string>()];
  // A set that grows is iterated to its end, the functions found on the way included.
  for (const fn of functions) {
    for (const relocation of fn.relocations) {
      if (relocation.kind === 'map' || relocation.kind === 'data') maps.add(relocation.map);
      else if (relocation.kind === 'extern') {
        if (relocation.call) kernelFunctions.add(relocation.symbol);
        else externs.add(relocation.symbol);
        if (object.externs.get(relocation.symbol)?.section === KERNEL_CONFIG_SECTION)
          maps.add(KERNEL_CONFIG_SECTION);
      } else if (relocation.kind !== 'jump-table') {
        const callee = functionAt(object, relocation);
        if (callee) functions.add(callee);
      }
    }
    for (const helper of helpersCalled(fn, object)) helpers.add(helper);
  }
  return {
    functions: [...functions],
    helpers: [...helpers],
    kernelFunctions: [...kernelFunctions],
    maps: [...maps],
    // Whether a function is there may be asked before it is called.
    externs: [...externs].filter((name) => !kernelFunctions.has(name)),
  };
}

/** The function that a call or a callback leads to. */
export function functionAt(
  { programs, subprograms }: ObjectFile,
  { section, target }: { readonly section: number; readonly target: number },
): FunctionSpec | undefined {
  const isThere = ({ sectionIndex, offset }: FunctionSpec): boolean =>
    sectionIndex === section && offset === target;
  return subprograms.find(isThere) ?? [...programs.values()].find(isThere);
}

function helpersCalled(fn: FunctionSpec, { littleEndian }: ObjectFile): string[] {
  const view = new InstructionView(fn.instructions, littleEndian);
  const relocated = new Set(fn.relocations.map(({ offset }) => offset / INSTRUCTION_SIZE));
  const helpers: string[] = [];
  for (let index = 0; index < view.count; index++) {
    const opcode = view.opcode(index);
    if (opcode === LOAD_IMMEDIATE_64) index++;
    else if (!relocated.has(index)) {
      const helper = helperCalledAt(view, index);
      if (helper !== undefined) helpers.push(helper);
    }
  }
  return helpers;
}

/** The helper that an instruction calls, by name; only for one without a relocation, which would say what it calls. */
export function helperCalledAt(view: InstructionView, index: number): string | undefined {
  // The source register says whom the immediate names: 0 is a helper.
  if (view.opcode(index) !== CALL || view.source(index) !== 0) return undefined;
  const number = view.immediate(index);
  return helperName(number) ?? `helper ${number}`;
}
