/** The lower bound of the kernels that can run an object: every kind of reason, and none where there is a choice. */
import t from 'tap';
import { encodeInstructions } from '../../src/asm/index.ts';
import type { Instruction } from '../../src/asm/index.ts';
import { ObjectFile } from '../../src/elf/index.ts';
import { neededKernel } from '../../src/loader/index.ts';
import type { NeededKernel } from '../../src/loader/index.ts';
import { findDominators } from '../../src/loader/needed-kernel/dominators.ts';
import { InstructionNeeds } from '../../src/loader/needed-kernel/instruction-needs.ts';
import { compareVersions } from '../../src/loader/needed-kernel/need.ts';
import { Compiler, whyNotCompile } from '../helpers/compile.ts';
import { randomNumbers } from '../helpers/random-numbers.ts';
import { snifferObject } from '../helpers/sniffer-events.ts';

const compiler = new Compiler();
t.teardown(() => {
  compiler.close();
});

const preamble = `
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>
char _license[] SEC("license") = "GPL";
`;

function needsOf(name: string, source: string): NeededKernel {
  return neededKernel(ObjectFile.open(compiler.source(name, preamble + source)));
}

/** As `5.8 map events is of type ringbuf`. */
function lines(needs: NeededKernel['because']): string[] {
  return needs.map(({ since, reason }) => `${since} ${reason}`);
}

/** Sources, the version that they need, and why: the newest reasons, in any order. */
const cases: readonly [name: string, source: string, atLeast: string, why: readonly string[]][] = [
  ['a type of programs', `SEC("xdp") int p(void *c) { return 2; }`, '4.8', ['program p is of type xdp']],
  [
    'an attach type',
    `SEC("sk_lookup") int p(void *c) { return 1; }
     SEC("cgroup/connect_unix") int q(void *c) { return 1; }`,
    '6.7',
    ['program q attaches as cgroup_unix_connect'],
  ],
  [
    'probes of several functions',
    `SEC("kprobe.multi/vfs_*") int p(void *c) { return 0; }`,
    '5.18',
    ['program p attaches as trace_kprobe_multi'],
  ],
  [
    'packets of several buffers',
    `SEC("xdp.frags") int p(void *c) { return 2; }`,
    '5.18',
    ['program p takes packets of several buffers (xdp.frags)'],
  ],
  ['sleeping', `SEC("lsm.s/bpf") int p(void *c) { return 0; }`, '5.10', ['program p may sleep']],
  ['sleeping in a uprobe', `SEC("uprobe.s") int p(void *c) { return 0; }`, '6.0', ['program p may sleep']],
  [
    'an iterator',
    `SEC("iter/task") int p(void *c) { return 0; }`,
    '5.8',
    ['program p attaches as trace_iter'],
  ],
  [
    'a type of maps',
    `struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 4096); } events SEC(".maps");`,
    '5.8',
    ['map events is of type ringbuf'],
  ],
  [
    'a flag of maps',
    `struct { __uint(type, BPF_MAP_TYPE_ARRAY); __type(key, __u32); __type(value, __u32); __uint(max_entries, 1);
       __uint(map_flags, BPF_F_MMAPABLE); } values SEC(".maps");`,
    '5.5',
    ['map values is mapped into memory'],
  ],
  [
    'an inner map',
    `struct inner { __uint(type, BPF_MAP_TYPE_BLOOM_FILTER); __type(value, __u32); __uint(max_entries, 1); };
     struct { __uint(type, BPF_MAP_TYPE_HASH_OF_MAPS); __type(key, __u32); __uint(max_entries, 1);
       __array(values, struct inner); } outer SEC(".maps");`,
    '5.16',
    ['map outer.inner is of type bloom_filter'],
  ],
  [
    'a lock in a value',
    `struct value { struct bpf_spin_lock lock; int count; };
     struct { __uint(type, BPF_MAP_TYPE_HASH); __type(key, __u32); __type(value, struct value);
       __uint(max_entries, 1); } values SEC(".maps");`,
    '5.1',
    ['map values has a bpf_spin_lock in its values'],
  ],
  [
    'a timer in a value',
    `struct inner { struct bpf_timer timer; };
     struct value { struct inner timer; };
     struct { __uint(type, BPF_MAP_TYPE_HASH); __type(key, __u32); __type(value, struct value);
       __uint(max_entries, 1); } values SEC(".maps");`,
    '5.15',
    ['map values has a bpf_timer in its values'],
  ],
  [
    'a global variable, which is mapped into memory',
    `int count; SEC("socket") int p(void *c) { return ++count; }`,
    '5.5',
    ['map .bss is mapped into memory'],
  ],
  [
    'a helper',
    `SEC("socket") int p(void *c) { return bpf_ktime_get_tai_ns(); }`,
    '6.1',
    ['program p calls bpf_ktime_get_tai_ns()'],
  ],
  [
    'a function of its own, and a helper in it',
    `static __attribute__((noinline)) __u64 f(void) { return bpf_ktime_get_boot_ns(); }
     SEC("socket") int p(void *c) { return f(); }`,
    '5.8',
    ['program p calls bpf_ktime_get_boot_ns()'],
  ],
  [
    'a callback',
    `static int step(__u32 index, void *c) { return 0; }
     SEC("socket") int p(void *c) { bpf_loop(3, step, 0, 0); return 0; }`,
    '5.17',
    ['program p calls bpf_loop()'],
  ],
  [
    'a kernel function',
    `extern void bpf_rcu_read_lock(void) __ksym; extern void bpf_rcu_read_unlock(void) __ksym;
     SEC("socket") int p(void *c) { bpf_rcu_read_lock(); bpf_rcu_read_unlock(); return 0; }`,
    '5.13',
    [
      'program p calls the kernel function bpf_rcu_read_lock()',
      'program p calls the kernel function bpf_rcu_read_unlock()',
    ],
  ],
  [
    'a kernel variable',
    `extern const int bpf_prog_active __ksym;
     SEC("raw_tp/sys_enter") int p(void *c) { int *here = bpf_this_cpu_ptr(&bpf_prog_active); return *here; }`,
    '5.10',
    ['program p calls bpf_this_cpu_ptr()', 'program p reads the kernel variable bpf_prog_active'],
  ],
  [
    'a loop',
    `SEC("socket") int p(struct __sk_buff *c) { int sum = 0;
       _Pragma("clang loop unroll(disable) vectorize(disable)")
       for (__u32 i = 0; i < 10; i++) sum += c->cb[i & 3] ^ i; return sum; }`,
    '5.3',
    ['program p has a loop'],
  ],
];

