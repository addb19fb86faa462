import { CALL, INSTRUCTION_SIZE, InstructionView, helperName } from '../../asm/index.ts';
import { functionAt } from '../../elf/index.ts';
import type { FunctionSpec, ObjectFile } from '../../elf/index.ts';
import { choicesIn } from './choices.ts';
import { branchTarget, followedBy, isBranch, mayGoto } from './flow.ts';

/** Instructions that are walked over for the choices of one function: beyond, what follows a choice is taken for ruled out. */
const MOST_STEPS = 20_000_000;

/** The helpers that a program calls whatever its settings are, by name. */
export function certainHelpers(object: ObjectFile, program: FunctionSpec): Set<string> {
  const helpers = new Set<string>();
  const functions = new Set<FunctionSpec>([program]);
  for (const fn of functions) {
    const view = new InstructionView(fn.instructions, object.littleEndian);
    const certain = certainInstructions(view, choicesIn(fn, object));
    const relocations = new Map(fn.relocations.map((one) => [one.offset / INSTRUCTION_SIZE, one]));
    for (let index = 0; index < view.count; index++) {
      if (certain[index] === 0) continue;
      const relocation = relocations.get(index);
      if (relocation?.kind === 'call' || relocation?.kind === 'function') {
        const callee = functionAt(object, relocation);
        if (callee) functions.add(callee);
      } else if (view.opcode(index) === CALL && view.source(index) === 0 && relocation === undefined) {
        const number = view.immediate(index);
        helpers.add(helperName(number) ?? `helper ${number}`);
      }
    }
  }
  return helpers;
}

/** 1 for each instruction that is still reached whichever way any one of the choices is made. */
function certainInstructions(view: InstructionView, choices: readonly number[]): Uint8Array {
  const certain = reached(view, undefined);
  if (choices.length * view.count > MOST_STEPS) {
    const without = reached(view, { stop: new Set(choices) });
    return certain.map((one, index) => one & (without[index] ?? 0));
  }
  for (const at of choices) {
    for (const taken of [true, false]) {
      const left = reached(view, { at, taken });
      for (let index = 0; index < certain.length; index++)
        certain[index] = (certain[index] ?? 0) & (left[index] ?? 0);
    }
  }
  return certain;
}

type Restriction = { readonly at: number; readonly taken: boolean } | { readonly stop: ReadonlySet<number> };

function reached(view: InstructionView, restriction: Restriction | undefined): Uint8Array {
  const seen = new Uint8Array(view.count);
  const pending: number[] = [];
  const visit = (index: number | undefined): void => {
    if (index !== undefined && index >= 0 && index < view.count && seen[index] === 0) pending.push(index);
  };
  visit(0);
  for (let index = pending.pop(); index !== undefined; index = pending.pop()) {
    seen[index] = 1;
    if (restriction !== undefined && 'stop' in restriction && restriction.stop.has(index)) continue;
    const forced = restriction !== undefined && 'at' in restriction && restriction.at === index;
    const opcode = view.opcode(index);
    const branch = isBranch(opcode) || mayGoto(opcode);
    if (!forced || !restriction.taken) visit(followedBy(view, index));
    if (branch && (!forced || restriction.taken)) visit(branchTarget(view, index));
  }
  return seen;
}
