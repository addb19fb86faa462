import * as uapi from '../uapi/index.ts';
import { helperName } from './helper-names.ts';
import type { Instruction, InstructionView } from './instruction.ts';
import { InstructionClass, LOAD_IMMEDIATE_64 } from './opcode.ts';

/** What only a loaded program knows. */
export interface KernelTextOptions {
  /** What follows `call `, without the number behind a `#`: for functions of the program and of the kernel. */
  readonly callTarget?: (instruction: Instruction) => string | undefined;
}

const ARITHMETIC: Readonly<Record<number, string>> = {
  [uapi.BPF_ADD]: '+=',
  [uapi.BPF_SUB]: '-=',
  [uapi.BPF_MUL]: '*=',
  [uapi.BPF_DIV]: '/=',
  [uapi.BPF_OR]: '|=',
  [uapi.BPF_AND]: '&=',
  [uapi.BPF_LSH]: '<<=',
  [uapi.BPF_RSH]: '>>=',
  [uapi.BPF_MOD]: '%=',
  [uapi.BPF_XOR]: '^=',
  [uapi.BPF_MOV]: '=',
  [uapi.BPF_ARSH]: 's>>=',
};
const CONDITIONS: Readonly<Record<number, string>> = {
  [uapi.BPF_JEQ]: '==',
  [uapi.BPF_JGT]: '>',
  [uapi.BPF_JLT]: '<',
  [uapi.BPF_JGE]: '>=',
  [uapi.BPF_JLE]: '<=',
  [uapi.BPF_JSET]: '&',
  [uapi.BPF_JNE]: '!=',
  [uapi.BPF_JSGT]: 's>',
  [uapi.BPF_JSLT]: 's<',
  [uapi.BPF_JSGE]: 's>=',
  [uapi.BPF_JSLE]: 's<=',
};
const WIDTHS: Readonly<Record<number, string>> = {
  [uapi.BPF_B]: '8',
  [uapi.BPF_H]: '16',
  [uapi.BPF_W]: '32',
  [uapi.BPF_DW]: '64',
};
const ATOMICS: Readonly<Record<number, { readonly sign: string; readonly word: string }>> = {
  [uapi.BPF_ADD]: { sign: '+=', word: 'add' },
  [uapi.BPF_AND]: { sign: '&=', word: 'and' },
  [uapi.BPF_OR]: { sign: '|=', word: 'or' },
  [uapi.BPF_XOR]: { sign: '^=', word: 'xor' },
};
/** The verifier's own, behind a barrier against speculation (include/linux/filter.h). */
const NO_SPECULATION = 0xc0;
/** `BPF_ADDR_SPACE_CAST` */
const ADDRESS_SPACE_CAST = 1;
/** `BPF_ADDR_PERCPU` of include/linux/filter.h, since Linux 6.10: the verifier's own, in lookups of per-CPU arrays. */
const PER_CPU_ADDRESS = -1;

/**
 * An instruction in the syntax of the kernel's verifier and of bpftool: `(07) r1 += 4`. Other than
 * {@link disassemble}'s it says the opcode and is not read back by any assembler.
 */
export function kernelText(view: InstructionView, index: number, options: KernelTextOptions = {}): string {
  const instruction = view.get(index);
  const code = instruction.opcode.toString(16).padStart(2, '0');
  return `(${code}) ${operation(instruction, { view, index, options })}`;
}

interface Place {
  readonly view: InstructionView;
  readonly index: number;
  readonly options: KernelTextOptions;
}

function operation(instruction: Instruction, place: Place): string {
  switch (instruction.opcode & 0x07) {
    case InstructionClass.Alu:
    case InstructionClass.Alu64:
      return arithmetic(instruction);
    case InstructionClass.Stx:
      return storeRegister(instruction);
    case InstructionClass.St:
      if (instruction.opcode === (NO_SPECULATION | uapi.BPF_ST)) return 'nospec';
      return `*(u${width(instruction)} *)${address(instruction.destination, instruction)} = ${instruction.immediate}`;
    case InstructionClass.Ldx:
      return loadRegister(instruction);
    case InstructionClass.Ld:
      return load(instruction, place);
    default:
      return jump(instruction, place);
  }
}

function arithmetic({ opcode, destination, source, offset, immediate }: Instruction): string {
  const narrow = (opcode & 0x07) === uapi.BPF_ALU;
  const letter = narrow ? 'w' : 'r';
  const what = opcode & 0xf0;
  const target = `${letter}${destination}`;
  if (what === uapi.BPF_END) {
    const swap = narrow ? ((opcode & uapi.BPF_X) !== 0 ? 'be' : 'le') : 'bswap';
    return `r${destination} = ${swap}${immediate} r${destination}`;
  }
  if (what === uapi.BPF_NEG) return `${target} = -${target}`;
  const signed = offset === 1 && (what === uapi.BPF_DIV || what === uapi.BPF_MOD) ? 's' : '';
  const sign = `${signed}${ARITHMETIC[what] ?? '??'}`;
  if ((opcode & uapi.BPF_X) === 0) return `${target} ${sign} ${immediate}`;
  if (what === uapi.BPF_MOV && !narrow && offset === ADDRESS_SPACE_CAST)
    return `${target} = addr_space_cast(r${source}, ${immediate >>> 16}, ${immediate & 0xffff})`;
  if (what === uapi.BPF_MOV && !narrow && offset === PER_CPU_ADDRESS)
    return `${target} = &(void __percpu *)(r${source})`;
  const extended = what === uapi.BPF_MOV && [8, 16, 32].includes(offset) ? `(s${offset})` : '';
  return `${target} ${sign} ${extended}${letter}${source}`;
}

