/** Loaded programs as text: our assembler reads it back, and bpftool sees the same instructions and lines. */
import { execFileSync } from 'node:child_process';
import t from 'tap';
import { assemble, encodeInstructions } from '../../src/asm/index.ts';
import { listLoadedProgram } from '../../src/cli/disasm/loaded-listing.ts';
import { programText } from '../../src/cli/disasm/text.ts';
import { Collection, ObjectFile, type BpfProgram } from '../../src/index.ts';
import { readLoadedProgram } from '../../src/inspect/index.ts';
import { systemKernel } from '../../src/sys/index.ts';

import { Compiler, whyNotCompile } from '../helpers/compile.ts';
import { conformanceObjects, whyNoConformanceObjects } from '../helpers/conformance-objects.ts';
import { openDescriptors } from '../helpers/open-descriptors.ts';
import { snifferObject } from '../helpers/sniffer-events.ts';
import { TsXdpError } from '../../src/errors.ts';
import { runHosted, startCommandHost } from '../helpers/command-host.ts';

const missing = process.getuid?.() === 0 ? whyNotCompile() : 'programs need root';
if (missing !== false) {
  t.plan(0, missing);
  process.exit(0);
}

const kernel = systemKernel();
const compiler = new Compiler();
startCommandHost();
const before = openDescriptors();
t.teardown(() => {
  compiler.close();
});

/** `bpftool -j prog dump xlated … linum`, in part. */
interface Dumped {
  readonly disasm: string;
  readonly src?: string;
  readonly file?: string;
  readonly line_num?: number;
}

function dump(id: number): Dumped[] {
  const args = ['-j', 'prog', 'dump', 'xlated', 'id', String(id), 'linum'];
  const json = execFileSync('bpftool', args, { encoding: 'utf8', maxBuffer: 1 << 28 });
  return JSON.parse(json) as Dumped[];
}

function listing(program: BpfProgram): {
  text: string;
  bytes: Uint8Array;
  functions: ReturnType<typeof listLoadedProgram>;
} {
  const loaded = readLoadedProgram(kernel, program.fd);
  const functions = listLoadedProgram(loaded);
  return {
    text: programText({ ...loaded, functions }, { source: true }),
    bytes: loaded.instructions,
    functions,
  };
}

t.test('the text assembles to what the kernel has, and bpftool counts and annotates alike', (t) => {
  const fixtures = ['calls', 'globals', 'maps', 'events', 'kernel-functions'].map((name) =>
    compiler.fixture(name),
  );
  for (const path of [snifferObject, ...fixtures]) {
    using collection = Collection.load(ObjectFile.open(path));
    for (const [name, program] of collection.programs) {
      const { text, bytes, functions } = listing(program);
      t.ok(Buffer.from(encodeInstructions(assemble(text))).equals(bytes), `${path} ${name}: the same bytes`);
      t.same(/.*\.quad.*/.exec(text), null, `${name}: every instruction has a form`);
      const instructions = functions.flatMap((fn) => fn.instructions);
      const theirs = dump(program.id);
      t.equal(instructions.length, theirs.length, `${name}: instructions`);
      const lines = instructions.map(({ source }) => source && [source.text, source.line]);
      let previous = '';
      const expected = theirs.map(({ src, file, line_num: line }) => {
        const key = `${String(file)}:${String(line)}`;
        if (src === undefined || line === undefined || key === previous) return null;
        previous = key;
        return [src.trim(), line];
      });
      t.same(lines, expected, `${name}: lines`);
      const names = functions.map((fn) => fn.name);
      t.equal(names[0], name, 'the whole name, of which the kernel keeps 15 characters');
    }
  }
  t.end();
});

t.test('instructions name what they refer to', async (t) => {
  using collection = Collection.load(ObjectFile.open(compiler.fixture('calls')));
  const program = collection.program('static_functions');
  const result = await runHosted(['disasm', 'prog', String(program.id), '--source']);
  t.equal(result.code, 0, result.stderr);
  t.match(
    result.stdout,
    new RegExp(`^; program ${program.id} static_function, tag ${program.info().tag}\nstatic_functions:\n`),
  );
  t.match(result.stdout, /call subprog\[\d+, pc[+-]\d+\] {2}\/\/ function four_times\n/);
  t.match(result.stdout, /\nfour_times:\n/);
  const spelled = await runHosted(['disasm', 'prog', 'id', String(program.id), '--source']);
  t.equal(spelled.stdout, result.stdout, 'as bpftool spells it');
  const json = await runHosted(['disasm', 'prog', program.info().tag, '--json', '--prog', 'four_times']);
  t.match(JSON.parse(json.stdout) as unknown, {
    programs: [{ id: program.id, functions: [{ name: 'four_times', section: null }] }],
  });
  using sniffer = Collection.load(ObjectFile.open(snifferObject));
  const { text } = listing([...sniffer.programs.values()][0]!);
  t.match(text, / = map\[id:\d+, 0\] ll {2}\/\/ map iface_configs\n/);
  t.match(text, / = map\[id:\d+\]\[0\] \+ \d+ ll {2}\/\/ map \w*\.rodata\n/);
  t.match(text, /call -?\d+ {2}\/\/ function bpf_ringbuf_reserve of the kernel\n/);
  const refused: [string[], number, string][] = [
    [
      ['disasm', 'prog', 'no_such'],
      1,
      'Cannot find program no_such: the kernel has none of that id, name or tag',
    ],
    [
      ['disasm', 'prog', 'number', '1'],
      2,
      'disasm prog knows no number 1: an id, name, tag or pin is wanted',
    ],
    [['disasm', 'map', '1'], 2, 'disasm knows no map 1: only prog is followed by another argument'],
    [
      ['disasm', 'prog', String(program.id), '--prog', 'x'],
      1,
      `Cannot find function x in program ${program.id}`,
    ],
  ];
  for (const [args, code, message] of refused) {
    const failed = await runHosted([...args, '--json']);
    t.equal(failed.code, code);
    t.equal((JSON.parse(failed.stdout) as { error: { message: string } }).error.message, message);
  }
  t.end();
});

t.test('programs of the kernel’s selftests', { skip: whyNoConformanceObjects() }, (t) => {
  let compared = 0;
  for (const path of conformanceObjects().filter((_, index) => index % 40 === 0)) {
    const collection = loadOrSkip(path);
    if (collection === undefined) continue;
    for (const [name, program] of collection.programs) {
      const { text, bytes, functions } = listing(program);
      t.ok(Buffer.from(encodeInstructions(assemble(text))).equals(bytes), `${path} ${name}`);
      const count = functions.reduce((sum, fn) => sum + fn.instructions.length, 0);
      t.equal(count, dump(program.id).length, `${path} ${name}: instructions`);
      compared++;
    }
    collection.close();
  }
  t.ok(compared > 5, `${compared} programs`);
  t.end();
});

/** Many selftests are meant to be refused, or need modules and settings; what loads is compared. */
function loadOrSkip(path: string): Collection | undefined {
  try {
    return Collection.load(ObjectFile.open(path));
  } catch (error) {
    if (!(error instanceof TsXdpError)) throw error;
    return undefined;
  }
}

t.test('nothing stays open', (t) => {
  t.same(openDescriptors(), before);
  t.end();
});