t.test('every kind of need is found, with its reason', { skip: whyNotCompile() }, (t) => {
  for (const [name, source, atLeast, why] of cases) {
    const needed = needsOf(`need-${name.replaceAll(/\W/g, '-')}`, source);
    t.equal(needed.atLeast, atLeast, name);
    const newest = needed.because.filter(({ since }) => since === atLeast).map(({ reason }) => reason);
    t.strictSame([...newest].sort(), [...why].sort(), `${name}: why`);
    const versions = needed.because.map(({ since }) => since);
    t.strictSame(
      versions,
      [...versions].sort((a, b) => compareVersions(b, a)),
      `${name}: the newest first`,
    );
  }
  t.end();
});

t.test('a callback needs 5.13, whoever calls it', { skip: whyNotCompile() }, (t) => {
  const { because } = neededKernel(ObjectFile.open(compiler.fixture('calls')));
  t.ok(lines(because).includes('5.13 program each_element gives functions as callbacks'));
  t.ok(lines(because).some((line) => /^4\.16 program \w+ calls functions of its own$/.test(line)));
  t.end();
});

t.test('kernel functions carry no promise', { skip: whyNotCompile() }, (t) => {
  const source = `
    extern void bpf_rcu_read_lock(void) __ksym; extern void bpf_rcu_read_unlock(void) __ksym __weak;
    SEC("socket") int p(void *c) { bpf_rcu_read_lock(); if (bpf_rcu_read_unlock) bpf_rcu_read_unlock(); return 0; }`;
  const { kernelFunctions, because } = needsOf('promises', source);
  t.strictSame(kernelFunctions, ['bpf_rcu_read_lock', 'bpf_rcu_read_unlock']);
  t.notOk(
    lines(because).some((line) => line.includes('bpf_rcu_read_unlock')),
    'a weak one is no need',
  );
  t.end();
});

