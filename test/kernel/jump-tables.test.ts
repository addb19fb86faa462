/** Switches that clang 22 compiles to jumps by a table (gotox): read, shown, related to their programs, loaded and run. */
import { readFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { assemble, encodeInstructions, INSTRUCTION_SIZE, InstructionView } from '../../src/asm/index.ts';
import { listFunction } from '../../src/cli/disasm/listing.ts';
import { listingText } from '../../src/cli/disasm/text.ts';
import { jumpTargets, ObjectFile, readContainer } from '../../src/elf/index.ts';
import { isMapTypeSupported } from '../../src/features/index.ts';
import { Collection } from '../../src/index.ts';
import { neededKernel, verifyPrograms } from '../../src/loader/index.ts';
import { JumpTables } from '../../src/loader/jump-tables.ts';
import { relocate } from '../../src/loader/relocate.ts';
import { linkSubprograms, type LinkedProgram } from '../../src/loader/subprograms.ts';
import { BpfMap, MapType } from '../../src/maps/index.ts';
import { BPF_MAP_CREATE, BPF_MAP_FREEZE, bpf_attr_map_create } from '../../src/uapi/index.ts';
import { isGuest } from '../helpers/clang.ts';
import { Compiler, findClang, whyNotCompile } from '../helpers/compile.ts';
import { isKernelBefore } from '../helpers/lacking.ts';
import { loadingKernel } from '../helpers/loading-kernel.ts';
import { openDescriptors } from '../helpers/open-descriptors.ts';
import { inProject } from '../helpers/project-root.ts';
import { thrown } from '../helpers/thrown.ts';

const path = inProject('test/fixtures/jump-tables/jump-tables.bpf.o');
/** What the cases of a switch add to its number, by their own; all others add 99. */
const ADDED = new Map([
  [0, 5],
  [1, 3],
  [2, 11],
  [3, 2],
  [5, 29],
  [6, 17],
  [8, 7],
  [9, 31],
  [10, 13],
  [11, 37],
  [12, 19],
  [13, 41],
  [14, 23],
  [15, 43],
]);
const added = (which: number): number => ADDED.get(which) ?? 99;
/** What each program returns. */
const answers: Readonly<Record<string, (which: number) => number>> = {
  in_program: (which) => 1000 + added(which),
  twice: (which) => (100 + added(which)) * 1000 + 500 + added(which & 15),
  in_functions: (which) => (4000 + added(which)) * 10000 + 2000 + added(which),
};
const BASES: Readonly<Record<string, number>> = {
  'in_program 0': 1000,
  'twice 0': 100,
  'twice 1': 500,
  'of_global 0': 4000,
  'of_static 0': 2000,
};

/** `r0 = VALUE` stands at the beginning of each case, beside the store of it. */
function caseAt(linked: LinkedProgram, place: number): number | undefined {
  const view = new InstructionView(linked.instructions);
  for (let index = place; index < Math.min(place + 6, view.count); index++)
    if (view.opcode(index) === 0xb7 && view.destination(index) === 0) return view.immediate(index);
  return undefined;
}

function jumpTablesOf({ functions }: LinkedProgram) {
  return functions.flatMap((caller) =>
    caller.fn.relocations
      .filter((relocation) => relocation.kind === 'jump-table')
      .map((relocation) => ({
        relocation,
        caller,
        index: caller.start + relocation.offset / INSTRUCTION_SIZE,
      })),
  );
}

/** Every case of every table of a program leads to its own code, in the program as it is loaded. */
function checkPlaces(t: Test, object: ObjectFile): void {
  for (const program of object.programs.values()) {
    const linked = linkSubprograms(object, program);
    const seen = new Map<string, number>();
    for (const { relocation, caller } of jumpTablesOf(linked)) {
      const count = seen.get(caller.fn.name) ?? 0;
      seen.set(caller.fn.name, count + 1);
      const base = BASES[`${caller.fn.name} ${count}`] ?? 0;
      const places = jumpTargets(relocation.table, caller.fn).map((target) => caller.start + target);
      t.equal(places.length, 16, relocation.table.name);
      for (const which of ADDED.keys()) {
        const what: string = `${program.name}: case ${which} of ${relocation.table.name}`;
        t.equal(caseAt(linked, places[which] ?? -1), base + added(which), what);
      }
      t.equal(places[4], places[7], 'two that the switch does not have');
    }
    t.equal(
      [...seen.values()].reduce((sum, count) => sum + count, 0),
      program.name === 'in_program' ? 1 : 2,
    );
  }
}

const before = openDescriptors();

t.test('the tables of each function lead into it', (t) => {
  checkPlaces(t, ObjectFile.open(path));
  t.end();
});

const clang = isGuest || whyNotCompile() !== false ? undefined : findClang(22);
t.test(
  'so they do in what clang makes of the source today',
  { skip: clang === undefined && 'this needs clang 22 or newer' },
  (t) => {
    const compiler = new Compiler({ fixtures: 'jump-tables', clang, flags: ['-mcpu=v4'] });
    t.teardown(() => {
      compiler.close();
    });
    checkPlaces(t, ObjectFile.open(compiler.fixture('jump-tables')));
    t.end();
  },
);

t.test('a program has a frozen map for each of its tables until it is loaded', (t) => {
  const object = ObjectFile.open(path);
  const linked = linkSubprograms(object, object.program('twice'));
  const kernel = loadingKernel();
  const jumpTables = new JumpTables(kernel);
  const answer = BpfMap.create(
    { type: MapType.Array, keySize: 4, valueSize: 4, maxEntries: 1 },
    { name: '.bss', kernel: loadingKernel() },
  );
  const nothing = {
    kernelExterns: { resolve: () => undefined },
    moduleBtfs: { descriptor: () => undefined },
  };
  relocate(linked, { object, maps: new Map([['.bss', answer]]), ...nothing, jumpTables });
  const made = kernel.calls.filter(({ command }) => command === BPF_MAP_CREATE);
  t.same(
    made.map(({ attribute }) => {
      const { map_type, key_size, value_size, max_entries, map_name } = bpf_attr_map_create.read(
        new DataView(attribute.buffer),
        0,
      );
      return [map_type, key_size, value_size, max_entries, map_name];
    }),
    Array.from({ length: 2 }, () => [34, 4, 16, 16, '.jumptables']),
  );
  t.equal(kernel.calls.filter(({ command }) => command === BPF_MAP_FREEZE).length, 2);
  const view = new InstructionView(linked.instructions);
  const tables = jumpTablesOf(linked);
  t.same(
    tables.map(({ index }) => [view.source(index), view.immediate(index), view.immediate(index + 1)]),
    [...kernel.openDescriptors].map((descriptor) => [2, descriptor, 0]),
  );
  answer.close();
  jumpTables.close();
  t.equal(kernel.openDescriptors.size, 0);
  t.end();
});

t.test('what is shown assembles to the same bytes', (t) => {
  const object = ObjectFile.open(path);
  for (const fn of [...object.programs.values(), ...object.subprograms]) {
    const listing = listFunction(object, fn);
    const jumps = listing.instructions.filter(({ text }) => /^gotox r\d$/.test(text)).length;
    const tables = listing.instructions.filter(({ reference }) =>
      reference?.startsWith('jump table BPF.JT.'),
    );
    t.equal(jumps, tables.length, fn.name);
    t.equal(jumps, { twice: 2, in_functions: 0 }[fn.name] ?? 1, fn.name);
    const text = listingText(listing, { source: true });
    t.same(Buffer.from(encodeInstructions(assemble(text))), Buffer.from(fn.instructions), fn.name);
  }
  t.end();
});

t.test('what is needed is told', (t) => {
  const { atLeast, because } = neededKernel(ObjectFile.open(path));
  t.equal(atLeast, '6.19');
  const jumps = because.filter(({ since }) => since === '6.19').map(({ reason }) => reason);
  t.same(jumps.sort(), [
    'program in_functions jumps by a table',
    'program in_program jumps by a table',
    'program twice jumps by a table',
  ]);
  t.end();
});

t.test('a table that leads elsewhere is refused by name', (t) => {
  const bytes = readFileSync(path);
  const { sections } = readContainer(bytes);
  const tables = sections.find(({ name }) => name === '.jumptables');
  const at = tables?.data.byteOffset ?? 0;
  const patched = (change: (view: DataView) => void): (() => unknown) => {
    const copy = Uint8Array.from(bytes);
    change(new DataView(copy.buffer, at - bytes.byteOffset));
    const object = ObjectFile.parse(copy);
    return () => Collection.load(object, { kernel: loadingKernel() });
  };
  for (const place of [1n << 40n, 0n, 12n])
    t.match(
      thrown(
        patched((view) => {
          view.setBigUint64(0x100, place, true);
        }),
      ),
      {
        code: 'RELOCATION_FAILED',
        message: 'Cannot relocate twice: entry 0 of its jump table BPF.JT.2.0 leads to no instruction of it',
      },
    );
  const symbols = sections.find(({ name }) => name === '.symtab');
  const copy = Uint8Array.from(bytes);
  const sizeOfTable = (symbols?.data.byteOffset ?? 0) - bytes.byteOffset + 8 * 24 + 16;
  new DataView(copy.buffer).setBigUint64(sizeOfTable, 20n, true);
  t.match(
    thrown(() => ObjectFile.parse(copy)),
    {
      code: 'RELOCATION_FAILED',
      message: 'Cannot relocate in_program: BPF.JT.1.0 is no whole table in .jumptables',
    },
  );
  t.end();
});

const notRoot = process.getuid?.() !== 0 && 'loading programs needs root';
const lacking =
  notRoot ||
  (!isMapTypeSupported(MapType.InstructionArray) &&
    isKernelBefore('6.19') &&
    'Linux 6.19 came with jump tables');

t.test(
  'a kernel without them is named',
  { skip: notRoot || (lacking === false && 'this one has them') },
  (t) => {
    const message =
      'Cannot create jump table BPF.JT.1.0 of in_program: this kernel has no maps of type insn_array (since Linux 6.19)';
    const error = thrown(() => Collection.load(ObjectFile.open(path)));
    t.match(error, { code: 'UNSUPPORTED_FEATURE', message, minKernel: '6.19' });
    // libbpf gets it from BPF_MAP_CREATE.
    for (const { errno, refusedBy } of verifyPrograms(ObjectFile.open(path)))
      t.same([errno, refusedBy], [22, 'kernel']);
    t.end();
  },
);

t.test('programs run, whichever case it is', { skip: lacking }, (t) => {
  using collection = Collection.load(ObjectFile.open(path));
  for (const [name, answer] of Object.entries(answers))
    for (const which of [...Array(18).keys()]) {
      const context = new Uint8Array(BigUint64Array.of(BigInt(which)).buffer);
      t.equal(collection.program(name).testRun({ context }).returnValue, answer(which), `${name} ${which}`);
    }
  t.end();
});

t.test('nothing stays open', (t) => {
  t.same(openDescriptors(), before);
  t.end();
});
