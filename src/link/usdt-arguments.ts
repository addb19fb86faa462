import { ArgumentError } from '../errors.ts';

/** How an argument of a probe is found when it fires; registers by their offset in struct pt_regs. */
export interface UsdtArgument {
  /** As enum __bpf_usdt_arg_type of libbpf's usdt.bpf.h. */
  readonly kind: 'constant' | 'register' | 'memory' | 'indexed';
  /** The constant, or the distance from the address in the register. */
  readonly value: bigint;
  readonly register: number;
  /** For `indexed`: the second register, and by how many bits it is shifted. */
  readonly index: number;
  readonly scaleShift: number;
  /** Bytes. */
  readonly size: number;
  readonly signed: boolean;
}

/** struct pt_regs of arch/x86/include/uapi/asm/ptrace.h: the names of all widths by the offset of the whole register. */
const X64_REGISTERS: readonly (readonly [offset: number, ...names: string[]])[] = [
  [0, 'r15', 'r15d', 'r15w', 'r15b'],
  [8, 'r14', 'r14d', 'r14w', 'r14b'],
  [16, 'r13', 'r13d', 'r13w', 'r13b'],
  [24, 'r12', 'r12d', 'r12w', 'r12b'],
  [32, 'rbp', 'ebp', 'bp', 'bpl'],
  [40, 'rbx', 'ebx', 'bx', 'bl'],
  [48, 'r11', 'r11d', 'r11w', 'r11b'],
  [56, 'r10', 'r10d', 'r10w', 'r10b'],
  [64, 'r9', 'r9d', 'r9w', 'r9b'],
  [72, 'r8', 'r8d', 'r8w', 'r8b'],
  [80, 'rax', 'eax', 'ax', 'al'],
  [88, 'rcx', 'ecx', 'cx', 'cl'],
  [96, 'rdx', 'edx', 'dx', 'dl'],
  [104, 'rsi', 'esi', 'si', 'sil'],
  [112, 'rdi', 'edi', 'di', 'dil'],
  [128, 'rip', 'eip', 'ip'],
  [152, 'rsp', 'esp', 'sp', 'spl'],
];

/** struct user_pt_regs of arch/arm64/include/uapi/asm/ptrace.h: x0 to x30, then the stack pointer. */
function arm64Register(name: string): number | undefined {
  if (name === 'sp') return 31 * 8;
  const match = /^[xw](\d+)$/.exec(name);
  const number = Number(match?.[1] ?? -1);
  return number >= 0 && number <= 30 ? number * 8 : undefined;
}

let x64: ReadonlyMap<string, number> | undefined;

function x64Register(name: string): number | undefined {
  x64 ??= new Map(X64_REGISTERS.flatMap(([offset, ...names]) => names.map((one) => [one, offset] as const)));
  return x64.get(name);
}

/**
 * Reads the arguments of a probe as the assembler wrote them: `-4@%edi 8@-16(%rbp) 4@$5` on x86-64,
 * `-4@[sp, 12] 8@x0 4@5` on arm64.
 *
 * @throws ArgumentError for a form that is not known
 */
export function parseUsdtArguments(
  text: string,
  architecture: NodeJS.Architecture = process.arch,
): UsdtArgument[] {
  const parse = architecture === 'arm64' ? parseArm64 : parseX64;
  // Spaces stand between arguments, and after commas within one.
  const words = text.trim() === '' ? [] : text.trim().split(/(?<!,)\s+/);
  return words.map((word) => {
    const match = /^(-?)([1248])f?@(.+)$/.exec(word);
    const place = match && parse(match[3] ?? '');
    if (match && place) return { ...none, ...place, size: Number(match[2]), signed: match[1] === '-' };
    throw new ArgumentError(
      'usdt',
      `Cannot read the argument ${word} of a USDT probe: its form is not known`,
    );
  });
}

const none = { register: 0, index: 0, scaleShift: 0, value: 0n } as const;

type Place = Pick<UsdtArgument, 'kind'> & Partial<UsdtArgument>;

const NUMBER = '[-+]?(?:0x[0-9a-fA-F]+|\\d+)';
const CONSTANT_X64 = new RegExp(`^\\$(${NUMBER})$`);
const MEMORY_X64 = new RegExp(`^(${NUMBER})?\\(%(\\w+)\\)$`);
const INDEXED_X64 = new RegExp(`^(${NUMBER})?\\(%(\\w+),\\s*%(\\w+)(?:,\\s*([1248]))?\\)$`);

function parseX64(text: string): Place | undefined {
  const constant = CONSTANT_X64.exec(text)?.[1];
  if (constant !== undefined) return { kind: 'constant', value: integer(constant) };
  const [, distance, base = '', index, scale = '1'] = INDEXED_X64.exec(text) ?? MEMORY_X64.exec(text) ?? [];
  if (base !== '') {
    const register = x64Register(base);
    if (register === undefined) return undefined;
    const value = integer(distance ?? '0');
    if (index === undefined) return { kind: 'memory', register, value };
    const indexOffset = x64Register(index);
    const scaleShift = Math.log2(Number(scale));
    return indexOffset === undefined
      ? undefined
      : { kind: 'indexed', register, value, index: indexOffset, scaleShift };
  }
  const register = text.startsWith('%') ? x64Register(text.slice(1)) : undefined;
  return register === undefined ? undefined : { kind: 'register', register };
}

const CONSTANT_ARM64 = new RegExp(`^#?(${NUMBER})$`);
const MEMORY_ARM64 = new RegExp(`^\\[\\s*(\\w+)\\s*(?:,\\s*#?(${NUMBER})\\s*)?\\]$`);

function parseArm64(text: string): Place | undefined {
  const constant = CONSTANT_ARM64.exec(text)?.[1];
  if (constant !== undefined) return { kind: 'constant', value: integer(constant) };
  const [, base, distance = '0'] = MEMORY_ARM64.exec(text) ?? [];
  const register = arm64Register(base ?? text);
  if (register === undefined) return undefined;
  return base === undefined
    ? { kind: 'register', register }
    : { kind: 'memory', register, value: integer(distance) };
}

function integer(text: string): bigint {
  const negative = text.startsWith('-');
  const magnitude = BigInt(text.replace(/^[-+]/, ''));
  return negative ? -magnitude : magnitude;
}
