import { execFileSync } from 'node:child_process';
import t from 'tap';
import { Btf, BtfExt } from '../../src/btf/index.ts';
import { BtfError } from '../../src/errors.ts';
import { thrown } from '../helpers/thrown.ts';
import { compileFixture } from './compiled-object.ts';

const object = compileFixture('relocations.c');
t.teardown(() => {
  object.remove();
});
const btf = Btf.parse(object.section('.BTF'));
const bytes = object.section('.BTF.ext');
const ext = BtfExt.parse(bytes, btf);

t.test('functions begin where the symbols say', (t) => {
  const found: Record<string, string[]> = {};
  for (const [section, { records }] of ext.functionInfo) {
    found[section] = records.map(
      ({ instructionOffset, typeId }) => `${btf.nameOf(typeId)} at ${String(instructionOffset)}`,
    );
  }
  const symbols = execFileSync('llvm-objdump', ['--syms', object.path], { encoding: 'utf8' });
  const expected: Record<string, string[]> = {};
  for (const match of symbols.matchAll(/^(\w+) [lg] +F (\S+)\s+\w+ (\w+)$/gm)) {
    const [, address = '', section = '', name = ''] = match;
    (expected[section] ??= []).push(`${name} at ${String(Number.parseInt(address, 16))}`);
  }
  t.same(found, expected);
  t.equal(Object.values(found).flat().length, 4);
  t.end();
});

t.test('lines are those of the debug information', (t) => {
  const disassembly = execFileSync(
    'llvm-objdump',
    ['-d', '--line-numbers', '--no-show-raw-insn', object.path],
    {
      encoding: 'utf8',
    },
  );
  let section = '';
  let line = 0;
  let compared = 0;
  for (const text of disassembly.split('\n')) {
    section = /^Disassembly of section (.*):$/.exec(text)?.[1] ?? section;
    line = Number(/^; .*relocations\.c:(\d+)$/.exec(text)?.[1] ?? line);
    const instruction = /^ +(\d+):\t/.exec(text)?.[1];
    if (instruction === undefined) continue;
    const records = ext.lineInfo.get(section)?.records ?? [];
    const ours = records
      .filter(({ instructionOffset }) => instructionOffset <= Number(instruction) * 8)
      .at(-1);
    t.equal(ours?.lineNumber, line, `${section}, instruction ${instruction}`);
    compared++;
  }
  t.equal(compared, 16);
  const first = ext.lineInfo.get('.text')?.records[0];
  t.match(first, { instructionOffset: 0, fileName: /\/relocations\.c$/, lineNumber: 22, column: 68 });
  t.match(first?.line, /^static .* return outer->inner\.second\[2\]; }$/);
  t.end();
});

t.test('relocations are those that the source asks for', (t) => {
  const found: Record<string, unknown> = {};
  for (const [section, { records }] of ext.coreRelocations) {
    found[section] = records.map(({ instructionOffset, typeId, accessString, kind }) => [
      instructionOffset,
      `${btf.type(typeId).kind} ${btf.nameOf(typeId)}`,
      accessString,
      kind,
    ]);
  }
  t.same(found, {
    // BPF_CORE_FIELD_BYTE_OFFSET, _FIELD_EXISTS, _TYPE_SIZE, _ENUMVAL_VALUE and _TYPE_ID_TARGET.
    '.text': [[0, 'struct outer', '0:1:1:2', 0]],
    'kprobe/one': [
      [16, 'struct outer', '0:2:0', 0],
      [48, 'struct outer', '0:1', 2],
      [56, 'struct outer', '0', 9],
    ],
    xdp: [
      [0, 'enum mode', '1', 11],
      [16, 'struct inner', '0', 7],
    ],
  });
  t.end();
});

t.test('the records are there as bytes, too', (t) => {
  const section = ext.lineInfo.get('kprobe/one')!;
  t.equal(section.recordSize, 16);
  t.equal(section.count, 8);
  t.equal(section.bytes.length, 128);
  t.ok(section.littleEndian);
  const view = new DataView(section.bytes.buffer, section.bytes.byteOffset);
  t.equal(view.getUint32(16, true), section.records[1]!.instructionOffset);
  t.equal(btf.string(view.getUint32(24, true)), section.records[1]!.line);
  t.equal(section.records, section.records, 'and are decoded once');
  t.end();
});

t.test('both byte orders say the same', (t) => {
  const foreign = compileFixture('relocations.c', { target: 'bpfeb' });
  const foreignExt = BtfExt.parse(foreign.section('.BTF.ext'), Btf.parse(foreign.section('.BTF')));
  for (const table of ['functionInfo', 'lineInfo', 'coreRelocations'] as const) {
    t.same([...foreignExt[table].keys()], [...ext[table].keys()]);
    for (const [name, { records }] of ext[table]) t.same(foreignExt[table].get(name)?.records, records);
  }
  foreign.remove();
  t.end();
});

t.test('an older header without core relocations has none', (t) => {
  const copy = Uint8Array.from(bytes);
  const old = new Uint8Array(bytes.length - 8);
  old.set(copy.subarray(0, 24));
  old.set(copy.subarray(32), 24);
  new DataView(old.buffer).setUint32(4, 24, true);
  const parsed = BtfExt.parse(old, btf);
  t.equal(parsed.coreRelocations.size, 0);
  t.same(parsed.lineInfo.get('xdp')?.records, ext.lineInfo.get('xdp')?.records);
  t.end();
});

t.test('malformed BTF.ext is refused with what is wrong', (t) => {
  const cases: [string, (view: DataView) => void, string][] = [
    [
      'another magic',
      (view) => {
        view.setUint16(0, 0, true);
      },
      'its magic is not 0xeb9f in the byte order of the BTF',
    ],
    [
      'a later version',
      (view) => {
        view.setUint8(2, 9);
      },
      'version 9 is not supported',
    ],
    [
      'a header past the end',
      (view) => {
        view.setUint32(4, 1 << 20, true);
      },
      'it is cut off',
    ],
    [
      'functions past the end',
      (view) => {
        view.setUint32(12, 1 << 20, true);
      },
      'it is cut off',
    ],
    [
      'records too short',
      (view) => {
        view.setUint32(32, 4, true);
      },
      'records cannot have 4 bytes',
    ],
    [
      'records that are not aligned',
      (view) => {
        view.setUint32(32, 9, true);
      },
      'records cannot have 9 bytes',
    ],
    [
      'more records than there are',
      (view) => {
        view.setUint32(40, 1 << 20, true);
      },
      'the records of section kprobe/one go past their end',
    ],
    [
      'a section twice',
      (view) => {
        view.setUint32(60, view.getUint32(36, true), true);
      },
      'section kprobe/one has records twice',
    ],
  ];
  for (const [name, damage, why] of cases) {
    const copy = Uint8Array.from(bytes);
    damage(new DataView(copy.buffer));
    t.equal(thrown(() => BtfExt.parse(copy, btf)).message, `Cannot read BTF.ext: ${why}`, name);
  }
  const copy = Uint8Array.from(bytes);
  new DataView(copy.buffer).setUint32(48, 9999, true);
  const damaged = BtfExt.parse(copy, btf);
  const error = thrown(() => damaged.functionInfo.get('kprobe/one')?.records);
  t.equal(error.message, 'Cannot read BTF.ext: a record refers to type 9999, which is not there');
  t.ok(error instanceof BtfError && error.typeId === 9999);
  t.equal(
    thrown(() => BtfExt.parse(new Uint8Array(bytes.subarray(0, 3)), btf)).message,
    'Cannot read BTF.ext: it is cut off',
  );
  t.end();
});
