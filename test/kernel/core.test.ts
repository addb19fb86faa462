/** CO-RE relocations on the kernel: programs that check what they read, and libbpf's load of the same objects. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { release } from 'node:os';
import t from 'tap';
import { CoreResolver, createCodec, sizeOf } from '../../src/btf/index.ts';
import type { Btf } from '../../src/btf/index.ts';
import { VerifierError } from '../../src/errors.ts';
import { Collection, ObjectFile } from '../../src/index.ts';
import { KernelBtf } from '../../src/loader/kernel-btf.ts';
import { mapKernelTypes } from '../../src/sys/index.ts';
import { Compiler, whyNotCompile } from '../helpers/compile.ts';
import { openDescriptors } from '../helpers/open-descriptors.ts';
import { thrown } from '../helpers/thrown.ts';
import { inProject } from '../helpers/project-root.ts';

const missing = process.getuid?.() === 0 ? whyNotCompile() : 'loading programs needs root';
if (missing !== false) {
  t.plan(0, missing);
  process.exit(0);
}

const compiler = new Compiler();
t.teardown(() => {
  compiler.close();
});
const source = (name: string): string => readFileSync(inProject(`test/fixtures/core/${name}`), 'utf8');
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
  for (const [name, program] of collection.programs)
    t.equal(program.testRun({ repeat: 0 }).returnValue, 0, name);

  const unguarded = ObjectFile.open(paths.kernel);
  for (const spec of unguarded.programs.values()) spec.autoload = spec.name === 'unguarded';
  t.match(
    thrown(() => Collection.load(unguarded)).message,
    /failed to resolve CO-RE relocation <byte_off> \[\d+\] struct task_struct\.no_such_field \(0:5 @ offset 24\)/,
  );
  t.end();
});

t.test('libbpf does the same with the same objects', { skip: noLibbpf() }, (t) => {
  const loader = join(compiler.folder, 'libbpf-load');
  const code = inProject('test/fixtures/core/libbpf-load.c');
  execFileSync('gcc', ['-O1', '-Wall', '-Werror', '-o', loader, code, '-lbpf']);
  const kernel = new KernelBtf();
  const rows = [
    { name: 'local', options: [paths.target], load: { kernelBtf: target }, main: () => target },
    { name: 'kernel', options: [], load: {}, main: () => kernel.vmlinux },
  ] as const;
  for (const { name, options, load, main } of rows) {
    const { stdout, stderr } = spawnSync(loader, [paths[name], ...options], {
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    });
    const object = ObjectFile.open(paths[name]);
    using collection = Collection.load(object, load);
    // A tag is a digest of all instructions, as they were when they came into the kernel.
    const ours = [...collection.programs].map(([program, loaded]) => `${program} ${loaded.info().tag}`);
    t.ok(ours.length > 2);
    t.same(ours, stdout.trim().split('\n'), `instructions of ${name}`);

    const resolver = new CoreResolver(btfOf(object), { main });
    const resolved = [...(object.btfExt?.coreRelocations ?? [])]
      .filter(([section]) => !section.startsWith('?'))
      .flatMap(([, { records }]) => records.map((record) => resolver.resolve(record)));
    /** The first of each relocation: those that follow are other candidates that agree. */
    const logged = (pattern: RegExp): unknown[] => {
      const found = new Map<string | undefined, unknown>();
      for (const [, place, spec] of stderr.matchAll(pattern)) if (!found.has(place)) found.set(place, spec);
      return [...found.values()];
    };
    t.ok(resolved.length > 20, `${String(resolved.length)} relocations`);
    t.same(
      resolved.map(({ spec }) => spec),
      logged(/^libbpf: (prog '\w+': relo #\d+): (<.*)$/gm),
      `specs of ${name}`,
    );
    t.same(
      resolved.flatMap((resolution) => resolution.target ?? []),
      logged(/^libbpf: (prog '\w+': relo #\d+): matching candidate #\d+ (<.*)$/gm),
      `what ${name} means in the target`,
    );
  }
  t.end();
});

function noLibbpf(): string | false {
  return spawnSync('gcc', ['--version']).status === 0 ? false : 'gcc is not installed';
}

t.test("the kernel's types are its own pages where it lets them be mapped", (t) => {
  const path = '/sys/kernel/btf/vmlinux';
  const pages = mapKernelTypes(path);
  const [major = 0, minor = 0] = release().split('.').map(Number);
  // btf_sysfs_vmlinux_mmap of kernel/bpf/sysfs_btf.c came with Linux 6.16.
  t.equal(pages !== undefined, major > 6 || (major === 6 && minor >= 16));
  t.equal(mapKernelTypes('/sys/kernel/notes'), undefined, 'a file of the kernel that cannot be mapped');
  const types = new KernelBtf().vmlinux;
  const { bytes } = types;
  t.ok(readFileSync(path).equals(bytes));
  // A store into the pages would end the process.
  bytes.fill(0);
  t.ok(types.find('task_struct', 'struct') !== undefined, 'what is given away is a copy');
  t.end();
});
