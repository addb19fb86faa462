import { ObjectError } from '../errors.ts';
import { INSTRUCTION_SIZE, InstructionView } from '../asm/index.ts';
import type { FunctionSpec, ObjectFile, ProgramSpec, Relocation } from '../elf/index.ts';
import { BPF_PSEUDO_CALL, BPF_PSEUDO_FUNC } from '../uapi/index.ts';

/** A function and where it begins in the program it became part of. */
export interface LinkedFunction {
  readonly fn: FunctionSpec;
  /** Instructions from the start of the program. */
  readonly start: number;
}

/** A program with all the functions it reaches appended, and its calls leading to them. */
export interface LinkedProgram {
  readonly spec: ProgramSpec;
  /** The program's own copy. */
  readonly instructions: Uint8Array;
  readonly functions: readonly LinkedFunction[];
}

/** What is left to resolve: a relocation and the instruction it is on, counted from the start of the program. */
export interface PlacedRelocation {
  readonly relocation: Relocation;
  readonly index: number;
}

/**
 * Brings a program and the functions it calls, directly or by address, into one run of instructions, as the kernel
 * wants it. Only what is reachable comes along.
 *
 * @throws ObjectError (RELOCATION_FAILED) for a call that leads to no function
 */
export function linkSubprograms(object: ObjectFile, spec: ProgramSpec): LinkedProgram {
  const functions = collectReachable(object, spec);
  const last = functions.at(-1);
  const count = last ? last.start + last.fn.instructions.length / INSTRUCTION_SIZE : 0;
  const instructions = new Uint8Array(count * INSTRUCTION_SIZE);
  for (const { fn, start } of functions) instructions.set(fn.instructions, start * INSTRUCTION_SIZE);
  const view = new InstructionView(instructions);
  for (const { relocation, index } of relocationsOf(functions)) {
    if (relocation.kind !== 'call' && relocation.kind !== 'function') continue;
    const callee = functions.find(({ fn }) => isAt(fn, relocation));
    if (!callee) continue;
    view.setSource(index, relocation.kind === 'call' ? BPF_PSEUDO_CALL : BPF_PSEUDO_FUNC);
    // Both count from the next instruction: add_subprog_and_kfunc() in kernel/bpf/verifier.c.
    view.setImmediate(index, callee.start - index - 1);
  }
  return { spec, instructions, functions };
}

/** Every relocation of a linked program, with its place. */
export function relocationsOf(functions: readonly LinkedFunction[]): PlacedRelocation[] {
  return functions.flatMap(({ fn, start }) =>
    fn.relocations.map((relocation) => ({ relocation, index: start + relocation.offset / INSTRUCTION_SIZE })),
  );
}

function collectReachable(object: ObjectFile, spec: ProgramSpec): LinkedFunction[] {
  const candidates: readonly FunctionSpec[] = [...object.subprograms, ...object.programs.values()];
  const reached: LinkedFunction[] = [];
  const waiting: FunctionSpec[] = [spec];
  let start = 0;
  for (let fn = waiting.shift(); fn !== undefined; fn = waiting.shift()) {
    reached.push({ fn, start });
    start += fn.instructions.length / INSTRUCTION_SIZE;
    for (const relocation of fn.relocations) {
      if (relocation.kind !== 'call' && relocation.kind !== 'function') continue;
      const callee = candidates.find((candidate) => isAt(candidate, relocation));
      if (!callee) throw leadsNowhere(fn, relocation);
      if (!waiting.includes(callee) && !reached.some((linked) => linked.fn === callee)) waiting.push(callee);
    }
  }
  return reached;
}

function isAt(fn: FunctionSpec, { section, target }: { section: number; target: number }): boolean {
  return fn.sectionIndex === section && fn.offset === target;
}

function leadsNowhere(fn: FunctionSpec, relocation: Relocation): ObjectError {
  return new ObjectError(
    'RELOCATION_FAILED',
    `Cannot link ${fn.name}: its ${relocation.kind} at byte ${relocation.offset} leads to no function`,
    { section: fn.section, program: fn.name },
  );
}
