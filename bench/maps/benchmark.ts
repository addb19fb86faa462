import { join } from 'node:path';
import { buildBpf } from '../compile-bpf.ts';
import { compileWithLibbpf } from '../compile-c.ts';
import { projectRoot } from '../project-root.ts';
import type { BenchmarkReport, BenchmarkResult } from '../report.ts';
import { checkAnswers } from '../ring/check-answers.ts';
import { ReaderProcess, type ReaderAnswer } from '../ring/reader-process.ts';
import { median, round } from '../statistics.ts';

const ENTRIES = 100_000;
/** Of a counter, for each entry of the other operations. */
const LOOKS = 200;
const OURS = 'ours';
const LIBBPF = 'libbpf';

interface Operation {
  readonly name: string;
  readonly what: string;
  /** How often in a run. */
  readonly count: number;
}

const OPERATIONS = [
  { name: 'lookup', what: 'look up one entry, decoded' },
  { name: 'update', what: 'update one entry' },
  { name: 'delete', what: 'delete one entry' },
  { name: 'set', what: 'entries set by batches' },
  { name: 'iterate', what: 'entries read by batches, decoded' },
  { name: 'remove', what: 'entries deleted by batches' },
  { name: 'counter', what: 'read a counter in a mapped array' },
];

/**
 * Maps, ours against libbpf in C: each side is a process with maps of its own, made of the same object; the runs alternate,
 * the first of each is not counted. Processor time is compared, with that of the threads that collect garbage.
 */
export async function benchMaps({
  events: entries = ENTRIES,
  runs = 9,
}: {
  events?: number | undefined;
  runs?: number | undefined;
}): Promise<BenchmarkReport> {
  const root = projectRoot();
  const sides = startSides(root, entries);
  const operations = OPERATIONS.map((operation): Operation => ({
    ...operation,
    count: operation.name === 'counter' ? entries * LOOKS : entries,
  }));
  const times = new Map<string, number[]>();
  try {
    for (let run = 0; run <= runs; run++) {
      for (const operation of operations) {
        const answers = await perform(operation, sides);
        if (run > 0) note(times, operation, answers);
      }
    }
  } finally {
    for (const side of sides) await side.close();
  }
  return { benchmark: 'maps', results: operations.map((operation) => compare(operation, { times, runs })) };
}

async function perform(
  { name, count }: Operation,
  sides: readonly ReaderProcess[],
): Promise<Map<string, ReaderAnswer>> {
  const answers = new Map<string, ReaderAnswer>();
  for (const side of sides) answers.set(side.name, await side.ask(`${name} ${String(count)}`));
  checkAnswers(answers, count);
  return answers;
}

function note(
  times: Map<string, number[]>,
  { name, count }: Operation,
  answers: ReadonlyMap<string, ReaderAnswer>,
): void {
  for (const [side, { nanoseconds }] of answers) {
    const place = `${side} ${name}`;
    const known = times.get(place) ?? [];
    times.set(place, [...known, nanoseconds / count]);
  }
}

function startSides(root: string, entries: number): ReaderProcess[] {
  const object = buildBpf(root, 'bench/maps/maps.bpf.c');
  const script = join(root, 'build/bench/maps/our-maps.js');
  const ours = new ReaderProcess(OURS, [process.execPath, script, object, String(entries)]);
  const peer = compileWithLibbpf(root, 'bench/maps/libbpf-maps.c');
  if (peer.path !== undefined) return [ours, new ReaderProcess(LIBBPF, [peer.path, object, String(entries)])];
  console.error(`nothing to compare with: ${peer.missing ?? ''}`);
  return [ours];
}

function compare(
  { name, what, count }: Operation,
  { times, runs }: { times: ReadonlyMap<string, readonly number[]>; runs: number },
): BenchmarkResult {
  const ours = median(times.get(`${OURS} ${name}`) ?? []);
  const peer = times.get(`${LIBBPF} ${name}`);
  const theirs = peer && median(peer);
  return {
    peer: 'libbpf',
    unit: 'ns of CPU/entry',
    what,
    ours: round(ours, 2),
    theirs: theirs === undefined ? null : round(theirs, 2),
    ratio: theirs === undefined ? null : round(ours / theirs, 3),
    count,
    runs,
  };
}
