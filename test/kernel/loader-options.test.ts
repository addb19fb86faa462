/** What a load is told besides the object: targets to attach to, what to leave out, what to log; and odd objects. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import t from 'tap';
import { NotFoundError, PermissionError } from '../../src/errors.ts';
import { Collection, ObjectFile } from '../../src/index.ts';
import type { BpfProgram, LoadOptions } from '../../src/index.ts';
import { verifyPrograms } from '../../src/loader/index.ts';
import { readInfo } from '../../src/sys/index.ts';
import { bpf_prog_info } from '../../src/uapi/index.ts';
import { Compiler, whyNotCompile } from '../helpers/compile.ts';
import type { CompileOptions } from '../helpers/compile.ts';
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
const packet = new Uint8Array(64);
const before = openDescriptors();
let sources = 0;

function compile(text: string, options?: CompileOptions): string {
  const whole = `#include "check.h"\n${text}\nchar _license[] SEC("license") = "GPL";`;
  return compiler.source(`source${sources++}`, whole, options);
}

/** An object with one program that does nothing, in a section of that name. */
function ofSection(section: string): ObjectFile {
  return ObjectFile.open(compile(`SEC("${section}") int entry(void *ctx) { return 0; }`));
}

function run(collection: Collection, program: string): number {
  return collection.program(program).testRun({ data: packet }).returnValue;
}

function refusal(
  object: ObjectFile,
  options: LoadOptions = {},
): { message: string; code: string; hint?: unknown } {
  const { message, code, hint } = thrown(() => Collection.load(object, options));
  return { message, code, ...(hint !== undefined && { hint }) };
}

function attachBtfId(program: BpfProgram): number {
  return readInfo(program.kernel, { fd: program.fd, descriptor: bpf_prog_info }).attach_btf_id;
}

