/**
 * Runs a range of inputs of one target: `worker JOB`, which is a JSON text. Which input is being run stands in the file
 * `progress` all the time, so that a process that hangs or dies has left behind what it was at. Prints a JSON line.
 */
import { openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { Dice, seedOf } from './dice.ts';
import { LIMITS } from './limits.ts';
import { Seeds, type SeedFiles } from './seeds.ts';
import type { FuzzTarget } from './target.ts';
import { targets } from './targets/index.ts';

export interface Job {
  readonly target: string;
  readonly seed: number;
  readonly from: number;
  readonly to: number;
  readonly seeds: SeedFiles;
  /** Inputs that something came of are written here. */
  readonly findings: string;
  readonly progress: string;
}

export interface Finding {
  readonly target: string;
  readonly index: number;
  readonly what: string;
  readonly file: string;
}

export interface JobResult {
  readonly outcomes: Readonly<Record<string, number>>;
  readonly slowest: { readonly index: number; readonly milliseconds: number };
  /** The most memory the process had above what it had before the first input. Bytes. */
  readonly growth: number;
  readonly findings: readonly Finding[];
}

/** Inputs between two looks at the memory, which take as long as a small input does. */
const MEMORY_STEP = 8;

/** A run with this many of them has seen enough. */
const MOST_FINDINGS = 50;

export function makeTarget({ target, seeds }: Pick<Job, 'target' | 'seeds'>): FuzzTarget {
  const entry = targets[target];
  if (!entry) throw new Error(`Cannot fuzz ${target}: there are ${Object.keys(targets).join(', ')}`);
  return entry.make(new Seeds(seeds));
}

/** The input of a number: the same in every run with that seed and those originals. */
export function mutantOf(target: FuzzTarget, { seed, index }: { seed: number; index: number }): Uint8Array {
  return target.mutant(new Dice(seedOf(seed, index)));
}

export function saveFinding(
  job: Pick<Job, 'target' | 'findings'>,
  { input, index, what }: { input: Uint8Array; index: number; what: string },
): Finding {
  const file = join(job.findings, `${job.target}-${String(index)}.bin`);
  writeFileSync(file, input);
  writeFileSync(`${file}.txt`, `${what}\n`);
  return { target: job.target, index, what, file };
}

const maxRss = (): number => process.resourceUsage().maxRSS * 1024;

export function runJob(job: Job): JobResult {
  const target = makeTarget(job);
  const outcomes: Record<string, number> = {};
  const findings: Finding[] = [];
  const slowest = { index: job.from, milliseconds: 0 };
  const progress = openSync(job.progress, 'w');
  const place = new Uint32Array(1);
  // Most inputs end in an error, and a trace of each would take longer than reading it.
  Error.stackTraceLimit = 4;
  mutantOf(target, { seed: job.seed, index: job.from });
  const before = maxRss();
  let growth = 0;
  for (let index = job.from; index < job.to && findings.length < MOST_FINDINGS; index++) {
    place[0] = index;
    writeSync(progress, place, 0, 4, 0);
    const input = mutantOf(target, { seed: job.seed, index });
    const report = (what: string): number => findings.push(saveFinding(job, { input, index, what }));
    try {
      const start = performance.now();
      const outcome = target.exercise(input);
      let milliseconds = performance.now() - start;
      // On a busy machine a process may well stand still for a while.
      if (milliseconds > LIMITS.time) milliseconds = Math.min(milliseconds, timeAgain(target, input));
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      if (milliseconds > slowest.milliseconds) Object.assign(slowest, { index, milliseconds });
      if (milliseconds > LIMITS.time) report(`it takes ${milliseconds.toFixed()} ms`);
    } catch (error) {
      report(error instanceof Error ? (error.stack ?? error.message) : String(error));
    }
    if (index % MEMORY_STEP !== 0) continue;
    const grown = maxRss() - before;
    if (grown > LIMITS.memory && growth <= LIMITS.memory)
      report(`it, or one of the ${String(MEMORY_STEP - 1)} before, takes ${String(grown >> 20)} MB`);
    growth = Math.max(growth, grown);
  }
  return { outcomes, slowest, growth, findings };
}

/** Milliseconds of processor time, which other processes have no part in. */
function timeAgain(target: FuzzTarget, input: Uint8Array): number {
  const start = process.cpuUsage();
  target.exercise(input);
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}