t.test('what a setting can rule out is no need', { skip: whyNotCompile() }, (t) => {
  const chosen = (name: string, source: string): string[] => {
    const { atLeast, ifChosen } = needsOf(name, source);
    t.notOk(atLeast === '6.1', `${name}: older kernels can run it`);
    return lines(ifChosen);
  };
  const expected = ['6.1 program p calls bpf_ktime_get_tai_ns()'];
  t.strictSame(
    chosen(
      'read-only data',
      `const volatile int tai; SEC("socket") int p(void *c) { return tai ? bpf_ktime_get_tai_ns() : 0; }`,
    ),
    expected,
  );
  t.strictSame(
    chosen(
      'a value kept on the stack',
      `const volatile int tai;
       SEC("socket") int p(void *c) {
         int wanted = tai; long sum = bpf_get_prandom_u32() + bpf_ktime_get_ns() + bpf_get_smp_processor_id();
         if (wanted > 3) sum += bpf_ktime_get_tai_ns();
         return sum; }`,
    ),
    expected,
  );
  t.strictSame(
    chosen(
      'a setting of the kernel',
      `extern int LINUX_KERNEL_VERSION __kconfig;
       SEC("socket") int p(void *c) {
         return LINUX_KERNEL_VERSION >= KERNEL_VERSION(6, 1, 0) ? bpf_ktime_get_tai_ns() : 0; }`,
    ),
    expected,
  );
  t.strictSame(
    chosen(
      'a field of the kernel',
      `struct task_struct { int bpf_ctx; } __attribute__((preserve_access_index));
       SEC("raw_tp/sys_enter") int p(void *c) {
         struct task_struct *task = (void *)bpf_get_current_task();
         return bpf_core_field_exists(task->bpf_ctx) ? bpf_ktime_get_tai_ns() : 0; }`,
    ),
    expected,
  );
  t.strictSame(
    chosen(
      'a function of the program',
      `const volatile int tai;
       static __attribute__((noinline)) __u64 now(void) { return bpf_ktime_get_tai_ns(); }
       SEC("socket") int p(void *c) { return tai ? now() : 0; }`,
    ),
    expected,
  );
  const writable = needsOf(
    'writable',
    `int tai; SEC("socket") int p(void *c) { return tai ? bpf_ktime_get_tai_ns() : 0; }`,
  );
  t.equal(writable.atLeast, '6.1', 'a variable that changes rules nothing out');
  const both = needsOf(
    'both',
    `const volatile int tai;
     SEC("socket") int p(void *c) { if (tai) return bpf_ktime_get_tai_ns() + 1; return bpf_ktime_get_tai_ns(); }`,
  );
  t.equal(both.atLeast, '6.1', 'nor does one that leads to it either way');
  const many = needsOf(
    'many',
    `const volatile int tai;
     #define TWICE(x) x x
     #define OFTEN(x) TWICE(TWICE(TWICE(TWICE(TWICE(TWICE(x))))))
     SEC("socket") int p(void *c) {
       OFTEN(OFTEN(if (tai == __COUNTER__) bpf_get_prandom_u32();))
       return bpf_ktime_get_tai_ns(); }`,
  );
  t.equal(many.atLeast, '6.1', 'nor do 4096 that lead to it whatever they decide');
  t.end();
});

t.test('what is not loaded unless asked for is no need', { skip: whyNotCompile() }, (t) => {
  const source = `SEC("?sk_lookup") int p(void *c) { return 1; } SEC("xdp") int q(void *c) { return 2; }`;
  const object = ObjectFile.open(compiler.source('optional', preamble + source));
  t.equal(neededKernel(object).atLeast, '4.8');
  object.program('p').autoload = true;
  t.equal(neededKernel(object).atLeast, '5.9');
  t.end();
});

t.test('the shipped sniffer', (t) => {
  const { atLeast, ifChosen, replaced } = neededKernel(ObjectFile.open(snifferObject));
  t.equal(atLeast, '5.8');
  t.ok(lines(ifChosen).includes('5.18 program xdp_sniffer_enhanced calls bpf_xdp_load_bytes()'));
  t.ok(
    lines(replaced).includes(
      '5.9 XDP is attached by a bpf_link; before, by netlink, which outlives the process',
    ),
  );
  t.end();
});

