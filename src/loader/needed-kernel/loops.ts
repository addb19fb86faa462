import { LOAD_IMMEDIATE_64 } from '../../asm/index.ts';
import type { InstructionView } from '../../asm/index.ts';
import { branchTarget, followedBy, isBranch } from './flow.ts';

const UNSEEN = 0;
const ON_PATH = 1;
const DONE = 2;

/**
 * Whether control can come back to where it was. A jump back alone is no loop: compilers also lay out blocks that way.
 */
export function hasLoop(view: InstructionView): boolean {
  if (!jumpsBack(view)) return false;
  const states = new Uint8Array(view.count);
  const path = [0];
  while (path.length > 0) {
    const index = path.at(-1) ?? 0;
    if (states[index] !== UNSEEN) {
      states[index] = DONE;
      path.pop();
      continue;
    }
    states[index] = ON_PATH;
    for (const next of successors(view, index)) {
      // Only what led here is open: the rest of the stack waits for its turn, unseen.
      if (states[next] === ON_PATH) return true;
      if (states[next] === UNSEEN && next < view.count) path.push(next);
    }
  }
  return false;
}

function jumpsBack(view: InstructionView): boolean {
  for (let index = 0; index < view.count; index++) {
    if (view.opcode(index) === LOAD_IMMEDIATE_64) index++;
    else if (successors(view, index).some((next) => next <= index)) return true;
  }
  return false;
}

function successors(view: InstructionView, index: number): number[] {
  const next = followedBy(view, index);
  const taken = isBranch(view.opcode(index)) ? [branchTarget(view, index)] : [];
  return next === undefined ? taken : [next, ...taken];
}
