/** CO-RE relocations on the kernel: programs that check what they read, and libbpf's load of the same objects. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { CoreResolver, createCodec, sizeOf } from '../../src/btf/index.ts';
import type { Btf } from '../../src/btf/index.ts';
import { VerifierError } from '../../src/errors.ts';
import { Collection, ObjectFile } from '../../src/index.ts';
import { KernelBtf } from '../../src/loader/kernel-btf.ts';
import { Compiler, whyNotCompile } from '../helpers/compile.ts';
import { BpfFileSystem } from '../helpers/kernel-objects.ts';
import { openDescriptors } from '../helpers/open-descriptors.ts';
import { thrown } from '../helpers/thrown.ts';

const missing = process.getuid?.() === 0 ? whyNotCompile() : 'loading programs needs root';
if (missing !== false) {
  t.plan(0, missing);
  process.exit(0);
}

const compiler = new Compiler();
t.teardown(() => {
  compiler.close();
});
const source = (name: string): string =>
  readFileSync(join(import.meta.dirname, '../fixtures/core', name), 'utf8');
const paths = {
  local: compiler.source('local', source('local.bpf.c')),
  target: compiler.source('target', source('target.c')),
  kernel: compiler.source('kernel', source('kernel.bpf.c')),
};
const target = btfOf(ObjectFile.open(paths.target));
const sampleId = target.find('sample', 'struct') ?? 0;
const sample = createCodec(target, sampleId);

function btfOf({ name, btf }: ObjectFile): Btf {
  if (!btf) throw new Error(`${name} has no BTF`);
  return btf;
}

/** What `struct sample` holds, by the names that the target has for its fields. */
function sampleInMemory(): Uint8Array {
  const bytes = new Uint8Array(1024);
  const view = new DataView(bytes.buffer);
  const inner = (first: number, second: number) => ({ added: 0n, second, first });
  sample.write(view, 0, {
    added: new Uint8Array(24).fill(0xaa),
    number: 101n,
    wide: 102,
    grown: -103n,
    narrow: 103,
    flag: true,
    negative: -104,
    pointer: 0xffff_8880_0000_1234n,
    nested: { pair: [inner(110, 109), inner(111, 112)] },
    in_struct: 105,
    unused: 107,
    in_union: 106,
    list: [120, 121, 122, 123, 124, 125],
    table: [inner(0, 130), inner(0, 131), inner(0, 132), inner(0, 133)],
    added_bits: 31,
    bits: 401,
    signed_bits: -33,
    long_bits: 0x98_7654_3210n,
    was_bits: 0xfedc_ba98,
    now_bits: 13,
  });
  for (let index = 0; index < 6; index++)
    view.setUint32(sizeOf(target, sampleId) + index * 4, 140 + index, true);
  return bytes;
}

function loadLocal(program?: string): Collection {
  const object = ObjectFile.open(paths.local);
  for (const spec of object.programs.values()) {
    if (program !== undefined) spec.autoload = spec.name === program;
  }
  object.variable('memory').set(sampleInMemory());
  return Collection.load(object, { kernelBtf: target });
}

t.test('types that the caller gives', (t) => {
  t.test('tell the programs where everything is', (t) => {
    using collection = loadLocal();
    t.ok(collection.programs.size > 8);
    for (const [name, program] of collection.programs) {
      if (name === 'stores') continue;
      t.equal(program.testRun({ data: new Uint8Array(64) }).returnValue, 0, name);
    }
    t.end();
  });

  t.test('and where to write', (t) => {
    using collection = loadLocal('stores');
    t.equal(collection.program('stores').testRun({ data: new Uint8Array(64) }).returnValue, 0);
    const bytes = collection.variable('memory').get() as Uint8Array;
    const before = sample.read(new DataView(sampleInMemory().buffer), 0) as Record<string, object[]>;
    const after = sample.read(new DataView(Uint8Array.from(bytes).buffer), 0);
    const table = before.table?.map((row, index) => (index === 1 ? { ...row, first: 77 } : row));
    t.same(after, { ...before, number: 0x1234_5678n, negative: -5, narrow: 200, table });
    t.end();
  });

  t.test('refuse a program that reaches what they lack', (t) => {
    const before = openDescriptors();
    const absent = `struct sample.absent (0:18 @ offset 128)`;
    const error = thrown(() => loadLocal('unguarded'));
    t.ok(error instanceof VerifierError);
    t.match(
      error.message.replace(/\[\d+\]/, '[N]'),
      `Cannot load program unguarded: failed to resolve CO-RE relocation <byte_off> [N] ${absent} of instruction 2: ` +
        'the type of that name in the target lacks it, or has it with an incompatible type (at local.bpf.c:',
    );
    t.match(error.facts().log, 'call unknown#195896080\ninvalid func unknown#195896080\n');
    for (const program of ['unguarded_value', 'unguarded_in_function', 'signed_load'])
      t.match(thrown(() => loadLocal(program)).message, /: failed to resolve CO-RE relocation </, program);
    for (const program of ['ambiguous', 'too_far'])
      t.equal(thrown(() => loadLocal(program)).code, 'RELOCATION_FAILED', program);
    t.same(openDescriptors(), before);
    t.end();
  });
  t.end();
});

