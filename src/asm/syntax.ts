import * as uapi from '../uapi/index.ts';
import {
  BPF_ABS,
  BPF_ALU,
  BPF_ALU64,
  BPF_DIV,
  BPF_END,
  BPF_IND,
  BPF_JA,
  BPF_JCOND,
  BPF_JMP,
  BPF_JMP32,
  BPF_K,
  BPF_LD,
  BPF_LDX,
  BPF_MEM,
  BPF_MOD,
  BPF_MOV,
  BPF_NEG,
  BPF_ST,
  BPF_STX,
  BPF_X,
} from '../uapi/index.ts';
import { CALL, EXIT, LOAD_IMMEDIATE_64 } from './opcode.ts';

/**
 * One way to write instructions: what stands in braces is an operand, the rest is fixed. `{d}` and `{s}` are 64-bit
 * names of the destination and source register, `{D}` and `{S}` 32-bit ones; `{i}` is the immediate, `{+i}` the same
 * with a sign, `{+o}` the offset with a sign, `{m}` and `{M}` offset and immediate as
 * they are added to an address, `{o}` the plain offset, `{n}` the immediate of the second half of a 64-bit load, `{N}` the
 * same as it is added to an address, and `{l}` the 64-bit immediate of both halves.
 */
export interface Form {
  readonly text: string;
  readonly opcode: number;
  /** Fields that are no operands; 0 where they are left out. */
  readonly source?: number;
  readonly offset?: number;
  readonly immediate?: number;
  /** Another spelling, which is understood and never printed. */
  readonly readOnly?: boolean;
}

const OPERATIONS: readonly [sign: string, operation: number][] = [
  ['+=', uapi.BPF_ADD],
  ['-=', uapi.BPF_SUB],
  ['*=', uapi.BPF_MUL],
  ['/=', uapi.BPF_DIV],
  ['|=', uapi.BPF_OR],
  ['&=', uapi.BPF_AND],
  ['<<=', uapi.BPF_LSH],
  ['>>=', uapi.BPF_RSH],
  ['%=', uapi.BPF_MOD],
  ['^=', uapi.BPF_XOR],
  ['=', uapi.BPF_MOV],
  ['s>>=', uapi.BPF_ARSH],
];

const COMPARISONS: readonly [sign: string, operation: number][] = [
  ['==', uapi.BPF_JEQ],
  ['!=', uapi.BPF_JNE],
  ['>', uapi.BPF_JGT],
  ['>=', uapi.BPF_JGE],
  ['<', uapi.BPF_JLT],
  ['<=', uapi.BPF_JLE],
  ['&', uapi.BPF_JSET],
  ['s>', uapi.BPF_JSGT],
  ['s>=', uapi.BPF_JSGE],
  ['s<', uapi.BPF_JSLT],
  ['s<=', uapi.BPF_JSLE],
];

const SIZES: readonly [bits: string, size: number][] = [
  ['8', uapi.BPF_B],
  ['16', uapi.BPF_H],
  ['32', uapi.BPF_W],
  ['64', uapi.BPF_DW],
];

/** Every instruction of instruction-set.rst, in the syntax of LLVM's assembler, which is that of the kernel's log. */
export function instructionForms(): Form[] {
  return [...arithmetic(), ...loadsAndStores(), ...atomics(), ...jumps(), ...calls(), ...wideLoads()];
}