t.test('instructions', (t) => {
  const exit = { opcode: 0x95 };
  const zero = { opcode: 0xb7 };
  const samples: readonly [name: string, instructions: Partial<Instruction>[], since: string | undefined][] =
    [
      ['moves and exits', [zero, exit], undefined],
      ['jumps that are as old as eBPF', [zero, { opcode: 0x25, offset: 0 }, exit], undefined],
      ['addition in memory', [zero, { opcode: 0xdb, destination: 10, offset: -8 }, exit], undefined],
      ['"less than"', [zero, { opcode: 0xa5, offset: 0 }, exit], '4.14'],
      ['32-bit jumps', [zero, { opcode: 0x26, offset: 0 }, exit], '5.1'],
      [
        'addition that tells what was there',
        [{ opcode: 0xdb, destination: 10, immediate: 0x01 }, exit],
        '5.12',
      ],
      ['compare and exchange', [{ opcode: 0xdb, destination: 10, immediate: 0xf1 }, exit], '5.12'],
      ['acquiring loads', [{ opcode: 0xdb, destination: 1, immediate: 0x100 }, exit], '6.15'],
      ['signed loads', [{ opcode: 0x91, source: 1 }, exit], '6.6'],
      ['signed moves', [{ opcode: 0xbf, offset: 8 }, exit], '6.6'],
      ['signed division', [{ opcode: 0x37, offset: 1, immediate: 3 }, exit], '6.6'],
      ['byte swaps', [{ opcode: 0xd7, immediate: 16 }, exit], '6.6'],
      ['jumps far away', [{ opcode: 0x06, immediate: 0 }, exit], '6.6'],
      ['may_goto', [zero, { opcode: 0xe5, offset: 0 }, exit], '6.9'],
      ['addresses of an arena', [{ opcode: 0xbf, offset: 1, immediate: 1 }, exit], '6.9'],
      ['jumps by a table', [{ opcode: 0x0d }, exit], '6.19'],
      ['a loop', [zero, { opcode: 0x55, offset: -1 }, exit], '5.3'],
      [
        'blocks that lie backwards',
        [{ opcode: 0x05, offset: 1 }, exit, zero, { opcode: 0x05, offset: -3 }],
        undefined,
      ],
      ['more than 4096', [...Array.from({ length: 4096 }, () => zero), exit], '5.2'],
      [
        'a 64-bit constant that looks like something else',
        [{ opcode: 0x18 }, { opcode: 0xa5 }, exit],
        undefined,
      ],
    ];
  for (const [name, instructions, since] of samples) {
    const fn = {
      name: 'p',
      section: 'socket',
      sectionIndex: 1,
      offset: 0,
      instructions: encodeInstructions(instructions),
      relocations: [],
    };
    const needs = new InstructionNeeds(true).of('p', [fn]);
    t.strictSame(
      needs.map((need) => need.since),
      since === undefined ? [] : [since],
      name,
    );
  }
  t.end();
});

t.test('an object whose instructions jump out of their function', { skip: whyNotCompile() }, (t) => {
  for (const offset of [-0x8000, -16, 0x7fff]) {
    const object = ObjectFile.open(
      compiler.source('jump', `${preamble} SEC("xdp") int p(void *c) { return bpf_get_prandom_u32(); }`),
    );
    const instructions = encodeInstructions([
      { opcode: 0x15, offset },
      { opcode: 0x05, offset },
    ]);
    object.program('p').instructions.set(instructions);
    t.equal(neededKernel(object).atLeast, '4.8', String(offset));
  }
  t.end();
});

t.test('dominators are what cannot be left out on the way to a node', (t) => {
  const random = randomNumbers(7);
  for (let round = 0; round < 200; round++) {
    const nodes = 1 + random(12);
    const edges = Array.from({ length: nodes }, () => Array.from({ length: random(4) }, () => random(nodes)));
    const reached = (without?: number): Set<number> => {
      const seen = new Set(without === 0 ? [] : [0]);
      for (const node of seen) for (const next of edges[node] ?? []) if (next !== without) seen.add(next);
      return seen;
    };
    const { order, immediate } = findDominators({ nodes, successors: (node) => edges[node] ?? [] });
    const chain = (node: number): number[] => {
      const above = immediate[node] ?? 0;
      return node === 0 ? [0] : [node, ...chain(above)];
    };
    const sorted = (numbers: Iterable<number>): number[] => [...numbers].sort((a, b) => a - b);
    const wanted = [...reached()].map((node) => order.filter((one) => !reached(one).has(node)));
    t.strictSame(
      [sorted(order), ...[...reached()].map((node) => sorted(chain(node)))],
      [sorted(reached()), ...wanted.map(sorted)],
      JSON.stringify(edges),
    );
  }
  t.end();
});

t.test('types of maps that are called like what every object inherits', { skip: whyNotCompile() }, (t) => {
  const { atLeast } = needsOf(
    'inherited',
    `struct constructor { int x; };
     struct value { struct constructor one; int __attribute__((btf_type_tag("valueOf"))) *two; };
     struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 1); __type(key, int); __type(value, struct value); } m SEC(".maps");
     SEC("xdp") int p(void *c) { int k = 0; return !!bpf_map_lookup_elem(&m, &k); }`,
  );
  t.match(atLeast, /^\d+\.\d+$/);
  t.end();
});
