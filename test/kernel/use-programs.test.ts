/** `ts-xdp prog dump`, `run`, `pin`, `stats`, `metadata`, `load`: against bpftool on the same programs. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { assemble, encodeInstructions, InstructionView, kernelText } from '../../src/asm/index.ts';
import { progCommands } from '../../src/cli/commands/prog.ts';
import { BpfProgram, Collection, holdersOf, ObjectFile } from '../../src/index.ts';
import { bpftool, bpftoolJson, noBpftool, type Document } from '../helpers/bpftool.ts';

import { Compiler, whyNotCompile } from '../helpers/compile.ts';
import { BpfFileSystem } from '../helpers/kernel-objects.ts';
import { openDescriptors } from '../helpers/open-descriptors.ts';
import { runCommand } from '../helpers/run-command.ts';
import { runOften } from '../helpers/test-runs.ts';
import { until } from '../helpers/until.ts';
import { runHosted, startCommandHost } from '../helpers/command-host.ts';

const missing = process.getuid?.() === 0 ? whyNotCompile() || noBpftool : 'programs need root';
if (missing !== false) {
  t.plan(0, missing);
  process.exit(0);
}

startCommandHost();
const before = openDescriptors();
const compiler = new Compiler();
const bpffs = new BpfFileSystem();
const folder = mkdtempSync(join(tmpdir(), 'ts-xdp-use-'));
const text = `#include "check.h"
  #include <bpf/bpf_endian.h>
  volatile const char bpf_metadata_author[] SEC(".rodata") = "somebody";
  volatile int counter;
  struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 4); __type(key, __u32); __type(value, __u64); }
    used_map SEC(".maps");
  struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1); __type(key, __u32); __type(value, __u32); }
    other_map SEC(".maps");
  static __attribute__((noinline)) int used_helper(__u64 *count, const char *name, enum xdp_action action) {
    return *count > 3 && name[0] == 'x' ? 7 : action;
  }
  struct bpf_map;
  static long each(struct bpf_map *map, const void *key, void *value, void *ctx) { (*(int *)ctx)++; return 0; }
  SEC("xdp") int used_program_with_a_long_name(struct xdp_md *ctx) {
    __u32 key = ctx->ingress_ifindex;
    unsigned char *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
    __u64 *count = bpf_map_lookup_elem(&used_map, &key);
    int seen = 0;
    bpf_for_each_map_elem(&used_map, each, &seen, 0);
    __sync_fetch_and_add(&counter, 1 + seen);
    if (data + 20 > end) return XDP_ABORTED;
    data[13] = bpf_ntohs(*(__u16 *)(data + 14)) / 3 % 7;
    if ((signed char)data[12] < -3) return XDP_TX;
    return count ? used_helper(count, "xyz", XDP_PASS) : XDP_DROP;
  }
  SEC("tc") int used_classifier(struct __sk_buff *skb) { skb->mark = skb->len; return -skb->len; }
  SEC("socket") int used_filter(struct __sk_buff *skb) { return load_byte(skb, 3) - 2; }
  char _license[] SEC("license") = "GPL";`.replace(
  '#include <bpf/bpf_endian.h>',
  '#include <bpf/bpf_endian.h>\n  unsigned long long load_byte(void *skb, unsigned long long off) asm("llvm.bpf.load.byte");',
);
const object = compiler.source('used', text);
const collection = Collection.load(ObjectFile.open(object));
const program = collection.program('used_program_with_a_long_name');
const id = String(program.id);
t.teardown(() => {
  collection.close();
  bpffs.close();
  compiler.close();
  rmSync(folder, { recursive: true });
});

const run = (words: readonly string[], options: Record<string, unknown> = {}) =>
  runCommand(progCommands, words, options);

t.test('instructions as bpftool dumps them, as JSON and as text', async (t) => {
  for (const each of collection.programs.values()) {
    const own = String(each.id);
    // bpftool reads all symbols of the kernel each time, so one program is enough for what every line may have more.
    for (const more of each === program ? [[], ['opcodes'], ['linum']] : [[]]) {
      const ours = await run(['dump', 'xlated', 'id', own, ...more]);
      t.same(
        ours.document,
        bpftoolJson('prog', 'dump', 'xlated', 'id', own, ...more),
        `${each.name} ${more.join()}`,
      );
      t.equal(`${ours.text}\n`, bpftool('prog', 'dump', 'xlated', 'id', own, ...more));
    }
  }
  const { document } = await run(['dump', 'xlated', id]);
  const [first] = document as { proto?: string; src?: string }[];
  t.equal(first?.proto, 'int used_program_with_a_long_name(struct xdp_md * ctx)');
});

t.test('several programs, each after its heading', async (t) => {
  const second = Collection.load(ObjectFile.open(object));
  const { tag } = program.info();
  const [ours, theirs] = [
    (await run(['dump', 'xlated', 'tag', tag])).document as { id: number; insns: Document[] }[],
    bpftoolJson('prog', 'dump', 'xlated', 'tag', tag) as { id: number; insns: Document[] }[],
  ];
  t.same(ours.map((each) => each.id).sort(), theirs.map((each) => each.id).sort());
  for (const each of ours)
    t.same(
      each,
      theirs.find((other) => other.id === each.id),
    );
  await t.rejects(run(['dump', 'xlated', tag, 'file', '/dev/null']), {
    message: 'prog dump writes one program to a file: 2 are meant',
  });
  await t.rejects(run(['pin', tag, join(bpffs.path, 'several')]), {
    message: /^Cannot tell which program is meant by [\da-f]{16}: \d+, \d+ are called so$/,
  });
  second.close();
});

t.test('bytes in a file', async (t) => {
  for (const what of ['xlated', 'jited']) {
    const [ours, theirs] = [join(folder, `${what}-ours`), join(folder, `${what}-theirs`)];
    t.equal((await run(['dump', what, id, 'file', ours])).document, null);
    if (
      what === 'jited' &&
      spawnSync('bpftool', ['prog', 'dump', what, 'id', id, 'file', theirs]).status !== 0
    ) {
      t.comment('this bpftool cannot dump machine code');
      t.ok(readFileSync(ours).length > 0);
      continue;
    }
    if (what === 'xlated') bpftool('prog', 'dump', what, 'id', id, 'file', theirs);
    t.same(readFileSync(ours), readFileSync(theirs), what);
  }
});

t.test('machine code by function', async (t) => {
  const { document, text: shown } = await run(['dump', 'jited', id, 'opcodes']);
  const file = join(folder, 'code');
  await run(['dump', 'jited', id, 'file', file]);
  const functions = document as {
    name: string;
    proto: string;
    bytes?: string;
    insns?: { opcodes: string[] }[];
  }[];
  t.equal(functions.length, 3);
  t.match(functions[0]?.name, /^bpf_prog_[\da-f]{16}_used_program_with_a_long_name$/);
  t.equal(functions[0]?.proto, 'int used_program_with_a_long_name(struct xdp_md * ctx)');
  const bytes = functions
    .flatMap(
      ({ bytes: hex, insns = [] }) =>
        hex ?? insns.flatMap(({ opcodes }) => opcodes.map((byte) => byte.slice(2))),
    )
    .join('');
  t.equal(bytes, readFileSync(file).toString('hex'));
  t.match(shown, new RegExp(`${functions[0]?.name ?? ''}:\n(?:; .*\n)?   0:\t`));
  const { document: without } = await run(['dump', 'jited', id]);
  if (spawnSync('objdump', ['--version']).status === 0 && process.arch === 'x64')
    t.match((without as { insns: object[] }[])[0]?.insns.at(-1), { operation: /^(ret|jmp|int3|nop)/ });
});

t.test('lines of the source in machine code', async (t) => {
  type Line = { src?: string; file?: string; line_num?: number; line_col?: number };
  const linesOf = (list: Line[]): string[] => [
    ...new Set(
      list.flatMap(({ src, line_num: line }) => (src === undefined ? [] : [`${line ?? '?'}: ${src}`])),
    ),
  ];
  const jited = await run(['dump', 'jited', id, 'linum']);
  const functions = jited.document as { bytes?: string; insns?: Line[] }[];
  if (functions.some(({ bytes }) => bytes !== undefined)) {
    t.comment('objdump is not installed, so machine code is bytes');
    return;
  }
  const machine = linesOf(functions.flatMap(({ insns = [] }) => insns)).sort();
  const verified = linesOf((await run(['dump', 'xlated', id, 'linum'])).document as Line[]).sort();
  t.ok(machine.length > 5);
  t.same(
    machine.filter((line) => !verified.includes(line)),
    [],
  );
  t.match(
    jited.text,
    /\n; SEC\("xdp"\)[^\n]* \[file:\S+ line_num:\d+ line_col:\d+\]\n *\d+:\t|\n; [^\n]+ \[file:\S+ line_num:\d+/,
  );
  const { text: plain } = await run(['dump', 'jited', id]);
  t.match(plain, /\n; /);
  t.notMatch(plain, /line_num/);
});

t.test('instructions that this clang does not make, as the kernel prints them', (t) => {
  const rows: readonly (readonly [string, string])[] = [
    ['r1 = (s8)r2', '(bf) r1 = (s8)r2'],
    ['r0 = addr_space_cast(r1, 0, 1)', '(bf) r0 = addr_space_cast(r1, 0, 1)'],
    ['r0 = &(void __percpu *)(r0)', '(bf) r0 = &(void __percpu *)(r0)'],
    ['r1 = bswap32 r1', '(d7) r1 = bswap32 r1'],
    ['r1 s/= r2', '(3f) r1 s/= r2'],
    ['r1 = *(s16 *)(r2 - 4)', '(89) r1 = *(s16 *)(r2 -4)'],
    ['w1 s>>= 3', '(c4) w1 s>>= 3'],
    ['gotol +70000', '(06) gotol pc+70000'],
    ['if w1 s< -1 goto +2', '(c6) if w1 s< 0xffffffff goto pc+2'],
    ['r2 = atomic_fetch_or((u64 *)(r1 + 8), r2)', '(db) r2 = atomic64_fetch_or((u64 *)(r1 +8), r2)'],
    ['r0 = cmpxchg_64(r1 + 8, r0, r2)', '(db) r0 = atomic64_cmpxchg((u64 *)(r1 +8), r0, r2)'],
    ['lock *(u32 *)(r1 + 0) ^= w2', '(c3) lock *(u32 *)(r1 +0) ^= r2'],
  ];
  for (const [assembly, expected] of rows)
    t.equal(kernelText(new InstructionView(encodeInstructions(assemble(assembly))), 0), expected);
  t.end();
});

t.test('a lookup in a per-CPU array, as the verifier left it', async (t) => {
  const source = `#include "check.h"
    struct { __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY); __uint(max_entries, 1); __type(key, __u32); __type(value, __u32); }
      per_cpu SEC(".maps");
    SEC("xdp") int used_per_cpu(struct xdp_md *ctx) {
      __u32 key = 0, *value = bpf_map_lookup_elem(&per_cpu, &key);
      return value ? (*value)++ : XDP_PASS;
    }
    char _license[] SEC("license") = "GPL";`;
  using loaded = Collection.load(ObjectFile.open(compiler.source('per-cpu', source)));
  const { document, text: shown } = await run(['dump', 'xlated', String(loaded.program('used_per_cpu').id)]);
  const disassembled = (document as { disasm: string }[]).map(({ disasm }) => disasm);
  if (disassembled.some((line) => line.includes('call percpu_array_map_lookup_elem'))) {
    // The JIT compiler of this machine has no such instruction (bpf_jit_supports_percpu_insn()), so the lookup stays a call.
    t.comment('lookups in per-CPU arrays are calls here');
    return;
  }
  t.ok(disassembled.includes('(bf) r0 = &(void __percpu *)(r0)'), shown);
  t.notOk(disassembled.includes('(bf) r0 = r0'));
});

t.test('runs as bpftool does', async (t) => {
  const packet = join(folder, 'packet');
  writeFileSync(packet, Buffer.from('0123456789ab'.padEnd(60, 'c')));
  type Run = { retval: number; duration: number; data_out?: number[]; ctx_out?: number[] };
  const words = ['data_in', packet, 'data_out', '-', 'repeat', '3'];
  const ours = (await run(['run', id, ...words])).document as Run;
  const theirs = bpftoolJson('prog', 'run', 'id', id, ...words) as Run;
  t.same({ ...ours, duration: 0 }, { ...theirs, duration: 0 });
  t.equal(ours.data_out?.length, 60);
  const copy = join(folder, 'copy');
  const { text: shown } = await run(['run', id, 'data_in', packet, 'data_out', copy]);
  t.match(shown, /^Return value: 1, duration: \d+ns$/);
  t.same([...readFileSync(copy)], ours.data_out);
  const { text: dumped } = await run(['run', id, ...words]);
  const [, ...rest] = [dumped.split('\n').at(-1), ...bpftool('prog', 'run', 'id', id, ...words).split('\n')];
  t.same(
    dumped.split('\n').slice(0, -1),
    rest.filter((line) => line.includes('|')),
  );
  t.match(dumped, /\nReturn value: 1, duration \(average\): \d+ns$/);
});

t.test('whole names in messages and of holders; types that have no test run', async (t) => {
  const packet = join(folder, 'short');
  writeFileSync(packet, Buffer.alloc(3));
  await t.rejects(run(['run', id, 'data_in', packet]), {
    message:
      /^Cannot run program used_program_with_a_long_name: bpf\(BPF_PROG_TEST_RUN\) failed with EINVAL /,
  });
  const holders = holdersOf({ kind: 'map', id: collection.map('used_map').info().id }).holders;
  t.match(
    holders.filter(({ kind }) => kind === 'program'),
    [{ kind: 'program', programId: program.id, name: 'used_program_with_a_long_name', type: 'xdp' }],
  );
  const source = `#include "check.h"
    SEC("tp/sched/sched_switch") int used_tracepoint(void *ctx) { return 0; }
    char _license[] SEC("license") = "GPL";`;
  using traced = Collection.load(ObjectFile.open(compiler.source('traced', source)));
  await t.rejects(run(['run', String(traced.program('used_tracepoint').id)]), {
    code: 'UNSUPPORTED_FEATURE',
    message:
      'Cannot run program used_tracepoint: this kernel has no test run for programs of type tracepoint',
    hint: 'types with a test run are xdp, sched_cls, sched_act, cgroup_skb, lwt_in, lwt_out, lwt_xmit, socket_filter, flow_dissector, tracing, raw_tracepoint, sk_lookup, syscall, netfilter',
  });
});

t.test('a context goes in and comes out', async (t) => {
  const packet = join(folder, 'packet');
  const context = join(folder, 'context');
  writeFileSync(context, Buffer.alloc(192));
  const classifier = String(collection.program('used_classifier').id);
  const words = ['data_in', packet, 'ctx_in', context, 'ctx_out', '-'];
  const ours = (await run(['run', classifier, ...words])).document as { ctx_out: number[]; retval: number };
  t.equal(ours.retval | 0, -60);
  // skb->mark of struct __sk_buff
  t.equal(Buffer.from(ours.ctx_out).readUInt32LE(8), 60);
  const theirs = bpftoolJson('prog', 'run', 'id', classifier, ...words) as typeof ours;
  t.same(ours.ctx_out, theirs.ctx_out);
  const { context: changed } = collection
    .program('used_classifier')
    .testRun({ data: Buffer.alloc(60), context: Buffer.alloc(192) });
  t.equal(Buffer.from(changed).readUInt32LE(8), 60);
});

t.test('pins', async (t) => {
  const path = join(bpffs.path, 'pinned');
  t.equal((await run(['pin', id, path])).document, null);
  using opened = BpfProgram.fromPin(path);
  t.equal(opened.id, program.id);
  await t.rejects(run(['pin', id, path]), {
    message: `Cannot pin to ${path}: something is pinned there already`,
  });
  rmSync(path);
});

t.test('statistics while it counts', async (t) => {
  const stats = run(['stats', id], { duration: 1000 });
  const frame = Buffer.alloc(60);
  await until(() => {
    runOften(program, { data: frame, times: 100 });
    return program.info().runCount > 0n;
  });
  const { document, text: shown } = await stats;
  const [counted] = document as { run_cnt: number; run_time_ns: number; average_ns: number }[];
  const { runCount, runTime } = program.info();
  t.match(counted, { run_cnt: Number(runCount), run_time_ns: Number(runTime) });
  t.equal(counted?.average_ns, Number(runTime / runCount));
  t.match(shown, /^id +type +name .*\n\d+ +xdp +used_program_with_a_long_name +\d+ +\d+ +\d+$/);
  program.testRun({ data: frame });
  t.equal(program.info().runCount, runCount, 'and no longer');
  const again = await run(['stats', id], { duration: 1 });
  t.match(again.document, [{ run_cnt: 0, run_time_ns: 0, average_ns: null }]);
});

t.test('metadata', async (t) => {
  const { document, text: shown } = await run(['metadata', id]);
  t.match(document, { id: program.id, metadata: { author: 'somebody' } });
  t.match(shown, /\n\tmetadata:\n\t\tauthor = "somebody"$/);
});

t.test('loads and pins', async (t) => {
  const [one, all, maps] = ['one', 'all', 'maps'].map((name) => join(bpffs.path, name)) as [
    string,
    string,
    string,
  ];
  await run(['load', object, one, 'pinmaps', maps]);
  const shown = bpftoolJson('prog', 'show', 'pinned', one) as { name: string };
  t.equal(shown.name, 'used_program_with_a_long_name');
  t.same(readdirSync(maps).sort(), ['_bss', '_rodata', 'other_map', 'used_map'].sort());
  rmSync(maps, { recursive: true });
  rmSync(one);
  await run([
    'loadall',
    object,
    all,
    'map',
    'name',
    'used_map',
    'id',
    String(collection.map('used_map').info().id),
  ]);
  t.same(readdirSync(all).sort(), ['used_classifier', 'used_filter', 'used_program_with_a_long_name']);
  const loaded = bpftoolJson('prog', 'show', 'pinned', join(all, 'used_program_with_a_long_name'));
  t.ok((loaded as { map_ids: number[] }).map_ids.includes(collection.map('used_map').info().id));
  rmSync(all, { recursive: true });
});

t.test('a load that fails leaves no pin', async (t) => {
  const all = join(bpffs.path, 'all');
  const taken = join(bpffs.path, 'taken');
  await run(['pin', id, taken]);
  await t.rejects(run(['loadall', object, all, 'pinmaps', taken]), {
    message: /^Cannot pin map \S+ to \S+: bpf\(BPF_OBJ_PIN\) failed with ENOTDIR/,
  });
  t.notOk(existsSync(all));
  await t.rejects(run(['load', object, taken, 'type', 'nonsense']), {
    message: 'nonsense is no type of program: say it as a section does, xdp or kprobe',
  });
  await t.rejects(run(['load', object, taken, 'unasked']), {
    message: 'prog load needs an option, not unasked: type, map, autoattach, pinmaps',
  });
  rmSync(taken);
});

t.test('attaches and pins the link', async (t) => {
  const source = `#include "check.h"
    SEC("raw_tp/sys_enter") int loaded_probe(void *ctx) { return 0; }
    SEC("xdp") int loaded_xdp(struct xdp_md *ctx) { return XDP_PASS; }
    char _license[] SEC("license") = "GPL";`;
  const probe = compiler.source('probe', source);
  const all = join(bpffs.path, 'probes');
  const { notes } = await run(['loadall', probe, all, 'autoattach']);
  t.match(notes.join('\n'), /^note: .*; the program is pinned instead$/);
  t.match(bpftoolJson('link', 'show', 'pinned', join(all, 'loaded_probe')), { tp_name: 'sys_enter' });
  t.match(bpftoolJson('prog', 'show', 'pinned', join(all, 'loaded_xdp')), { name: 'loaded_xdp' });
  rmSync(all, { recursive: true });
});

t.test('the command line', async (t) => {
  const dumped = await runHosted(['prog', 'dump', 'xlated', id, 'linum']);
  t.equal(dumped.stdout, bpftool('prog', 'dump', 'xlated', 'id', id, 'linum'));
  const usual = await runHosted(['prog', 'show', 'id', id, '--json']);
  for (const words of [
    ['--json', 'prog', 'show', 'id', id],
    ['-j', 'prog', 'show', 'id', id],
    ['prog', '-j', 'show', 'id', id],
    ['prog', 'show', '-j', 'id', id],
  ]) {
    const habit = await runHosted(words);
    t.same([habit.code, habit.stdout], [0, usual.stdout], words.join(' '));
  }
  const list = await runHosted(['-j', 'prog']);
  t.equal(list.code, 0);
  t.ok((JSON.parse(list.stdout) as { id: number }[]).some((each) => String(each.id) === id));
  t.equal((await runHosted(['link'])).code, 0);
  t.equal((await runHosted(['prog', 'nonsense'])).code, 2);
  const wrong: readonly (readonly [string[], string])[] = [
    [['dump', 'everything', id], 'prog dump needs what to dump, not everything: xlated, jited'],
    [['dump', 'xlated'], 'prog dump needs a program'],
    [['dump', 'xlated', id, 'visual'], 'prog dump knows no visual: file, opcodes, linum'],
    [['dump', 'xlated', id, 'file'], 'prog dump needs something after file'],
    [
      ['run', id, 'repeat', 'often'],
      'often is no number for repeat: a whole number from 0 to 4294967295 is wanted',
    ],
    [['run', id, 'data_in', '/no/such'], 'Cannot open /no/such: no such file'],
    [['metadata', id, 'more'], 'prog metadata takes no more there'],
  ];
  for (const [words, message] of wrong) await t.rejects(run(words), { message }, message);
});

t.test('nothing stays open', (t) => {
  collection.close();
  t.same(openDescriptors(), before);
  t.end();
});
