import { INSTRUCTION_SIZE, InstructionClass, InstructionView, LOAD_IMMEDIATE_64 } from '../../asm/index.ts';
import type { FunctionSpec } from '../../elf/index.ts';
import { hasLoop } from './loops.ts';
import type { KernelNeed } from './need.ts';

/** BPF_MAXINSNS: what a program could have before 5.2, the functions that it calls included. */
const OLD_LIMIT = 4096;

/** What instructions can need, and since when there is an answer to it (Documentation/bpf/standardization). */
const KINDS = {
  jumpLess: ['4.14', 'jumps on "less than" (version 2 of the instruction set)'],
  jump32: ['5.1', 'compares 32 bits in jumps (version 3 of the instruction set)'],
  atomics: ['5.12', 'has atomic operations other than addition'],
  ordered: ['6.15', 'loads with acquire or stores with release order'],
  version4: ['6.6', 'has instructions of version 4 of the instruction set'],
  mayGoto: ['6.9', 'has loops that end by themselves (may_goto)'],
  addressSpace: ['6.9', 'converts addresses of an arena'],
  indirectJump: ['6.19', 'jumps by a table'],
} as const satisfies Record<string, readonly [since: string, what: string]>;
type Kind = keyof typeof KINDS;

/** What instructions of functions need: each function is looked through once, whichever programs run it. */
export class InstructionNeeds {
  readonly #littleEndian: boolean;
  /** By the instructions, which other names of a function share. */
  readonly #traits = new Map<Uint8Array, FunctionTraits>();

  constructor(littleEndian: boolean) {
    this.#littleEndian = littleEndian;
  }

  /** The needs of what a program runs: itself and the functions that it calls. */
  of(program: string, functions: readonly FunctionSpec[]): KernelNeed[] {
    const kinds = new Set<Kind>();
    let [count, loops] = [0, false];
    for (const { instructions } of functions) {
      const traits = this.#traitsOf(instructions);
      count += instructions.length / INSTRUCTION_SIZE;
      for (const kind of traits.kinds) kinds.add(kind);
      loops ||= traits.loops;
    }
    const needs = [...kinds].map((kind): KernelNeed => {
      const [since, what] = KINDS[kind];
      return { since, reason: `program ${program} ${what}` };
    });
    if (loops) needs.push({ since: '5.3', reason: `program ${program} has a loop` });
    if (count > OLD_LIMIT)
      needs.push({
        since: '5.2',
        reason: `program ${program} has ${count} instructions, more than ${OLD_LIMIT}`,
      });
    return needs;
  }

  #traitsOf(instructions: Uint8Array): FunctionTraits {
    let traits = this.#traits.get(instructions);
    if (traits === undefined) {
      const view = new InstructionView(instructions, this.#littleEndian);
      const kinds = new Set<Kind>();
      collectKinds(view, kinds);
      traits = { kinds, loops: hasLoop(view) };
      this.#traits.set(instructions, traits);
    }
    return traits;
  }
}

interface FunctionTraits {
  readonly kinds: ReadonlySet<Kind>;
  readonly loops: boolean;
}

function collectKinds(view: InstructionView, kinds: Set<Kind>): void {
  for (let index = 0; index < view.count; index++) {
    const opcode = view.opcode(index);
    if (opcode === LOAD_IMMEDIATE_64) {
      index++;
      continue;
    }
    const kind = kindOf(view, index);
    if (kind !== undefined) kinds.add(kind);
  }
}

function kindOf(view: InstructionView, index: number): Kind | undefined {
  const opcode = view.opcode(index);
  switch (opcode & 0x07) {
    case InstructionClass.Alu:
    case InstructionClass.Alu64:
      return arithmeticKind(view, index);
    case InstructionClass.Jmp:
      return jumpKind(opcode);
    case InstructionClass.Jmp32:
      return (opcode & OPERATION) === JUMP_ALWAYS ? 'version4' : 'jump32';
    case InstructionClass.Ldx:
      return (opcode & MODE) === MODE_SIGNED ? 'version4' : undefined;
    case InstructionClass.Stx:
      return (opcode & MODE) === MODE_ATOMIC ? atomicKind(view.immediate(index)) : undefined;
    default:
      return undefined;
  }
}

/** The upper bits of an opcode. */
const OPERATION = 0xf0;
const MODE = 0xe0;
const MODE_SIGNED = 0x80;
const MODE_ATOMIC = 0xc0;
/** `BPF_X`: the second operand is a register. */
const REGISTER = 0x08;
const JUMP_ALWAYS = 0x00;
const JUMP_CONDITION = 0xe0;
const DIVIDE = 0x30;
const MODULO = 0x90;
const MOVE = 0xb0;
const BYTE_SWAP = 0xd0;
/** `BPF_J{LT,LE,SLT,SLE}`. */
const LESS: readonly number[] = [0xa0, 0xb0, 0xc0, 0xd0];
/** Of a move between registers: which part is extended by its sign. Any other is a conversion between address spaces. */
const SIGN_EXTENSIONS: readonly number[] = [8, 16, 32];

function arithmeticKind(view: InstructionView, index: number): Kind | undefined {
  const opcode = view.opcode(index);
  const operation = opcode & OPERATION;
  const offset = view.offset(index);
  if (operation === BYTE_SWAP) return (opcode & 7) === InstructionClass.Alu64 ? 'version4' : undefined;
  if (offset === 0) return undefined;
  if (operation === DIVIDE || operation === MODULO) return 'version4';
  if (operation !== MOVE || (opcode & REGISTER) === 0) return undefined;
  return SIGN_EXTENSIONS.includes(offset) ? 'version4' : 'addressSpace';
}

function jumpKind(opcode: number): Kind | undefined {
  const operation = opcode & OPERATION;
  if (operation === JUMP_CONDITION) return 'mayGoto';
  if (operation === JUMP_ALWAYS) return (opcode & REGISTER) === 0 ? undefined : 'indirectJump';
  return LESS.includes(operation) ? 'jumpLess' : undefined;
}

/** `BPF_LOAD_ACQ` and `BPF_STORE_REL`; 0 is the addition that was there from the beginning. */
function atomicKind(immediate: number): Kind | undefined {
  if (immediate === 0) return undefined;
  return immediate === 0x100 || immediate === 0x110 ? 'ordered' : 'atomics';
}
