/** The pure parts of XDP dispatchers, and the shipped objects against libxdp's own and against their source. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { compileBpf, compilerVersion, hashSources, type BuildRecord } from '../../scripts/build-bpf.ts';
import {
  decodeConfiguration,
  encodeConfiguration,
  inRunOrder,
  readRunConfig,
  type Ranked,
} from '../../src/dispatcher/index.ts';
import { ObjectFile } from '../../src/elf/index.ts';
import { Compiler, whyNotCompile } from '../helpers/compile.ts';
import { projectRoot as root } from '../helpers/project-root.ts';
import { thrown } from '../helpers/thrown.ts';

const LIBXDP = '/usr/lib/x86_64-linux-gnu/bpf/xdp-dispatcher.o';
const NAMES = ['xdp-dispatcher', 'xdp-dispatcher-v1'];
const objectOf = (name: string): string => join(root, `bpf/${name}.bpf.o`);
const recordOf = (name: string): BuildRecord =>
  JSON.parse(readFileSync(`${objectOf(name)}.json`, 'utf8')) as BuildRecord;
const run = (command: string, args: readonly string[]): string =>
  execFileSync(command, args, { encoding: 'utf8' });

/** What the compiled config struct and the functions look like, without the ids that a compiler gives. */
function shape(path: string): string[] {
  const lines = run('bpftool', ['btf', 'dump', 'file', path]).split('\n');
  const start = lines.findIndex((line) => line.includes("STRUCT 'xdp_dispatcher_config'"));
  const members = lines.slice(start + 1).findIndex((line) => !line.startsWith('\t'));
  return [
    ...lines.slice(start, start + 1 + members),
    ...lines.filter((line) =>
      /\] (FUNC '(prog|compat_test|xdp_dispatcher)|VAR 'dispatcher_version|DATASEC)/.test(line),
    ),
  ].map((line) => line.replace(/^\[\d+\] /, '').replace(/ ?type_id=\d+ ?/, ' '));
}

function clangHere(): string | false {
  try {
    const [here, there] = [compilerVersion(), recordOf('xdp-dispatcher').compiler];
    return here === there ? false : `built by ${there}, here is ${here}`;
  } catch (error) {
    return `no clang: ${String(error)}`;
  }
}

t.test(
  'the dispatcher has the functions, variables and configuration of libxdp',
  {
    skip: !existsSync(LIBXDP) && 'libxdp is not installed',
  },
  (t) => {
    const [own, theirs] = [shape(objectOf('xdp-dispatcher')), shape(LIBXDP)];
    t.ok(theirs.length > 20, 'there is something to compare');
    t.same(own, theirs);
    t.end();
  },
);

for (const name of NAMES) {
  t.test(`${name} is what its source says`, { skip: clangHere() }, (t) => {
    t.equal(recordOf(name).sourceSha256, hashSources(`bpf/${name}.bpf.c`, root));
    const folder = mkdtempSync(join(tmpdir(), 'ts-xdp-bpf-'));
    t.teardown(() => {
      rmSync(folder, { recursive: true });
    });
    const again = join(folder, `${name}.bpf.o`);
    compileBpf(`bpf/${name}.bpf.c`, { output: again, root });
    const instructions = (path: string): string[] =>
      run('llvm-objdump', ['-d', '-r', path]).split('\n').slice(2);
    t.same(instructions(objectOf(name)), instructions(again));
    t.end();
  });
}

t.test('a configuration is what C lays out', (t) => {
  const slots = [
    { priority: 10, chainCallActions: 0b110, frags: true },
    { priority: 0xffff_ffff, chainCallActions: 0, frags: false },
  ];
  const two = encodeConfiguration({ version: 2, frags: false, slots });
  t.equal(two.length, 124);
  t.same([...two.subarray(0, 4)], [236, 2, 2, 0]);
  const words = (bytes: Uint8Array): number[] => [...new Uint32Array(bytes.slice().buffer)];
  t.same(words(two).slice(1, 4), [0x8000_0006, 0x8000_0000, 0], 'an empty slot always lets the next one run');
  t.same(words(two).slice(11, 14), [10, 0xffff_ffff, 0]);
  t.same(words(two).slice(21, 24), [32, 0, 0], 'BPF_F_XDP_HAS_FRAGS');
  t.same(decodeConfiguration(two), { version: 2, frags: false, slots });
  const one = encodeConfiguration({ version: 1, frags: true, slots });
  t.equal(one.length, 84);
  t.same(words(one).slice(0, 3), [2, 0x8000_0006, 0x8000_0000]);
  const plain = slots.map((slot) => ({ ...slot, frags: false }));
  t.same(decodeConfiguration(one), { version: 1, frags: false, slots: plain }, 'version 1 knows no frags');
  t.end();
});

t.test('what is no configuration that is known', (t) => {
  const two = encodeConfiguration({ version: 2, frags: true, slots: [] });
  t.equal(decodeConfiguration(two.subarray(0, 120)), undefined);
  t.equal(decodeConfiguration(new Uint8Array(0)), undefined);
  t.same(decodeConfiguration(Uint8Array.of(236, 3, 1, 0)), { unknownVersion: 3 });
  const overfull = encodeConfiguration({ version: 1, frags: false, slots: [] });
  overfull[0] = 11;
  const decoded = decodeConfiguration(overfull);
  t.equal(decoded && 'slots' in decoded && decoded.slots.length, 10, 'never more than there are slots');
  t.end();
});

t.test('run order: priority, name, installed before new, tag, time of loading', (t) => {
  const one: Ranked = { settings: { priority: 50 }, name: 'b', installed: false, tag: 'bb', loadTime: 5n };
  const sorted = [
    { ...one, settings: { priority: 9 }, name: 'z' },
    { ...one, name: 'a' },
    { ...one, installed: true },
    { ...one, tag: 'aa' },
    { ...one, loadTime: 4n },
    one,
    { ...one, settings: { priority: 100 }, name: 'a' },
  ];
  t.same(inRunOrder(sorted.toReversed()), sorted);
  t.same(inRunOrder([one, one]), [one, one]);
  t.end();
});

t.test('run configurations', { skip: whyNotCompile() }, (t) => {
  const compiler = new Compiler();
  t.teardown(() => {
    compiler.close();
  });
  const object = ObjectFile.open(compiler.fixture('dispatched'));
  for (const [name, priority, chainCallActions, frags] of [
    ['late', 70, 0b100, true],
    ['early_and_with_a_long_name', 10, 0b110, true],
    ['final', 60, 0b1000, false],
    ['plain', 50, 0b100, false],
  ] as const) {
    t.same(readRunConfig(object, name), { priority, chainCallActions, frags }, name);
  }
  const text = (member: string): string => `#include <linux/bpf.h>
    #include <bpf/bpf_helpers.h>
    struct { ${member} } _one SEC(".xdp_run_config");
    SEC("xdp") int one(struct xdp_md *ctx) { return 0; }`;
  const refused = (member: string, name: string): string =>
    thrown(() => readRunConfig(ObjectFile.open(compiler.source(name, text(member))), 'one')).message;
  const begin = 'Cannot read the run configuration of one: ';
  t.equal(refused('__uint(XDP_MAYBE, 1);', 'a'), `${begin}it has a member XDP_MAYBE of unknown meaning`);
  t.equal(refused('int priority;', 'b'), `${begin}its priority is not written with __uint`);
  t.end();
});
