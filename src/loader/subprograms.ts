import { ObjectError } from '../errors.ts';
import { INSTRUCTION_SIZE, InstructionView } from '../asm/index.ts';
import type { FunctionSpec, ObjectFile, ProgramSpec, Relocation } from '../elf/index.ts';
import { presentMemory } from '../sys/index.ts';
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
  const instructions = presentMemory(count * INSTRUCTION_SIZE);
  for (const { fn, start } of functions) instructions.set(fn.instructions, start * INSTRUCTION_SIZE);
  const view = new InstructionView(instructions);
  for (const { fn: caller, start } of functions) {
    for (const relocation of caller.relocations) {
      if (!isFunctionReference(relocation)) continue;
      const callee = functions.find(({ fn }) => isAt(fn, relocation));
      if (!callee) continue;
      const index = start + relocation.offset / INSTRUCTION_SIZE;
      view.setSource(index, relocation.kind === 'call' ? BPF_PSEUDO_CALL : BPF_PSEUDO_FUNC);
      // Both count from the next instruction: add_subprog_and_kfunc() in kernel/bpf/verifier.c.
      view.setImmediate(index, callee.start - index - 1);
    }
  }
  return { spec, instructions, functions };
}

/**
 * The program first, then each function where its first call is met, before what follows that call. libbpf lays
 * functions out in the same order (bpf_object__reloc_code), so that the same object gets the same tag from both.
 */
function collectReachable(object: ObjectFile, spec: ProgramSpec): LinkedFunction[] {
  const candidates: readonly FunctionSpec[] = [...object.subprograms, ...object.programs.values()];
  const byPlace = new Map(candidates.map((fn) => [placeOf(fn.sectionIndex, fn.offset), fn]));
  const reached = new Map<FunctionSpec, LinkedFunction>();
  const open: { fn: FunctionSpec; references: readonly FunctionReference[]; next: number }[] = [];
  let start = 0;
  const enter = (fn: FunctionSpec): void => {
    reached.set(fn, { fn, start });
    start += fn.instructions.length / INSTRUCTION_SIZE;
    open.push({ fn, references: fn.relocations.filter(isFunctionReference), next: 0 });
  };
  const walk = (): void => {
    for (let current = open.at(-1); current !== undefined; current = open.at(-1)) {
      const reference = current.references[current.next++];
      if (reference === undefined) {
        open.pop();
        continue;
      }
      const callee = byPlace.get(placeOf(reference.section, reference.target));
      if (!callee) throw leadsNowhere(current.fn, reference);
      if (!reached.has(callee)) enter(callee);
    }
  };
  enter(spec);
  walk();
  const callback = exceptionCallbackOf(object, spec);
  if (callback && !reached.has(callback)) {
    enter(callback);
    walk();
  }
  return [...reached.values()];
}

/** Nothing calls it; the verifier finds it by the declaration tag, among the functions of the program. */
function exceptionCallbackOf(object: ObjectFile, spec: ProgramSpec): FunctionSpec | undefined {
  const [name, ...others] = spec.exceptionCallbacks;
  if (name === undefined) return undefined;
  if (others.length > 0) {
    throw new ObjectError(
      'OBJECT_INVALID',
      `Cannot link ${spec.name}: it names several exception callbacks, ${spec.exceptionCallbacks.join(' and ')}`,
      { section: spec.section, program: spec.name },
    );
  }
  const callback = object.subprograms.find((fn) => fn.name === name);
  if (callback) return callback;
  throw new ObjectError(
    'RELOCATION_FAILED',
    `Cannot link ${spec.name}: its exception callback ${name} is no function of .text`,
    { section: spec.section, program: spec.name },
  );
}

type FunctionReference = Extract<Relocation, { kind: 'call' | 'function' }>;

function isFunctionReference(relocation: Relocation): relocation is FunctionReference {
  return relocation.kind === 'call' || relocation.kind === 'function';
}

function placeOf(section: number, offset: number): string {
  return `${section}:${offset}`;
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
