import t from 'tap';
import {
  CALL,
  encodeInstructions,
  EXIT,
  INSTRUCTION_SIZE,
  InstructionClass,
  InstructionView,
  LOAD_IMMEDIATE_64,
  MOVE_IMMEDIATE_64,
} from '../../src/asm/index.ts';
import * as uapi from '../../src/uapi/index.ts';

t.test('opcodes are made of the parts that the kernel names', (t) => {
  t.equal(LOAD_IMMEDIATE_64, uapi.BPF_LD | uapi.BPF_IMM | uapi.BPF_DW);
  t.equal(CALL, uapi.BPF_JMP | uapi.BPF_CALL);
  t.equal(EXIT, uapi.BPF_JMP | uapi.BPF_EXIT);
  t.equal(MOVE_IMMEDIATE_64, uapi.BPF_ALU64 | uapi.BPF_MOV | uapi.BPF_K);
  t.same(InstructionClass, {
    Ld: uapi.BPF_LD,
    Ldx: uapi.BPF_LDX,
    St: uapi.BPF_ST,
    Stx: uapi.BPF_STX,
    Alu: uapi.BPF_ALU,
    Jmp: uapi.BPF_JMP,
    Jmp32: uapi.BPF_JMP32,
    Alu64: uapi.BPF_ALU64,
  });
  t.end();
});

t.test('an instruction is read as it was written, in either byte order', (t) => {
  const instruction = { opcode: 0x7b, destination: 10, source: 3, offset: -24, immediate: -2_000_000_000 };
  const cases: [littleEndian: boolean, hex: string][] = [
    [true, '7b3ae8ff006cca88'],
    [false, '7ba3ffe888ca6c00'],
  ];
  for (const [littleEndian, hex] of cases) {
    const bytes = new Uint8Array(3 * INSTRUCTION_SIZE);
    const view = new InstructionView(bytes, littleEndian);
    t.equal(view.count, 3);
    view.set(1, instruction);
    t.equal(Buffer.from(bytes.subarray(8, 16)).toString('hex'), hex);
    t.same(view.get(1), instruction);
    t.same(
      view.get(0),
      { opcode: 0, destination: 0, source: 0, offset: 0, immediate: 0 },
      'others are untouched',
    );
    view.setSource(1, 15);
    view.setImmediate(1, 0x7fff_ffff);
    t.same(view.get(1), { ...instruction, source: 15, immediate: 0x7fff_ffff });
  }
  t.end();
});

t.test('what is left out of an instruction is zero', (t) => {
  const bytes = encodeInstructions([{ opcode: MOVE_IMMEDIATE_64, immediate: 2 }, { opcode: EXIT }]);
  t.equal(Buffer.from(bytes).toString('hex'), 'b7000000020000009500000000000000');
  t.equal(new InstructionView(bytes.subarray(0, 15)).count, 1, 'half an instruction is none');
  t.end();
});
