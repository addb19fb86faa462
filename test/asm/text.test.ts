/** Instructions as text: against llvm-objdump, and back to the same bytes. */
import { execFileSync } from 'node:child_process';
import t from 'tap';
import { assemble, disassemble, encodeInstructions, InstructionView } from '../../src/asm/index.ts';
import { ObjectFile } from '../../src/elf/index.ts';
import { Compiler, whyNotCompile } from '../helpers/compile.ts';
import { randomNumbers } from '../helpers/random-numbers.ts';
import { snifferObject } from '../helpers/sniffer-events.ts';

const compiler = new Compiler();
t.teardown(() => {
  compiler.close();
});

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const print = (bytes: Uint8Array): string =>
  disassemble(new InstructionView(bytes))
    .map(({ index, text }) => `${index}: ${text}`)
    .join('\n');

function functionsOf(
  path: string,
): { name: string; section: string; offset: number; instructions: Uint8Array }[] {
  const object = ObjectFile.open(path);
  return [...object.programs.values(), ...object.subprograms];
}

/** Ours without what LLVM 14 does not print: helpers' names, whose call it is, and 32-bit names in atomics. */
function likeLlvm(text: string): string {
  return text
    .replace(/^call bpf_\w+#/, 'call ')
    .replace(
      /^call (?:pc([+-]\d+)|kfunc\[(-?\d+), 0\])$/,
      (_, pc?: string, id?: string) => `call ${Number(pc ?? id)}`,
    )
    .replace(/map\[fd:0, 0\] ll$/, '0 ll');
}

t.test(
  'objects: llvm-objdump prints the same, and the text gives the same bytes',
  { skip: whyNotCompile() },
  (t) => {
    const paths = [
      snifferObject,
      ...['maps', 'calls', 'globals', 'kernel-functions'].map((name) => compiler.fixture(name)),
    ];
    for (const path of paths) {
      for (const { name, section, offset, instructions } of functionsOf(path)) {
        const text = print(instructions);
        t.equal(hex(encodeInstructions(assemble(text))), hex(instructions), `${name} comes back`);
        t.notMatch(text, /\.quad/, 'nothing of clang is unknown');
        const dump = execFileSync(
          'llvm-objdump',
          ['-d', '--no-show-raw-insn', `--section=${section}`, path],
          { encoding: 'utf8' },
        );
        const theirs = new Map(
          [...dump.matchAll(/^\s+(\d+):\t(.*?)(?: <[^<> ]+>)?$/gm)].map(([, index, line]) => [
            Number(index),
            line!.trim(),
          ]),
        );
        const ours = disassemble(new InstructionView(instructions));
        t.same(
          ours.map((line) => likeLlvm(line.text)),
          ours.map(({ index }) => theirs.get(index + offset / 8)),
          `${name} reads the same`,
        );
      }
    }
    t.end();
  },
);

t.test('whatever the bytes are, their text gives them back', (t) => {
  const random = randomNumbers(7);
  let raw = 0;
  for (let round = 0; round < 2000; round++) {
    // Any opcode; the fields are often zero or small, so that most forms appear with and without their fixed fields.
    const instructions = Array.from({ length: 16 }, () => ({
      opcode: random(256),
      destination: random(3) === 0 ? 0 : random(16),
      source: random(3) === 0 ? 0 : random(16),
      offset: random(2) === 0 ? random(3) - 1 : random(65536) - 32768,
      immediate: [0, 1, 16, 32, 0x40, 0xe1, 0x100, random(2 ** 32) | 0][random(8)]!,
    }));
    const bytes = encodeInstructions(instructions);
    const text = print(bytes);
    if (hex(encodeInstructions(assemble(text))) !== hex(bytes)) t.fail('it does not come back', { text });
    raw += text.match(/\.quad/g)?.length ?? 0;
  }
  t.ok(raw > 0 && raw < 2000 * 16, `${raw} of 32000 had no other form`);
  t.end();
});

const written: [text: string, hex: string][] = [
  ['r1 = map[fd:5][0] + 8 ll', '18210000050000000000000008000000'],
  ['r1 = map[id:5, 0] ll', '18110000050000000000000000000000'],
  ['call subprog[1, pc+5]', '8510050001000000'],
  ['nospec', 'c200000000000000'],
  ['r1 = &(void __percpu *)(r2)', 'bf21ffff00000000'],
  ['r1 = -1 ll', '18010000ffffffff00000000ffffffff'],
  ['w1 = *(u32 *)(r2 - 8)', '6121f8ff00000000'],
  ['*(u64 *)(r10 - 0x10) = 5', '7a0af0ff05000000'],
  ['r1 s>>= 32', 'c701000020000000'],
  ['r1 = be16 r1', 'dc01000010000000'],
  ['if w1 s> -1 goto +3', '66010300ffffffff'],
  ['lock *(u64 *)(r1 + 0) += r2', 'db21000000000000'],
  ['r0 = cmpxchg_64(r1 + 8, r0, r2)', 'db210800f1000000'],
  ['r2 = atomic_fetch_add((u64 *)(r1 + 0), r2)', 'db21000001000000'],
  ['call bpf_ktime_get_ns', '8500000005000000'],
  ['  12: exit // done', '9500000000000000'],
  ['r1 = (s8)r2', 'bf21080000000000'],
  ['may_goto +2', 'e500020000000000'],
  ['; a line of C\nmain:\n\n', ''],
];

t.test('text that people write is understood', (t) => {
  for (const [text, bytes] of written) t.equal(hex(encodeInstructions(assemble(text))), bytes, text);
  const refused = [
    'r16 = 1',
    'r1 = 0x100000000',
    'r1 = -r2',
    'goto +40000',
    'call bpf_no_such',
    'call bpf_loop#5',
    'r1 ~= 2',
  ];
  for (const text of refused) {
    t.throws(() => assemble(`exit\n${text}`), {
      code: 'ARGUMENT_INVALID',
      message: `Cannot assemble line 2: ${text} is no instruction`,
    });
  }
  t.end();
});