function storeRegister(instruction: Instruction): string {
  const { opcode, destination, source, immediate } = instruction;
  const place = address(destination, instruction);
  const pointer = `(u${width(instruction)} *)`;
  if ((opcode & 0xe0) === uapi.BPF_MEM) return `*${pointer}${place} = r${source}`;
  const wide = (opcode & 0x18) === uapi.BPF_DW ? '64' : '';
  switch (immediate) {
    case uapi.BPF_CMPXCHG:
      return `r0 = atomic${wide}_cmpxchg(${pointer}${place}, r0, r${source})`;
    case uapi.BPF_XCHG:
      return `r${source} = atomic${wide}_xchg(${pointer}${place}, r${source})`;
    case uapi.BPF_LOAD_ACQ:
      return `r${destination} = load_acquire(${pointer}${address(source, instruction)})`;
    case uapi.BPF_STORE_REL:
      return `store_release(${pointer}${place}, r${source})`;
  }
  const { sign, word } = ATOMICS[immediate & ~uapi.BPF_FETCH] ?? { sign: '??', word: 'unknown' };
  if ((immediate & uapi.BPF_FETCH) !== 0)
    return `r${source} = atomic${wide}_fetch_${word}(${pointer}${place}, r${source})`;
  return `lock *${pointer}${place} ${sign} r${source}`;
}

function loadRegister(instruction: Instruction): string {
  const { opcode, destination, source } = instruction;
  const letter = (opcode & 0xe0) === uapi.BPF_MEMSX ? 's' : 'u';
  return `r${destination} = *(${letter}${width(instruction)} *)${address(source, instruction)}`;
}

function load(instruction: Instruction, { view, index }: Place): string {
  const { opcode, destination, source, immediate } = instruction;
  const size = `*(u${width(instruction)} *)`;
  if ((opcode & 0xe0) === uapi.BPF_ABS) return `r0 = ${size}skb[${immediate}]`;
  if ((opcode & 0xe0) === uapi.BPF_IND) return `r0 = ${size}skb[r${source} + ${immediate}]`;
  if (opcode !== LOAD_IMMEDIATE_64 || index + 1 >= view.count) return 'ld';
  return `r${destination} = ${wideImmediate(instruction, view.immediate(index + 1))}`;
}

function wideImmediate({ source, immediate }: Instruction, second: number): string {
  switch (source) {
    case uapi.BPF_PSEUDO_MAP_FD:
      return `map[id:${immediate >>> 0}]`;
    case uapi.BPF_PSEUDO_MAP_VALUE:
      return `map[id:${immediate >>> 0}][0]+${second >>> 0}`;
    case uapi.BPF_PSEUDO_MAP_IDX_VALUE:
      return `map[idx:${immediate >>> 0}]+${second >>> 0}`;
    case uapi.BPF_PSEUDO_FUNC:
      return `subprog[${signed(immediate)}]`;
    default:
      return `0x${((BigInt(second >>> 0) << 32n) | BigInt(immediate >>> 0)).toString(16)}`;
  }
}

function jump(instruction: Instruction, { options }: Place): string {
  const { opcode, destination, source, offset, immediate } = instruction;
  const narrow = (opcode & 0x07) === uapi.BPF_JMP32;
  const what = opcode & 0xf0;
  if (what === uapi.BPF_CALL) return call(instruction, options);
  if (what === uapi.BPF_EXIT) return 'exit';
  if (what === uapi.BPF_JA) {
    if ((opcode & uapi.BPF_X) !== 0) return `gotox r${destination}`;
    return narrow ? `gotol pc${signed(immediate)}` : `goto pc${signed(offset)}`;
  }
  if (what === uapi.BPF_JCOND) return `may_goto pc${signed(offset)}`;
  const letter = narrow ? 'w' : 'r';
  const other = (opcode & uapi.BPF_X) !== 0 ? `${letter}${source}` : `0x${(immediate >>> 0).toString(16)}`;
  return `if ${letter}${destination} ${CONDITIONS[what] ?? '??'} ${other} goto pc${signed(offset)}`;
}

function call(instruction: Instruction, { callTarget }: KernelTextOptions): string {
  const { source, immediate } = instruction;
  if (source === uapi.BPF_PSEUDO_CALL) return `call pc${callTarget?.(instruction) ?? signed(immediate)}`;
  const helper = source === 0 ? helperName(immediate) : undefined;
  return `call ${helper ?? callTarget?.(instruction) ?? 'unknown'}#${immediate}`;
}

function width({ opcode }: Instruction): string {
  return WIDTHS[opcode & 0x18] ?? '??';
}

function address(register: number, { offset }: Instruction): string {
  return `(r${register} ${signed(offset)})`;
}

function signed(value: number): string {
  return value < 0 ? String(value) : `+${value}`;
}
