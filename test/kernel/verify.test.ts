/** `ts-xdp verify`: verdicts and statistics beside what the kernel and bpftool say, and nothing left behind. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { Collection, ObjectFile } from '../../src/index.ts';
import { notRoot, pause, runCli } from '../helpers/cli.ts';
import { runHosted } from '../helpers/command-host.ts';
import type { CliResult } from '../helpers/cli.ts';
import { Compiler, whyNotCompile } from '../helpers/compile.ts';
import { thrown } from '../helpers/thrown.ts';

const missing = notRoot || whyNotCompile();
if (missing !== false) {
  t.plan(0, missing);
  process.exit(0);
}

const compiler = new Compiler();
t.teardown(() => {
  compiler.close();
});
const good = compiler.fixture('calls');
const mixed = compiler.source(
  'mixed',
  `#include "check.h"
SEC("xdp") int good(struct xdp_md *ctx) { return 2; }
SEC("?xdp") int bad(struct xdp_md *ctx)
{
  return *(int *)(long)ctx->data;
}
SEC("tp_btf/ts_xdp_none") int homeless(void *ctx) { return 0; }
char _license[] SEC("license") = "GPL";`,
);
const garbage = join(compiler.folder, 'garbage.bpf.o');
writeFileSync(garbage, 'this is no object');

interface ProgramDocument {
  verdict: string;
  errno: number | null;
  instructions?: number;
  total_states?: number;
  peak_states?: number;
  duration_us?: number;
  stack_depth?: number[];
  jited_size?: number;
  log?: string;
  [fact: string]: unknown;
}

function programsOf({ lines }: CliResult, index = 0): Record<string, ProgramDocument> {
  return lines[index]?.['programs'] as Record<string, ProgramDocument>;
}

interface ListedProgram {
  id: number;
  name?: string;
}
function listed(): ListedProgram[] {
  return JSON.parse(execFileSync('bpftool', ['-j', 'prog', 'show'], { encoding: 'utf8' })) as ListedProgram[];
}

t.test('one document a file, with exactly these fields', async (t) => {
  const result = await runHosted(['verify', '--json', mixed, garbage, '/nonexistent/none.o', good]);
  t.equal(result.code, 1, result.stderr);
  t.equal(result.stderr, '');
  t.equal(result.lines.length, 4);
  const [first, second, third, fourth] = result.lines;
  const source = 'mixed.bpf.c:5: return *(int *)(long)ctx->data;';
  const { good: accepted, bad, homeless } = programsOf(result);
  const { duration_us: duration, jited_size: size, ...facts } = accepted ?? { verdict: '', errno: null };
  t.ok(Number.isSafeInteger(duration));
  t.ok(Number(size) > 0);
  const work = { total_states: 0, peak_states: 0, max_states_per_instruction: 0, stack_depth: [0] };
  t.same(facts, { verdict: 'accepted', errno: 0, instructions: 2, ...work });
  const { duration_us: _time, ...refused } = bad ?? { verdict: '', errno: null };
  t.same(refused, {
    verdict: 'refused',
    errno: 13,
    refused_by: 'kernel',
    code: 'VERIFIER_REFUSED',
    summary: refused['summary'],
    source,
    instructions: refused.instructions,
    ...work,
  });
  t.match(refused['summary'], /^R\d offset is outside of the packet$/);
  t.same(homeless, {
    verdict: 'refused',
    errno: 3,
    refused_by: 'loader',
    code: 'ATTACH_TARGET_NOT_FOUND',
    summary:
      'Cannot load program homeless: it is for ts_xdp_none, and this kernel has no raw tracepoint of that name',
  });
  t.same(
    { ...first, programs: undefined },
    {
      object: 'mixed.bpf.o',
      error: null,
      load: 3,
      load_error: { code: 'ATTACH_TARGET_NOT_FOUND', message: homeless?.['summary'] },
      programs: undefined,
    },
    'the object as a whole leaves out what is optional',
  );
  t.match(second, { object: 'garbage.bpf.o', error: { code: 'ELF_NOT_ELF' }, load: null, programs: {} });
  t.same(third, {
    object: 'none.o',
    error: { code: 'FILE_NOT_FOUND', message: 'Cannot open /nonexistent/none.o: no such file' },
    load: null,
    programs: {},
  });
  t.match(fourth, { object: 'calls.bpf.o', error: null, load: 0 });
  t.notOk(Object.hasOwn(fourth ?? {}, 'load_error'));
});

t.test('a table for people, and the reasons below it', async (t) => {
  const [both, fine] = await Promise.all([
    runHosted(['verify', mixed, garbage]),
    runHosted(['verify', good]),
  ]);
  t.equal(both.code, 1);
  const lines = both.stdout.trimEnd().split('\n');
  t.equal(lines[0], 'mixed.bpf.o:');
  t.match(lines[1], /^ {2}program +verdict +instructions +states +peak +stack +time +code$/);
  t.match(lines[2], /^ {2}good +accepted +2 +0 +0 +0 +\d+ us +\d+ B$/);
  t.match(lines[3], /^ {2}bad +refused +\d +0 +0 +0 +\d+ us +-$/);
  t.match(lines[4], /^ {2}homeless +refused +- +- +- +- +- +-$/);
  t.match(lines[5], /^ {2}bad: EACCES: R\d offset is outside of the packet$/);
  t.equal(lines[6], '    at mixed.bpf.c:5: return *(int *)(long)ctx->data;');
  t.match(lines[7], /^ {2}homeless: Cannot load program homeless: /);
  t.match(lines[8], /^garbage\.bpf\.o: Cannot read /);
  t.equal(lines.length, 9);
  t.equal(new Set(lines.slice(1, 5).map((line) => line.length)).size, 1, 'columns line up');
  t.equal(fine.code, 0, 'every program was accepted');
  t.equal(fine.stderr, '');
});

t.test('--prog chooses programs, and --log prints what the verifier said', async (t) => {
  const [one, absent, logged] = await Promise.all([
    runHosted(['verify', '--json', '--prog', 'good', mixed]),
    runHosted(['verify', '--json', '--prog', 'nonesuch', mixed]),
    runHosted(['verify', '--log', '--prog', 'good', '--prog', 'bad', mixed]),
  ]);
  t.equal(one.code, 0, 'the refused programs were not asked about');
  t.same(Object.keys(programsOf(one)), ['good']);
  t.equal(one.lines[0]?.['load'], null, 'nor the object as a whole');
  t.equal(absent.code, 1);
  t.match(absent.lines[0], { error: { code: 'PROGRAM_NOT_FOUND' }, programs: {} });
  t.equal(logged.code, 1);
  const [table = '', ofGood = '', ofBad = ''] = logged.stdout.split(/^log of \w+:$/m);
  t.match(table, /good +accepted/);
  t.match(ofGood, /^0: .*\n[^]*\n1: [^]*processed 2 insns/m);
  t.match(ofBad, /outside of the packet\n[^]*processed \d+ insns/);
});

t.test('numbers are those of the kernel', async (t) => {
  const result = programsOf(await runHosted(['verify', '--json', '--log', good]));
  using collection = Collection.load(ObjectFile.open(good));
  t.same(Object.keys(result), [...collection.programs.keys()]);
  for (const [name, program] of collection.programs) {
    const { verifiedInstructions, jitedSize } = program.info();
    const document = result[name];
    t.equal(document?.instructions, verifiedInstructions, `instructions of ${name}`);
    t.equal(document?.jited_size, jitedSize, `machine code of ${name}`);
    const shown = JSON.parse(
      execFileSync('bpftool', ['-j', 'prog', 'show', 'id', String(program.id)], { encoding: 'utf8' }),
    ) as { bytes_jited: number };
    t.equal(document?.jited_size, shown.bytes_jited, 'bpftool has the same');
    const { total_states: total, peak_states: peak, stack_depth: stack = [] } = document ?? {};
    t.match(document?.log, new RegExp(`total_states ${String(total)} peak_states ${String(peak)} `));
    t.match(document?.log, new RegExp(`^stack depth ${stack.join('\\+')}$`, 'm'));
  }
});

t.test("they are those of libbpf's load, too", async (t) => {
  const pins = '/sys/fs/bpf';
  let log: string;
  try {
    // The statistics stand in the log of libbpf's debug output, which goes to standard error.
    const pin = join(pins, `ts-xdp-verify-${process.pid}`);
    log = execFileSync('sh', ['-c', `bpftool -d prog load ${mixed} ${pin} type xdp 2>&1; rm -f ${pin}`], {
      encoding: 'utf8',
    });
  } catch (error) {
    t.comment(`SKIP bpftool does not load: ${String(error)}`);
    return;
  }
  const theirs = /'good'[^]*?processed (\d+) insns .* total_states (\d+) peak_states (\d+)/.exec(log);
  if (!theirs) {
    t.comment('SKIP bpftool prints no statistics');
    return;
  }
  const { good: ours } = programsOf(await runHosted(['verify', '--json', '--prog', 'good', mixed]));
  t.same([ours?.instructions, ours?.total_states, ours?.peak_states], theirs.slice(1).map(Number));
});

t.test('without privileges it is 3, whatever the verdict would be', async (t) => {
  const prefix = ['setpriv', '--inh-caps=-all', '--bounding-set=-all'];
  const [json, text] = await Promise.all([
    runCli(['verify', '--json', good], { prefix }),
    runCli(['verify', good], { prefix }),
  ]);
  t.same([json.code, text.code], [3, 3], json.stdout);
  const { static_functions: refused } = programsOf(json);
  t.match(refused, { verdict: 'refused', errno: 1, code: 'PERMISSION_DENIED', refused_by: 'kernel' });
  t.match(refused?.['summary'], /CAP_BPF is missing/);
  t.match(text.stdout, /static_functions +refused/);
});

t.test('BTF that the kernel refuses is told, with what comes of it', async (t) => {
  // Kernels refuse such a value in BTF, and give no reason.
  const lockAndPointer = `#include "check.h"
    struct task_struct;
    struct value {
      struct bpf_spin_lock lock;
      struct task_struct __attribute__((btf_type_tag("kptr"))) *task;
    };
    struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 1); __type(key, int);
      __type(value, struct value); } values SEC(".maps");
    SEC("xdp") int looks_up(void *ctx) { int key = 0; return bpf_map_lookup_elem(&values, &key) ? 1 : 2; }
    char _license[] SEC("license") = "GPL";`;
  const storage = `
    struct { __uint(type, BPF_MAP_TYPE_SK_STORAGE); __uint(map_flags, BPF_F_NO_PREALLOC);
      __type(key, int); __type(value, int); } storage SEC(".maps");
    SEC("cgroup_skb/egress") int stores(struct __sk_buff *packet) {
      return packet->sk && bpf_sk_storage_get(&storage, packet->sk, 0, 0); }`;
  const without = compiler.source('without', lockAndPointer);
  const needing = compiler.source('needing', lockAndPointer + storage);
  const warning = (name: string): string =>
    `Cannot load the BTF of ${name}: the kernel refuses it: EINVAL (invalid argument), and says no more; loaded without it`;

  const json = await runHosted(['verify', '--json', without, needing]);
  t.match(programsOf(json), { looks_up: { verdict: 'accepted', warnings: [warning('without')] } });
  t.match(programsOf(json, 1), { stores: { verdict: 'refused', errno: 22, warnings: [warning('needing')] } });
  const text = await runHosted(['verify', without]);
  t.match(text.stdout, `  note: ${warning('without')}\n`);
  const load = await runHosted(['load', needing, '--prog', 'looks_up', '--iface', 'lo']);
  t.match(load.stderr, `note: ${warning('needing')}\n`);
  const error = thrown(() => Collection.load(ObjectFile.open(needing)));
  t.match(error, { code: 'SYSCALL_FAILED', warnings: [warning('needing')] });
});

t.test('nothing stays loaded', async (t) => {
  const before = new Set(listed().map(({ id }) => id));
  const names = new Set(['static_functions', 'global_functio', 'callbacks', 'each_element', 'good', 'bad']);
  const left = (): ListedProgram[] =>
    listed().filter(({ id, name }) => !before.has(id) && name !== undefined && names.has(name.slice(0, 14)));
  await runHosted(['verify', good, mixed]);
  // Freed after a grace period of RCU.
  for (let attempt = 0; attempt < 40 && left().length > 0; attempt++) await pause(50);
  t.same(left(), []);
});
