import { BtfError } from '../../errors.ts';
import { CALL, InstructionClass, LOAD_IMMEDIATE_64 } from '../../asm/index.ts';
import type { InstructionView } from '../../asm/index.ts';
import type { CoreResolution } from './resolver.ts';

/**
 * The helper that an instruction calls which could not be relocated: 0xbad2310, "bad relo". There is none of that
 * number, so the verifier refuses the program where it can be reached and removes it as dead code where a check of
 * existence guards it. libbpf uses the same.
 */
export const POISONED_HELPER = 0xbad2310;

const SOURCE_REGISTER = 0x08;
const MODE_AND_CLASS = 0xe7;
/** `BPF_SIZE` of a load or store by bytes: BPF_B, BPF_H, BPF_W, BPF_DW. */
const SIZE_CODES: ReadonlyMap<number, number> = new Map([
  [1, 0x10],
  [2, 0x08],
  [4, 0x00],
  [8, 0x18],
]);
const LARGEST_OFFSET = 0x7fff;
/** The least number that is a negative one of 32 bits, extended to 64. */
const FIRST_NEGATIVE = 0xffff_ffff_8000_0000n;

/**
 * Puts the result of a relocation into its instruction: the immediate of arithmetic or of a 64-bit load, or the
 * offset of a load or store, whose width follows the field's.
 *
 * @returns why the instruction was poisoned, undefined where it was not
 * @throws {BtfError} where the instruction is none that the compiler relocates, has another value than the compiler
 * must have given it, or has no room for the new one
 */
export function patchInstruction(
  view: InstructionView,
  index: number,
  resolution: CoreResolution,
): string | undefined {
  if (index >= view.count) throw refused(resolution, 'the instruction is not there');
  const opcode = view.opcode(index);
  switch (opcode & 7) {
    case InstructionClass.Alu:
    case InstructionClass.Alu64:
      if ((opcode & SOURCE_REGISTER) !== 0) throw unexpected(resolution, opcode);
      return patchImmediate(view, index, resolution);
    case InstructionClass.Ldx:
    case InstructionClass.St:
    case InstructionClass.Stx:
      return patchAccess(view, index, resolution);
    case InstructionClass.Ld:
      if (!isPlainLoadImmediate(view, index)) throw unexpected(resolution, opcode);
      return patchLoadImmediate(view, index, resolution);
    default:
      throw unexpected(resolution, opcode);
  }
}

function patchImmediate(
  view: InstructionView,
  index: number,
  resolution: CoreResolution,
): string | undefined {
  const { value } = resolution;
  if (value === undefined) return poison(view, index, resolution);
  checkPresent(resolution, BigInt(view.immediate(index)));
  const signed = BigInt.asIntN(64, value);
  if (signed < -0x8000_0000n || signed > 0xffff_ffffn)
    throw refused(resolution, `${String(signed)} does not fit the 32 bits of the instruction`);
  view.setImmediate(index, Number(BigInt.asIntN(32, value)));
  return undefined;
}

function patchLoadImmediate(view: InstructionView, index: number, given: CoreResolution): string | undefined {
  const low = BigInt.asUintN(32, BigInt(view.immediate(index)));
  const present = (BigInt(view.immediate(index + 1)) << 32n) | low;
  const resolution = asExtended(given, present);
  const { value } = resolution;
  if (value === undefined) return poison(view, index, resolution);
  checkPresent(resolution, present);
  view.setImmediate(index, Number(BigInt.asIntN(32, value)));
  view.setImmediate(index + 1, Number(BigInt.asIntN(32, value >> 32n)));
  return undefined;
}

/**
 * Enumerators of 32 bits count as signed, because only the BTF since Linux 6.0 tells. Where the compiler took one
 * for unsigned, its counterpart is unsigned as well. (libbpf refuses such programs.)
 */
function asExtended(resolution: CoreResolution, present: bigint): CoreResolution {
  const { expected, value } = resolution;
  if (expected === undefined || value === undefined || expected < FIRST_NEGATIVE) return resolution;
  if (present !== BigInt.asUintN(32, expected)) return resolution;
  return {
    ...resolution,
    expected: present,
    value: value < FIRST_NEGATIVE ? value : BigInt.asUintN(32, value),
  };
}

function patchAccess(view: InstructionView, index: number, resolution: CoreResolution): string | undefined {
  const { value, resize } = resolution;
  if (value === undefined) return poison(view, index, resolution);
  const instruction = view.get(index);
  checkPresent(resolution, BigInt(instruction.offset));
  if (value > LARGEST_OFFSET)
    throw refused(resolution, `offset ${String(value)} does not fit the 16 bits of a load or store`);
  if (resize === undefined) {
    view.set(index, { ...instruction, offset: Number(value) });
    return undefined;
  }
  if (!resize.preservesValue) {
    poison(view, index, resolution);
    return `it accesses ${describeWidth(resize.from)} of what has ${describeWidth(resize.to)} in the target`;
  }
  const size = SIZE_CODES.get(resize.to);
  if ((instruction.opcode & ~MODE_AND_CLASS) !== SIZE_CODES.get(resize.from) || size === undefined)
    throw refused(
      resolution,
      `a load or store cannot go from ${String(resize.from)} to ${String(resize.to)} bytes`,
    );
  view.set(index, {
    ...instruction,
    offset: Number(value),
    opcode: (instruction.opcode & MODE_AND_CLASS) | size,
  });
  return undefined;
}

function describeWidth(bytes: number): string {
  return bytes === 0 ? 'a bitfield' : `${String(bytes)} bytes`;
}

/** The verifier would call the second half of a 64-bit load an unknown opcode, so that both become calls. */
function poison(view: InstructionView, index: number, { candidates }: CoreResolution): string {
  const slots = view.opcode(index) === LOAD_IMMEDIATE_64 ? [index, index + 1] : [index];
  for (const slot of slots)
    view.set(slot, { opcode: CALL, destination: 0, source: 0, offset: 0, immediate: POISONED_HELPER });
  if (candidates === 0) return 'the target has no type of that name';
  return 'the type of that name in the target lacks it, or has it with an incompatible type';
}

/** `BPF_LD | BPF_IMM | BPF_DW` of a number, not of a map or a function. */
function isPlainLoadImmediate(view: InstructionView, index: number): boolean {
  if (view.opcode(index) !== LOAD_IMMEDIATE_64 || index + 1 >= view.count) return false;
  const [first, second] = [view.get(index), view.get(index + 1)];
  const rest = [second.opcode, second.destination, second.source, second.offset];
  return first.source === 0 && first.offset === 0 && rest.every((part) => part === 0);
}

function checkPresent(resolution: CoreResolution, present: bigint): void {
  const { expected } = resolution;
  if (expected === undefined || BigInt.asUintN(64, present) === expected) return;
  throw refused(
    resolution,
    `the instruction has ${String(present)} where the compiler must have put ${String(expected)}`,
  );
}

function unexpected(resolution: CoreResolution, opcode: number): BtfError {
  return refused(resolution, `opcode 0x${opcode.toString(16)} is none that can be relocated`);
}

function refused({ spec }: CoreResolution, why: string): BtfError {
  return new BtfError(`Cannot relocate ${spec}: ${why}`);
}