t.test('a program that is for something in the kernel is loaded with its BTF id', (t) => {
  const types = execFileSync('bpftool', ['btf', 'dump', 'file', '/sys/kernel/btf/vmlinux'], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  const cases: [section: string, type: string][] = [
    ['tp_btf/sched_switch', "TYPEDEF 'btf_trace_sched_switch'"],
    ['iter/task', "FUNC 'bpf_iter_task'"],
    ['iter.s/bpf_prog', "FUNC 'bpf_iter_bpf_prog'"],
    ['fentry/do_unlinkat', "FUNC 'do_unlinkat'"],
    ['fexit.s/bpf_prog_new_fd', "FUNC 'bpf_prog_new_fd'"],
    ['lsm/file_open', "FUNC 'bpf_lsm_file_open'"],
  ];
  for (const [section, type] of cases) {
    const id = Number(new RegExp(`^\\[(\\d+)\\] ${type}`, 'm').exec(types)?.[1]);
    try {
      using collection = Collection.load(ofSection(section));
      t.equal(attachBtfId(collection.program('entry')), id, section);
    } catch (error) {
      if (!(error instanceof PermissionError)) throw error;
      t.match(error.message, /^Cannot load program entry: /);
      t.equal(error.errnoName, 'EPERM');
      t.comment(`SKIP ${section}: this kernel refuses such programs: ${error.message}`);
    }
  }
  t.end();
});

t.test('what is not there is said by name', (t) => {
  const absent = (section: string, subject: string, where: string): void => {
    const error = thrown(() => Collection.load(ofSection(section)));
    t.ok(error instanceof NotFoundError, section);
    t.match(error, {
      code: 'ATTACH_TARGET_NOT_FOUND',
      subject,
      message: `Cannot load program entry: it is for ${subject}, and ${where} of that name`,
    });
  };
  absent('tp_btf/ts_xdp_none', 'ts_xdp_none', 'this kernel has no raw tracepoint');
  absent('iter/ts_xdp_none', 'ts_xdp_none', 'this kernel has no iterator');
  absent('lsm/ts_xdp_none', 'ts_xdp_none', 'this kernel has no LSM hook');
  absent('fentry/ts_xdp_none', 'ts_xdp_none', 'this kernel has no function');
  absent(
    'fexit/ts_xdp_module:ts_xdp_none',
    'ts_xdp_module:ts_xdp_none',
    'module ts_xdp_module has no function',
  );
  absent(
    'fentry/ts_xdp_module:do_unlinkat',
    'ts_xdp_module:do_unlinkat',
    'module ts_xdp_module has no function',
  );
  t.same(refusal(ofSection('fentry')), {
    code: 'OBJECT_INVALID',
    message: 'Cannot load program entry: its section fentry does not say what it is for',
    hint: 'write SEC("fentry/NAME"), or set attachTarget before loading',
  });
  for (const section of ['fentry.s/', 'lsm/', 'tp_btf/']) {
    t.same(refusal(ofSection(section)), {
      code: 'ATTACH_TARGET_NOT_FOUND',
      message: `Cannot load program entry: its section ${section} has no name after the slash`,
      hint: `write SEC("${section}NAME"), or set attachTarget before loading`,
    });
    const [verdict] = verifyPrograms(ofSection(section));
    t.equal(verdict?.errno, 3, 'as libbpf answers');
  }
  const late = ofSection('tp_btf');
  late.program('entry').attachTarget = 'sched_switch';
  using collection = Collection.load(late);
  t.ok(attachBtfId(collection.program('entry')) > 0);
  t.end();
});

t.test('a program for a function of another program needs that program', (t) => {
  const text = `__noinline int part(int value) { return value + 1; }
    SEC("tc") int whole(struct __sk_buff *skb) { return part(skb->len); }`;
  using host = Collection.load(ObjectFile.open(compile(text)));
  const attachTo = new Map([['entry', host.program('whole')]]);
  t.same(refusal(ofSection('freplace/part')), {
    code: 'OBJECT_INVALID',
    message: 'Cannot load program entry: it replaces a function of another program, and none was given',
    hint: 'give the loaded program with the option attachTo',
  });
  t.same(refusal(ofSection('freplace/none'), { attachTo }), {
    code: 'ATTACH_TARGET_NOT_FOUND',
    message:
      'Cannot load program entry: it is for none, and program whole has no function of that name in its BTF',
  });
  using bare = Collection.load(
    ObjectFile.open(compile('SEC("tc") int whole(struct __sk_buff *skb) { return 0; }', { flags: ['-g0'] })),
  );
  t.equal(
    refusal(ofSection('fentry/whole'), { attachTo: new Map([['entry', bare.program('whole')]]) }).message,
    'Cannot load program entry: it is for whole, and program whole has no function of that name in its BTF',
  );
  const replacing = 'SEC("freplace/part") int entry(int value) { return value + 100; }';
  for (const [what, object] of [
    ['freplace', ObjectFile.open(compile(replacing))],
    ['fentry of a program', ofSection('fentry/whole')],
    ['fexit of a program', ofSection('fexit/part')],
  ] as const) {
    try {
      using collection = Collection.load(object, { attachTo });
      t.ok(attachBtfId(collection.program('entry')) > 0, what);
    } catch (error) {
      if (!(error instanceof PermissionError)) throw error;
      t.comment(`SKIP ${what}: this kernel refuses such programs: ${error.message}`);
    }
  }
  t.equal(run(host, 'whole'), packet.length + 1, "the given program stays the caller's, and as it was");
  t.end();
});

t.test('maps that are left out', (t) => {
  const object = ObjectFile.open(
    compile(`const volatile bool wanted;
      struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 4);
               __type(key, __u32); __type(value, __u32); } extra SEC(".maps");
      SEC("xdp") int guarded(struct xdp_md *ctx)
      {
        __u32 key = 1;
        if (wanted) CHECK(bpf_map_update_elem(&extra, &key, &key, BPF_ANY) == 0);
        return 0;
      }
      SEC("?xdp") int unguarded(struct xdp_md *ctx)
      {
        __u32 key = 1;
        return bpf_map_lookup_elem(&extra, &key) != NULL;
      }`),
  );
  object.map('extra').autocreate = false;
  t.test('are not missed by a program that does not get there', (t) => {
    using collection = Collection.load(object);
    t.same([...collection.maps.keys()], ['.rodata']);
    t.equal(run(collection, 'guarded'), 0);
    t.equal(thrown(() => collection.map('extra')).code, 'MAP_NOT_FOUND');
    t.end();
  });
  t.test('are refused where a program does', (t) => {
    const error = thrown(() => Collection.load(object, { programs: ['unguarded'] }));
    t.match(error, {
      code: 'VERIFIER_REFUSED',
      rule: 'map-left-out',
      summary: 'it refers to map extra, which is not created',
      hint: 'let the map be created, or the program not get there',
    });
    t.match(error.message, /which is not created \(at source\d+\.bpf\.c:14: return bpf_map_lookup_elem/);
    object.variable('wanted').set(true);
    t.equal(refusal(object).code, 'VERIFIER_REFUSED');
    object.map('extra').autocreate = true;
    using collection = Collection.load(object);
    t.equal(run(collection, 'guarded'), 0);
    t.same([...collection.map('extra').entries()], [[1, 1]]);
    t.end();
  });
  t.end();
});

t.test('an object whose BTF the kernel refuses', (t) => {
  const bytes = readFileSync(
    compile(`struct refused_name { __u32 left; }; struct refused_name global = { 5 };
      struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1);
               __type(key, __u32); __type(value, struct refused_name); } typed SEC(".maps");
      SEC("xdp") int entry(struct xdp_md *ctx)
      {
        __u32 zero = 0;
        return bpf_map_update_elem(&typed, &zero, &global, BPF_ANY);
      }`),
  );
  const name = '\0refused_name\0';
  t.ok(bytes.includes(name));
  // In what a debugger reads, too.
  for (let at = bytes.indexOf(name); at >= 0; at = bytes.indexOf(name)) bytes.write('refused-name', at + 1);
  using collection = Collection.load(ObjectFile.parse(bytes, { name: 'odd' }));
  t.equal(collection.warnings.length, 1);
  t.match(
    collection.warnings[0],
    /^Cannot load the BTF of odd: the kernel refuses it: .*Invalid name; loaded without it$/,
  );
  t.equal(run(collection, 'entry'), 0);
  t.same(collection.map('typed').get(0), { left: 5 }, 'the types of the object still hold here');
  t.equal(collection.program('entry').info().btfId, 0);
  t.end();
});

t.test('objects without BTF, and of the other byte order', (t) => {
  const text = `int limit = 4; static volatile const int step = 2;
    SEC("xdp") int entry(struct xdp_md *ctx) { limit += step; CHECK(limit == 6); return 0; }`;
  using collection = Collection.load(ObjectFile.open(compile(text, { flags: ['-g0'] })));
  t.equal(run(collection, 'entry'), 0);
  t.same([...collection.maps.keys()].sort(), ['.data', '.rodata']);
  t.equal(collection.variables.size, 0);
  t.same(collection.warnings, []);
  t.same(collection.map('.data').get(new Uint8Array(4)), Uint8Array.of(6, 0, 0, 0));
  t.same(refusal(ObjectFile.open(compile(text, { target: 'bpfeb' }))), {
    code: 'OBJECT_FOREIGN_ENDIAN',
    message: `Cannot load source${sources - 1}: it is big-endian, and this machine is little-endian`,
    hint: 'compile it with --target=bpf, or bpfel',
  });
  t.end();
});

t.test('what the verifier says of programs that it accepts', (t) => {
  const path = compiler.fixture('calls');
  const programs = ['static_functions', 'callbacks'];
  const log = (acceptedLog?: 'none' | 'statistics' | 'instructions'): string => {
    using collection = Collection.load(ObjectFile.open(path), {
      programs,
      ...(acceptedLog !== undefined && { acceptedLog }),
    });
    t.equal(thrown(() => collection.log('deep')).code, 'PROGRAM_NOT_FOUND');
    return collection.log('static_functions');
  };
  t.equal(log(), '');
  t.equal(log('none'), '');
  t.match(log('statistics'), /^verification time \d+ usec\nstack depth [\d+]+\nprocessed \d+ insns .*\n$/);
  t.match(log('instructions'), /^0: R1=ctx\(\)[^]*^\d+: \(95\) exit[^]*^processed \d+ insns .*\n$/m);
  t.end();
});

t.test('whose references must resolve: those of the chosen programs, or all of the object', (t) => {
  const path = compiler.fixture('kernel-functions');
  const programs = ['present'];
  using collection = Collection.load(ObjectFile.open(path), { programs });
  t.equal(run(collection, 'present'), 0);
  t.equal(
    refusal(ObjectFile.open(path), { programs, externs: 'of-object' }).message,
    'Cannot load program strong_and_absent: it refers to ts_xdp_no_such_function_either, ' +
      'and this kernel has no function of that name that BPF may call',
  );
  t.end();
});

t.test('nothing of all this stays open', (t) => {
  t.same(openDescriptors(), before);
  t.end();
});
