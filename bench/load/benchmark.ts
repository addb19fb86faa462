import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildBpf } from '../compile-bpf.ts';
import { compileWithLibbpf } from '../compile-c.ts';
import { projectRoot } from '../project-root.ts';
import type { BenchmarkReport, BenchmarkResult } from '../report.ts';
import { median, round } from '../statistics.ts';

/** Where the conformance run leaves the kernel's own test programs and the libbpf it compares with. */
const CACHE = join(homedir(), '.cache/ts-xdp-conformance');
const OBJECTS = ['test_core_reloc_kernel', 'bpf_cubic', 'xdp_synproxy_kern', 'pyperf600'];
const FIXTURES = ['bench/load/core.bpf.c', 'bench/load/unrolled.bpf.c'];

interface Iteration {
  /** Nanoseconds outside of bpf(2), by the clock. */
  readonly wall: number;
  /** The same of processor time, all threads together. */
  readonly cpu: number;
  /** Nanoseconds within bpf(2), by the clock. */
  readonly kernel: number;
  /** KiB above what the process began with. */
  readonly memory: number;
}

interface Side {
  readonly command: readonly string[];
  /** Iterations behind the first. */
  readonly warm: number;
  readonly first: Iteration[];
  readonly later: Iteration[];
  /** Why it could not be measured. */
  failed?: string;
}

/**
 * The kernel's BTF read and one type looked up, and objects from their file into the kernel; ours against libbpf in C, in
 * alternating fresh processes. Compared is each side's own part, all that is not spent within bpf(2), in processor time,
 * which a busy machine does not stretch; that by the clock is reported beside it.
 */
export async function benchLoad({
  runs = 9,
  warm = 4,
  objects = join(CACHE, '6.12/objects'),
}: {
  runs?: number | undefined;
  /** Iterations in each process after the first one, which is what a command sees. */
  warm?: number;
  objects?: string | undefined;
}): Promise<BenchmarkReport> {
  const root = projectRoot();
  const libbpf = join(CACHE, 'libbpf/usr');
  const peer = compileWithLibbpf(
    root,
    'bench/load/libbpf-load.c',
    existsSync(libbpf) ? { prefix: libbpf } : {},
  );
  if (peer.path === undefined) console.error(`nothing to compare with: ${peer.missing ?? ''}`);
  const built = join(root, 'build/bench/load');
  const joined = await joinOurs(root, built);
  const cases: (string | undefined)[] = [undefined, ...objectsOf(root, objects)];
  const results = cases.flatMap((object) => {
    const ours = measured([process.execPath, join(built, 'our-load.js')], { warm });
    // A name of its own for each, as what is kept is what the first run needed.
    const own = join(built, `load-${object === undefined ? 'kernel' : basename(object, '.bpf.o')}.cjs`);
    copyFileSync(joined, own);
    const kept = measured([process.execPath, join(built, 'kept-load.js'), own], { warm: 0 });
    const theirs = peer.path === undefined ? undefined : measured([peer.path], { warm });
    const sides = { ours, kept, theirs };
    for (let run = 0; run <= runs; run++)
      for (const side of Object.values(sides)) if (side) runOnce(side, { object, counted: run > 0 });
    return report(object, { ...sides, runs });
  });
  return { benchmark: 'load', results };
}

function measured(command: readonly string[], { warm }: { warm: number }): Side {
  return { command, warm, first: [], later: [] };
}

/** Our side in one file, as scripts/join-modules.mjs makes `load`. */
async function joinOurs(root: string, built: string): Promise<string> {
  const script = pathToFileURL(join(root, 'scripts/join-modules.mjs')).href;
  const { writeCommonJs } = (await import(script)) as {
    writeCommonJs(files: { entryPoint: string; outfile: string }): Promise<void>;
  };
  const outfile = join(built, 'our-load.cjs');
  await writeCommonJs({ entryPoint: join(built, 'our-load.js'), outfile });
  return outfile;
}

/** The kernel's test programs where they are, and our own otherwise. */
function objectsOf(root: string, folder: string): string[] {
  const found = OBJECTS.map((name) => join(folder, `${name}.bpf.o`)).filter((path) => existsSync(path));
  if (found.length > 0) return found;
  console.error(`there are no objects in ${folder}; objects of our own stand in`);
  return FIXTURES.map((source) => buildBpf(root, source));
}

function runOnce(side: Side, { object, counted }: { object: string | undefined; counted: boolean }): void {
  if (side.failed !== undefined) return;
  const [command = '', ...args] = [
    ...side.command,
    String(1 + side.warm),
    ...(object === undefined ? [] : [object]),
  ];
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) {
    side.failed = stderr.trim().split('\n').at(0) ?? 'it failed';
    console.error(`${basename(command)} ${object ?? ''}: ${stderr.trim().slice(0, 600)}`);
    return;
  }
  // The first process fills the page cache, and leaves the code that is kept.
  if (!counted) return;
  const [first, ...later] = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Iteration);
  if (first) side.first.push(first);
  side.later.push(...later);
}

function report(
  object: string | undefined,
  { ours, kept, theirs, runs }: { ours: Side; kept: Side; theirs: Side | undefined; runs: number },
): BenchmarkResult[] {
  if (ours.failed !== undefined) return [];
  const name = object === undefined ? 'kernel BTF and one lookup' : basename(object, '.bpf.o');
  const their = theirs?.failed === undefined ? theirs : undefined;
  const rows = [
    { what: 'first in a process', own: ours.first, other: their?.first },
    { what: 'first, its code kept', own: kept.first, other: their?.first },
    { what: 'warm', own: ours.later, other: their?.later },
  ];
  return rows
    .filter(({ own }) => own.length > 0)
    .map(({ what, own, other }) => ({ ...compared(own, other), what: `${name}, ${what}`, runs }));
}

function compared(own: Iteration[], other: Iteration[] | undefined): BenchmarkResult {
  const [mine, their] = [middle(own, 'cpu'), other && middle(other, 'cpu')];
  return {
    peer: 'libbpf',
    unit: 'ms of CPU outside of bpf(2)',
    what: '',
    ours: round(mine, 2),
    theirs: their === undefined ? null : round(their, 2),
    ratio: their === undefined ? null : round(mine / their, 3),
    wall: round(middle(own, 'wall'), 2),
    their_wall: other ? round(middle(other, 'wall'), 2) : null,
    in_kernel: round(middle(own, 'kernel'), 2),
    their_in_kernel: other ? round(middle(other, 'kernel'), 2) : null,
    memory_mb: round(median(own.map(({ memory }) => memory)) / 1024, 1),
    their_memory_mb: other ? round(median(other.map(({ memory }) => memory)) / 1024, 1) : null,
  };
}

/** Milliseconds. */
function middle(iterations: readonly Iteration[], what: 'wall' | 'cpu' | 'kernel'): number {
  return median(iterations.map((iteration) => iteration[what])) / 1e6;
}
