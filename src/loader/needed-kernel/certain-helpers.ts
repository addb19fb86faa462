import { INSTRUCTION_SIZE, InstructionView } from '../../asm/index.ts';
import { functionAt, helperCalledAt } from '../../elf/index.ts';
import type { FunctionSpec, ObjectFile } from '../../elf/index.ts';
import { choicesIn } from './choices.ts';
import { findDominators } from './dominators.ts';
import { branchTarget, followedBy, isBranch, mayGoto } from './flow.ts';

interface CertainCalls {
  /** By name. */
  readonly helpers: readonly string[];
  readonly functions: readonly FunctionSpec[];
}

/** The helpers that programs of an object call whatever its settings are. Functions are looked through once for all programs. */
export class CertainHelpers {
  readonly #object: ObjectFile;
  /** By the instructions, which other names of a function share. */
  readonly #calls = new Map<Uint8Array, CertainCalls>();

  constructor(object: ObjectFile) {
    this.#object = object;
  }

  /** By name. */
  of(program: FunctionSpec): Set<string> {
    const helpers = new Set<string>();
    const functions = new Set<FunctionSpec>([program]);
    for (const fn of functions) {
      const calls = this.#callsOf(fn);
      for (const name of calls.helpers) helpers.add(name);
      for (const callee of calls.functions) functions.add(callee);
    }
    return helpers;
  }

  #callsOf(fn: FunctionSpec): CertainCalls {
    const known = this.#calls.get(fn.instructions);
    if (known !== undefined) return known;
    const calls = certainCalls(fn, this.#object);
    this.#calls.set(fn.instructions, calls);
    return calls;
  }
}

function certainCalls(fn: FunctionSpec, object: ObjectFile): CertainCalls {
  const view = new InstructionView(fn.instructions, object.littleEndian);
  const certain = certainInstructions(view, choicesIn(fn, object));
  const relocations = new Map(fn.relocations.map((one) => [one.offset / INSTRUCTION_SIZE, one]));
  const [helpers, functions] = [new Set<string>(), new Set<FunctionSpec>()];
  for (let index = 0; index < view.count; index++) {
    if (certain[index] === 0) continue;
    const relocation = relocations.get(index);
    if (relocation?.kind === 'call' || relocation?.kind === 'function') {
      const callee = functionAt(object, relocation);
      if (callee) functions.add(callee);
    } else if (relocation === undefined) {
      const helper = helperCalledAt(view, index);
      if (helper !== undefined) helpers.add(helper);
    }
  }
  return { helpers: [...helpers], functions: [...functions] };
}

/**
 * 1 for each instruction that is still reached whichever way any one of the choices is made: that no way out of a choice
 * dominates. So each way out is a node of its own, behind those of the instructions.
 */
function certainInstructions(view: InstructionView, choices: readonly number[]): Uint8Array {
  const { count } = view;
  const places = new Map(choices.map((index, place) => [index, count + 2 * place]));
  const inside = (index: number | undefined): index is number =>
    index !== undefined && index >= 0 && index < count;
  const followers = (index: number): (number | undefined)[] => {
    const opcode = view.opcode(index);
    const target = isBranch(opcode) || mayGoto(opcode) ? branchTarget(view, index) : undefined;
    return [followedBy(view, index), target];
  };
  const successors = (node: number): number[] => {
    if (node >= count) {
      const way = followers(choices[(node - count) >> 1] ?? 0)[(node - count) & 1];
      return inside(way) ? [way] : [];
    }
    const place = places.get(node);
    return place === undefined ? followers(node).filter(inside) : [place, place + 1];
  };
  const { order, immediate } = findDominators({ nodes: count + 2 * choices.length, successors });
  const certain = new Uint8Array(immediate.length);
  for (const node of order) {
    if (node === 0) certain[node] = 1;
    else if (node < count) certain[node] = certain[immediate[node] ?? 0] ?? 0;
  }
  return certain.subarray(0, count);
}
