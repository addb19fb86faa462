/** Calls within a section, which clang resolves itself and gives no relocation. */
import t from 'tap';
import { assemble, encodeInstructions } from '../../src/asm/index.ts';
import { interpretRelocations } from '../../src/elf/instruction-relocations.ts';
import type { ElfSection } from '../../src/elf/container.ts';
import { SectionRoles } from '../../src/elf/section-roles.ts';

const LOAD = [0x18, 1, 0, 0, 1, 0, 0, 0];
const EXIT = [0x95, 0, 0, 0, 0, 0, 0, 0];
/** What a call of the function two instructions on looks like. */
const CALL = [0x85, 0x10, 0, 0, 1, 0, 0, 0];
const HELPER_CALL = [0x85, 0, 0, 0, 1, 0, 0, 0];
/** The bytes of a call in the middle of an instruction. */
const STORE = [0x7a, 0x0a, 0x85, 0x10, 0x85, 0x10, 0, 0];
const BASE = 64;

function callsIn(
  instructions: Uint8Array,
  { littleEndian = true } = {},
): (readonly [string, number, number])[] {
  const section: ElfSection = {
    index: 3,
    name: 'xdp',
    type: 1,
    executable: true,
    link: 0,
    info: 0,
    entrySize: 0,
    size: BASE + instructions.length,
    data: new Uint8Array(),
  };
  const roles = new SectionRoles({ littleEndian, type: 1, machine: 247, sections: [section] }, new Map());
  const fn = { name: 'f', section, base: BASE, instructions, littleEndian };
  return interpretRelocations(fn, { relocations: [], roles }).map((relocation) =>
    relocation.kind === 'call'
      ? [relocation.kind, relocation.offset, relocation.target]
      : [relocation.kind, -1, -1],
  );
}

t.test('a call is found, and leads from the instruction behind it', (t) => {
  t.same(callsIn(Uint8Array.from([LOAD, [0, 0, 0, 0, 0, 0, 0, 0], CALL, EXIT].flat())), [
    ['call', 16, BASE + 32],
  ]);
  t.end();
});

t.test('nothing else is taken for one', (t) => {
  t.same(
    callsIn(Uint8Array.from([HELPER_CALL, STORE, EXIT].flat())),
    [],
    'of a helper, within an instruction',
  );
  t.same(callsIn(Uint8Array.from([LOAD, CALL, EXIT].flat())), [], 'the second half of a load');
  t.same(
    callsIn(Uint8Array.from([LOAD, LOAD, CALL, EXIT].flat())),
    [['call', 16, BASE + 32]],
    'behind a load of 0x18',
  );
  t.same(callsIn(new Uint8Array()), [], 'no instructions');
  t.end();
});

t.test('registers of big-endian objects are the other way round', (t) => {
  const call = [0x85, 0x01, 0, 0, 0, 0, 0, 1];
  t.same(callsIn(Uint8Array.from([call, EXIT].flat()), { littleEndian: false }), [['call', 0, BASE + 16]]);
  t.same(callsIn(Uint8Array.from([CALL, EXIT].flat()), { littleEndian: false }), []);
  t.end();
});

t.test('all calls of an assembled function, wherever its bytes begin', (t) => {
  const text = Array.from({ length: 50 }, () => 'call pc+1\nr0 = 0\n').join('') + 'exit\n';
  const encoded = encodeInstructions(assemble(text));
  for (const shift of [0, 1, 3]) {
    const bytes = new Uint8Array(encoded.length + shift).subarray(shift);
    bytes.set(encoded);
    t.equal(callsIn(bytes).length, 50, `${shift} bytes off`);
  }
  t.end();
});