function arithmetic(): Form[] {
  const classes = [
    { of: BPF_ALU64, d: '{d}', s: '{s}', extensions: [8, 16, 32] },
    { of: BPF_ALU, d: '{D}', s: '{S}', extensions: [8, 16] },
  ];
  const ofClasses = classes.flatMap(({ of, d, s, extensions }): Form[] => [
    ...OPERATIONS.flatMap(([sign, operation]): Form[] => [
      { text: `${d} ${sign} ${s}`, opcode: of | operation | BPF_X },
      { text: `${d} ${sign} {i}`, opcode: of | operation | BPF_K },
    ]),
    { text: `${d} = -${d}`, opcode: of | BPF_NEG },
    { text: `${d} s/= ${s}`, opcode: of | BPF_DIV | BPF_X, offset: 1 },
    { text: `${d} s/= {i}`, opcode: of | BPF_DIV | BPF_K, offset: 1 },
    { text: `${d} s%= ${s}`, opcode: of | BPF_MOD | BPF_X, offset: 1 },
    { text: `${d} s%= {i}`, opcode: of | BPF_MOD | BPF_K, offset: 1 },
    ...extensions.map((offset) => ({
      text: `${d} = (s${offset})${s}`,
      opcode: of | BPF_MOV | BPF_X,
      offset,
    })),
  ]);
  const swaps = [16, 32, 64].flatMap((immediate): Form[] => [
    { text: `{d} = le${immediate} {d}`, opcode: BPF_ALU | BPF_END | uapi.BPF_TO_LE, immediate },
    { text: `{d} = be${immediate} {d}`, opcode: BPF_ALU | BPF_END | uapi.BPF_TO_BE, immediate },
    { text: `{d} = bswap${immediate} {d}`, opcode: BPF_ALU64 | BPF_END, immediate },
  ]);
  const cast = BPF_ALU64 | BPF_MOV | BPF_X;
  return [
    ...ofClasses,
    ...swaps,
    { text: '{d} = addr_space_cast({s}, 0, 1)', opcode: cast, offset: 1, immediate: 1 },
    { text: '{d} = addr_space_cast({s}, 1, 0)', opcode: cast, offset: 1, immediate: 0x10000 },
    // BPF_ADDR_PERCPU of include/linux/filter.h, since Linux 6.10: what the verifier makes, spelled as in the kernel's log.
    { text: '{d} = &(void __percpu *)({s})', opcode: cast, offset: -1 },
  ];
}

function loadsAndStores(): Form[] {
  return SIZES.flatMap(([bits, size]): Form[] => {
    const address = `*(u${bits} *)`;
    const narrow: Form[] = [
      { text: `{d} = *(s${bits} *)({s}{m})`, opcode: BPF_LDX | uapi.BPF_MEMSX | size },
      { text: `r0 = ${address}skb[{i}]`, opcode: BPF_LD | BPF_ABS | size },
      { text: `r0 = ${address}skb[{s}]`, opcode: BPF_LD | BPF_IND | size },
      { text: `r0 = ${address}skb[{s}{M}]`, opcode: BPF_LD | BPF_IND | size },
      { text: `{D} = ${address}({s}{m})`, opcode: BPF_LDX | BPF_MEM | size, readOnly: true },
      { text: `${address}({d}{m}) = {S}`, opcode: BPF_STX | BPF_MEM | size, readOnly: true },
    ];
    return [
      { text: `{d} = ${address}({s}{m})`, opcode: BPF_LDX | BPF_MEM | size },
      { text: `${address}({d}{m}) = {s}`, opcode: BPF_STX | BPF_MEM | size },
      { text: `${address}({d}{m}) = {i}`, opcode: BPF_ST | BPF_MEM | size },
      ...(bits === '64' ? [] : narrow),
    ];
  });
}

function atomics(): Form[] {
  const arithmetic = [
    ['+=', 'add', uapi.BPF_ADD],
    ['|=', 'or', uapi.BPF_OR],
    ['&=', 'and', uapi.BPF_AND],
    ['^=', 'xor', uapi.BPF_XOR],
  ] as const;
  const widths = [
    { bits: 'u32', size: uapi.BPF_W, s: '{S}', zero: 'w0', suffix: '32_32' },
    { bits: 'u64', size: uapi.BPF_DW, s: '{s}', zero: 'r0', suffix: '_64' },
  ];
  const exchanges = widths.flatMap(({ bits, size, s, zero, suffix }): Form[] => {
    const opcode = uapi.BPF_STX | uapi.BPF_ATOMIC | size;
    return [
      ...arithmetic.flatMap(([sign, name, immediate]): Form[] => [
        { text: `lock *(${bits} *)({d}{m}) ${sign} ${s}`, opcode, immediate },
        { text: `${s} = atomic_fetch_${name}((${bits} *)({d}{m}), ${s})`, opcode, immediate: immediate | 1 },
      ]),
      { text: `${s} = xchg${suffix}({d}{m}, ${s})`, opcode, immediate: uapi.BPF_XCHG },
      { text: `${zero} = cmpxchg${suffix}({d}{m}, ${zero}, ${s})`, opcode, immediate: uapi.BPF_CMPXCHG },
    ];
  });
  const ordered = SIZES.flatMap(([bits, size]): Form[] => {
    const opcode = uapi.BPF_STX | uapi.BPF_ATOMIC | size;
    const [d, s] = bits === '64' ? ['{d}', '{s}'] : ['{D}', '{S}'];
    return [
      { text: `${d} = load_acquire((u${bits} *)({s}{m}))`, opcode, immediate: uapi.BPF_LOAD_ACQ },
      { text: `store_release((u${bits} *)({d}{m}), ${s})`, opcode, immediate: uapi.BPF_STORE_REL },
    ];
  });
  // BPF_NOSPEC of include/linux/filter.h, a speculation barrier that the verifier puts in.
  return [...exchanges, ...ordered, { text: 'nospec', opcode: uapi.BPF_ST | 0xc0 }];
}