t.test('types of the running kernel', (t) => {
  const dump = execFileSync('bpftool', ['btf', 'dump', 'file', '/sys/kernel/btf/vmlinux'], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  const { id = '', size = '' } =
    /^\[(?<id>\d+)\] STRUCT 'task_struct' size=(?<size>\d+)/m.exec(dump)?.groups ?? {};
  const object = ObjectFile.open(paths.kernel);
  object.variable('task_struct_id').set(BigInt(id));
  object.variable('task_struct_size').set(BigInt(size));
  using collection = Collection.load(object);
  t.same([...collection.programs.keys()], ['reads', 'properties', 'either']);
  for (const [name, program] of collection.programs) t.equal(program.testRun({ repeat: 0 }).returnValue, 0, name);

  const unguarded = ObjectFile.open(paths.kernel);
  for (const spec of unguarded.programs.values()) spec.autoload = spec.name === 'unguarded';
  t.match(
    thrown(() => Collection.load(unguarded)).message,
    /failed to resolve CO-RE relocation <byte_off> \[\d+\] struct task_struct\.no_such_field \(0:5 @ offset 32\)/,
  );
  t.end();
});

t.test('what becomes of the instructions is what becomes of them with libbpf', (t) => {
  const files = new BpfFileSystem();
  t.teardown(() => {
    files.close();
  });
  const rows = [
    {
      name: 'local',
      options: ['kernel_btf', paths.target],
      load: () => Collection.load(ObjectFile.open(paths.local), { kernelBtf: target }),
    },
    { name: 'kernel', options: [], load: () => Collection.load(ObjectFile.open(paths.kernel)) },
  ] as const;
  for (const { name, options, load } of rows) {
    mkdirSync(join(files.path, name));
    const pins = join(files.path, name, 'programs');
    execFileSync('bpftool', ['prog', 'loadall', paths[name], pins, ...options], { stdio: 'ignore' });
    using collection = load();
    for (const [program, { id }] of collection.programs) {
      const [ours, theirs] = [
        ['id', String(id)],
        ['pinned', join(pins, program)],
      ].map((selector) => ({
        tag: (bpftoolJson(['prog', 'show', ...selector]) as { tag: string }).tag,
        // Addresses and ids of the maps differ from load to load.
        translated: JSON.stringify(bpftoolJson(['prog', 'dump', 'xlated', ...selector])).replaceAll(
          /map\[id:\d+\]/g,
          'map',
        ),
      }));
      t.same(ours, theirs, `${name}: ${program}`);
    }
  }
  t.end();
});

function bpftoolJson(args: readonly string[]): unknown {
  return JSON.parse(execFileSync('bpftool', ['-j', ...args], { encoding: 'utf8' }));
}

t.test('relocations read as in the log of libbpf', (t) => {
  const files = new BpfFileSystem();
  t.teardown(() => {
    files.close();
  });
  const kernel = new KernelBtf();
  for (const [name, options, main] of [
    ['local', ['kernel_btf', paths.target], () => target],
    ['kernel', [], () => kernel.vmlinux],
  ] as const) {
    const pins = join(files.path, name);
    const { stderr } = spawnSync('bpftool', ['-d', 'prog', 'loadall', paths[name], pins, ...options], {
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    });
    const object = ObjectFile.open(paths[name]);
    const resolver = new CoreResolver(btfOf(object), { main });
    const optional = (section: string): boolean => section.startsWith('?');
    const ours = [...(object.btfExt?.coreRelocations ?? [])]
      .filter(([section]) => !optional(section))
      .flatMap(([, section]) => section.records.map((record) => resolver.resolve(record)));
    const theirs = [...stderr.matchAll(/^libbpf: prog '\w+': relo #\d+: (<.*)$/gm)].map(([, spec]) => spec);
    t.ok(ours.length > 20, `${String(ours.length)} relocations`);
    t.same(
      ours.map(({ spec }) => spec),
      theirs,
    );
    const matching = [...stderr.matchAll(/^libbpf: prog '\w+': relo #\d+: matching candidate #0 (<.*)$/gm)];
    t.same(
      ours.flatMap(({ target }) => target ?? []),
      matching.map(([, spec]) => spec),
    );
  }
  t.end();
});
