/** What becomes of an instruction that is relocated from 4 to 24, and of others. */
import type { Instruction } from '../../src/asm/index.ts';
import { POISONED_HELPER } from '../../src/btf/index.ts';
import type { CoreResolution } from '../../src/btf/index.ts';

export const plain: CoreResolution = {
  spec: 'SPEC',
  target: 'TARGET',
  candidates: 1,
  expected: 4n,
  value: 24n,
  resize: undefined,
};

const wider = { from: 4, to: 8, preservesValue: true };
const changing = { from: 4, to: 8, preservesValue: false };
const poisoned = { opcode: 0x85, immediate: POISONED_HELPER };

type Slots = readonly Partial<Instruction>[];

/** A sentence, the instruction, what differs from `plain`, the instruction afterwards or why it is refused. */
export const instructions: readonly [string, Slots, Partial<CoreResolution>, Slots | string][] = [
  [
    'rX = <imm>',
    [{ opcode: 0xb7, destination: 3, immediate: 4 }],
    {},
    [{ opcode: 0xb7, destination: 3, immediate: 24 }],
  ],
  [
    'wX = <imm>',
    [{ opcode: 0xb4, immediate: 4 }],
    { value: 0xffff_ffffn },
    [{ opcode: 0xb4, immediate: -1 }],
  ],
  ['rX += <imm>', [{ opcode: 0x07, immediate: 4 }], {}, [{ opcode: 0x07, immediate: 24 }]],
  [
    'rX = <imm> of a negative value',
    [{ opcode: 0xb7, immediate: -4 }],
    { expected: (1n << 64n) - 4n, value: (1n << 64n) - 24n },
    [{ opcode: 0xb7, immediate: -24 }],
  ],
  [
    'rX = <imm64>',
    [{ opcode: 0x18, immediate: -1 }, { immediate: 1 }],
    { expected: 0x1_ffff_ffffn, value: 0xfedc_ba98_8000_0001n },
    [{ opcode: 0x18, immediate: 0x8000_0001 | 0 }, { immediate: 0xfedc_ba98 | 0 }],
  ],
  [
    'an unsigned enumerator of 2^31 and more',
    [{ opcode: 0x18, immediate: -9 }, {}],
    { expected: (1n << 64n) - 9n, value: (1n << 64n) - 10n },
    [{ opcode: 0x18, immediate: -10 }, {}],
  ],
  [
    'an unsigned enumerator that is less in the target',
    [{ opcode: 0x18, immediate: -9 }, {}],
    { expected: (1n << 64n) - 9n, value: 5n },
    [{ opcode: 0x18, immediate: 5 }, {}],
  ],
  [
    'a negative enumerator',
    [{ opcode: 0x18, immediate: -9 }, { immediate: -1 }],
    { expected: (1n << 64n) - 9n, value: (1n << 64n) - 10n },
    [{ opcode: 0x18, immediate: -10 }, { immediate: -1 }],
  ],
  ['a load', [{ opcode: 0x61, source: 2, offset: 4 }], {}, [{ opcode: 0x61, source: 2, offset: 24 }]],
  [
    'a store of a register',
    [{ opcode: 0x7b, offset: 4 }],
    { value: 0x7fffn },
    [{ opcode: 0x7b, offset: 0x7fff }],
  ],
  [
    'a store of a number',
    [{ opcode: 0x62, offset: 4, immediate: 9 }],
    {},
    [{ opcode: 0x62, offset: 24, immediate: 9 }],
  ],
  [
    'a load that gets wider',
    [{ opcode: 0x61, offset: 4 }],
    { resize: wider },
    [{ opcode: 0x79, offset: 24 }],
  ],
  [
    'a load that gets narrower',
    [{ opcode: 0x69, offset: 4 }],
    { resize: { from: 2, to: 1, preservesValue: true } },
    [{ opcode: 0x71, offset: 24 }],
  ],
  [
    'a load with sign extension keeps its mode',
    [{ opcode: 0x91, offset: 4 }],
    { resize: { from: 1, to: 2, preservesValue: true } },
    [{ opcode: 0x89, offset: 24 }],
  ],
  [
    'an address of a field of another size',
    [{ opcode: 0x07, immediate: 4 }],
    { resize: changing },
    [{ opcode: 0x07, immediate: 24 }],
  ],
  [
    'a value that linking may have changed',
    [{ opcode: 0xb7, immediate: 77 }],
    { expected: undefined },
    [{ opcode: 0xb7, immediate: 24 }],
  ],
  [
    'arithmetic without a value',
    [{ opcode: 0xb7, destination: 3, immediate: 9 }],
    { value: undefined },
    [poisoned],
  ],
  ['a load without a value', [{ opcode: 0x61, source: 2, offset: 9 }], { value: undefined }, [poisoned]],
  [
    'rX = <imm64> without a value',
    [{ opcode: 0x18, immediate: 9 }, {}],
    { value: undefined },
    [poisoned, poisoned],
  ],
  ['a load whose value would change', [{ opcode: 0x61, offset: 4 }], { resize: changing }, [poisoned]],
  [
    'another value than expected',
    [{ opcode: 0xb7, immediate: 5 }],
    {},
    'the instruction has 5 where the compiler must have put 4',
  ],
  [
    'another offset than expected',
    [{ opcode: 0x61, offset: -4 }],
    {},
    'the instruction has -4 where the compiler must have put 4',
  ],
  [
    'another rX = <imm64> than expected',
    [{ opcode: 0x18, immediate: 4 }, { immediate: 1 }],
    {},
    'the instruction has 4294967300 where the compiler must have put 4',
  ],
  [
    'an offset without room',
    [{ opcode: 0x61, offset: 4 }],
    { value: 0x8000n },
    'offset 32768 does not fit the 16 bits of a load or store',
  ],
  [
    'an immediate without room',
    [{ opcode: 0xb7, immediate: 4 }],
    { value: 1n << 32n },
    '4294967296 does not fit the 32 bits of the instruction',
  ],
  [
    'a load of another width than the field',
    [{ opcode: 0x69, offset: 4 }],
    { resize: wider },
    'a load or store cannot go from 4 to 8 bytes',
  ],
  [
    'a load to a width that there is not',
    [{ opcode: 0x61, offset: 4 }],
    { resize: { ...wider, to: 16 } },
    'a load or store cannot go from 4 to 16 bytes',
  ],
  ['arithmetic with a register', [{ opcode: 0xbf }], {}, 'opcode 0xbf is none that can be relocated'],
  ['a jump', [{ opcode: 0x15 }], { value: undefined }, 'opcode 0x15 is none that can be relocated'],
  [
    'a load of a map',
    [{ opcode: 0x18, source: 1, immediate: 4 }, {}],
    {},
    'opcode 0x18 is none that can be relocated',
  ],
  ['half of rX = <imm64>', [{ opcode: 0x18, immediate: 4 }], {}, 'opcode 0x18 is none that can be relocated'],
  ['nothing', [], {}, 'the instruction is not there'],
];
