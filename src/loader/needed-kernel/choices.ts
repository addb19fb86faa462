import {
  CALL,
  INSTRUCTION_SIZE,
  InstructionClass,
  InstructionView,
  LOAD_IMMEDIATE_64,
} from '../../asm/index.ts';
import { coreKindNames } from '../../btf/index.ts';
import { recordsOf } from '../../elf/index.ts';
import type { FunctionSpec, ObjectFile } from '../../elf/index.ts';
import { BPF_F_RDONLY_PROG } from '../../uapi/index.ts';
import { branchTarget, followedBy, isBranch, mayGoto } from './flow.ts';

/** The frame pointer, below which registers are spilled. */
const FRAME = 10;
/** `BPF_ALU64 | BPF_MOV | BPF_X`, and `BPF_ALU | BPF_MOV | BPF_X`. */
const MOVES: readonly number[] = [0xbf, 0xbc];
/** `BPF_X`. */
const REGISTER = 0x08;
const MOVE = 0xb0;
const OPERATION = 0xf0;
const SLOT = 8;

/**
 * What is known before an instruction, as sets of bits: registers that hold a setting, registers that hold the address of
 * one, and slots of the stack with a setting in them. All three only grow, so that following them comes to an end.
 */
interface State {
  settings: number;
  addresses: number;
  slots: bigint;
}

/**
 * The branches of a function that depend on what is settled before it runs: a variable in read-only data, a setting of the
 * kernel, whether the kernel has a field, a type or a function. The verifier knows these values and never looks at what
 * they rule out, so that a program may have there what the kernel does not.
 */
export function choicesIn(fn: FunctionSpec, object: ObjectFile): number[] {
  const view = new InstructionView(fn.instructions, object.littleEndian);
  const sources = settingSources(fn, object);
  const states = new Map<number, State>([[0, { settings: 0, addresses: 0, slots: 0n }]]);
  const pending = [0];
  const choices = new Set<number>();
  for (let index = pending.pop(); index !== undefined; index = pending.pop()) {
    const before = states.get(index);
    // An object that nobody has verified may jump anywhere.
    if (before === undefined || index < 0 || index >= view.count) continue;
    const opcode = view.opcode(index);
    if (isBranch(opcode) && comparesSetting(view, index, before)) choices.add(index);
    const after = step(view, index, { before, source: sources.get(index) });
    const next = followedBy(view, index);
    const jumps = isBranch(opcode) || mayGoto(opcode);
    for (const successor of [next, jumps ? branchTarget(view, index) : undefined])
      if (successor !== undefined && merge(states, successor, after)) pending.push(successor);
  }
  return [...choices];
}

/** CO-RE relocations that say where a field is: no program decides by that. */
const PLACES: ReadonlySet<string> = new Set(['byte_off', 'lshift_u64', 'rshift_u64']);

/** What an instruction brings in: the address of settings, or a setting itself. */
type Source = 'address' | 'setting' | 'both';

function settingSources(fn: FunctionSpec, { maps, btfExt }: ObjectFile): Map<number, Source> {
  const sources = new Map<number, Source>();
  for (const relocation of fn.relocations) {
    const index = relocation.offset / INSTRUCTION_SIZE;
    if (relocation.kind === 'data') {
      const readOnly = ((maps.get(relocation.map)?.flags ?? 0) & BPF_F_RDONLY_PROG) !== 0;
      if (readOnly) sources.set(index, 'address');
    } else if (relocation.kind === 'extern' && !relocation.call) sources.set(index, 'both');
  }
  for (const { instructionOffset, kind } of recordsOf(btfExt?.coreRelocations, fn)) {
    if (PLACES.has(coreKindNames[kind] ?? '')) continue;
    sources.set((instructionOffset - fn.offset) / INSTRUCTION_SIZE, 'setting');
  }
  return sources;
}

function comparesSetting(view: InstructionView, index: number, { settings }: State): boolean {
  const compared =
    (1 << view.destination(index)) | (view.opcode(index) & REGISTER ? 1 << view.source(index) : 0);
  return (settings & compared) !== 0;
}

function step(
  view: InstructionView,
  index: number,
  { before, source }: { before: State; source: Source | undefined },
): State {
  const opcode = view.opcode(index);
  const [from, to] = [view.source(index), 1 << view.destination(index)];
  switch (opcode & 0x07) {
    case InstructionClass.Ld:
      if (opcode !== LOAD_IMMEDIATE_64) return before;
      return assign(before, to, {
        setting: source === 'setting' || source === 'both',
        address: source === 'address' || source === 'both',
      });
    case InstructionClass.Ldx:
      return assign(before, to, { setting: loadsSetting(view, index, before), address: false });
    case InstructionClass.Stx:
      return view.destination(index) === FRAME ? store(before, view, index) : before;
    case InstructionClass.Alu:
    case InstructionClass.Alu64: {
      const [hasSetting, hasAddress] = [has(before.settings, from), has(before.addresses, from)];
      if (MOVES.includes(opcode)) return assign(before, to, { setting: hasSetting, address: hasAddress });
      const replaced = (opcode & OPERATION) === MOVE;
      const mixed = !replaced && (opcode & REGISTER) !== 0 && hasSetting;
      const setting = source !== undefined || mixed || (!replaced && (before.settings & to) !== 0);
      return assign(before, to, { setting, address: !replaced && (before.addresses & to) !== 0 });
    }
    case InstructionClass.Jmp:
      // A call leaves nothing in the registers 0 to 5.
      return opcode === CALL
        ? { ...before, settings: before.settings & ~0x3f, addresses: before.addresses & ~0x3f }
        : before;
    default:
      return before;
  }
}

function has(registers: number, register: number): boolean {
  return ((registers >> register) & 1) !== 0;
}

function assign(before: State, to: number, is: { setting: boolean; address: boolean }): State {
  return {
    settings: is.setting ? before.settings | to : before.settings & ~to,
    addresses: is.address ? before.addresses | to : before.addresses & ~to,
    slots: before.slots,
  };
}

function loadsSetting(view: InstructionView, index: number, before: State): boolean {
  const from = view.source(index);
  if (from === FRAME) return (before.slots & slotOf(view.offset(index))) !== 0n;
  return has(before.addresses, from);
}

function store(before: State, view: InstructionView, index: number): State {
  const slot = slotOf(view.offset(index));
  const setting = has(before.settings, view.source(index));
  return { ...before, slots: setting ? before.slots | slot : before.slots & ~slot };
}

/** A bit for each 8 bytes of the 512 below the frame pointer. */
function slotOf(offset: number): bigint {
  const slot = Math.floor(-offset / SLOT);
  return slot >= 0 && slot <= 64 ? 1n << BigInt(slot) : 0n;
}

/** True where something is new. */
function merge(states: Map<number, State>, index: number, state: State): boolean {
  const known = states.get(index);
  if (known === undefined) {
    states.set(index, { ...state });
    return true;
  }
  const [settings, addresses] = [known.settings | state.settings, known.addresses | state.addresses];
  const slots = known.slots | state.slots;
  if (settings === known.settings && addresses === known.addresses && slots === known.slots) return false;
  states.set(index, { settings, addresses, slots });
  return true;
}