function jumps(): Form[] {
  const classes = [
    { of: BPF_JMP, d: '{d}', s: '{s}' },
    { of: BPF_JMP32, d: '{D}', s: '{S}' },
  ];
  return [
    ...classes.flatMap(({ of, d, s }) =>
      COMPARISONS.flatMap(([sign, operation]): Form[] => [
        { text: `if ${d} ${sign} ${s} goto {+o}`, opcode: of | operation | BPF_X },
        { text: `if ${d} ${sign} {i} goto {+o}`, opcode: of | operation | BPF_K },
      ]),
    ),
    { text: 'goto {+o}', opcode: BPF_JMP | BPF_JA },
    { text: 'gotol {+i}', opcode: BPF_JMP32 | BPF_JA },
    { text: 'gotox {d}', opcode: BPF_JMP | BPF_JA | BPF_X },
    { text: 'may_goto {+o}', opcode: BPF_JMP | BPF_JCOND },
  ];
}

function calls(): Form[] {
  return [
    { text: 'call {i}', opcode: CALL },
    { text: 'call pc{+i}', opcode: CALL, source: uapi.BPF_PSEUDO_CALL },
    // In a loaded program: which function, and how far it is (jit_subprogs() of kernel/bpf/verifier.c).
    { text: 'call subprog[{i}, pc{+o}]', opcode: CALL, source: uapi.BPF_PSEUDO_CALL },
    { text: 'call kfunc[{i}, {o}]', opcode: CALL, source: uapi.BPF_PSEUDO_KFUNC_CALL },
    { text: 'callx {d}', opcode: CALL | uapi.BPF_X },
    { text: 'exit', opcode: EXIT },
  ];
}

/** What the source register makes of a 64-bit immediate; the words are bpftool's. */
function wideLoads(): Form[] {
  const opcode = LOAD_IMMEDIATE_64;
  return [
    { text: '{d} = {l} ll', opcode },
    { text: '{d} = map[fd:{i}, {n}] ll', opcode, source: uapi.BPF_PSEUDO_MAP_FD },
    { text: '{d} = map[fd:{i}][0]{N} ll', opcode, source: uapi.BPF_PSEUDO_MAP_VALUE },
    { text: '{d} = map[id:{i}, {n}] ll', opcode, source: uapi.BPF_PSEUDO_MAP_FD, readOnly: true },
    { text: '{d} = map[id:{i}][0]{N} ll', opcode, source: uapi.BPF_PSEUDO_MAP_VALUE, readOnly: true },
    { text: '{d} = ksym[{i}, {n}] ll', opcode, source: uapi.BPF_PSEUDO_BTF_ID },
    { text: '{d} = subprog[{i}, {n}] ll', opcode, source: uapi.BPF_PSEUDO_FUNC },
    { text: '{d} = map[idx:{i}, {n}] ll', opcode, source: uapi.BPF_PSEUDO_MAP_IDX },
    { text: '{d} = map[idx:{i}][0]{N} ll', opcode, source: uapi.BPF_PSEUDO_MAP_IDX_VALUE },
  ];
}
