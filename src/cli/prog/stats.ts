import {
  enableStatistics,
  listPrograms,
  openPrograms,
  readProgramFacts,
  type ProgramFacts,
  type Selector,
} from '../../inspect/index.ts';
import { programTypeName } from '../../programs/index.ts';
import { systemKernel, type Kernel } from '../../sys/index.ts';
import { ExitCode } from '../exit-code.ts';
import { interruption } from '../interruption.ts';
import type { Output } from '../output/output.ts';
import { Words } from '../words.ts';
import { typeDocument } from './describe.ts';

const COLUMNS = [8, 20, 32, 12, 16] as const;

/** Counts the runs of programs and their time for a while, and prints what came of it. */
export async function runProgStats(
  given: readonly string[],
  { duration }: { duration?: number },
  output: Output,
): Promise<number> {
  const words = new Words(given, 'prog stats');
  const selector = words.takeSelectorIfAny();
  words.end();
  const kernel = systemKernel();
  using counting = enableStatistics(kernel);
  const before = new Map(read(kernel, selector).map((facts) => [facts.id, facts]));
  if (duration === undefined) output.note('note: counting until a signal');
  await interruption({ duration });
  const counted = read(kernel, selector).map((facts) => difference(facts, before.get(facts.id)));
  counting.close();
  output.result(counted.map(document), [headingText(), ...counted.map(lineText)].join('\n'));
  await output.flush();
  return ExitCode.Done;
}

function read(kernel: Kernel, selector: Selector | undefined): ProgramFacts[] {
  if (selector === undefined) return listPrograms(kernel);
  const programs = openPrograms(kernel, selector);
  try {
    return programs.map(({ fd }) => readProgramFacts(kernel, fd));
  } finally {
    for (const program of programs) program.close();
  }
}

interface Counted {
  readonly facts: ProgramFacts;
  readonly runs: bigint;
  /** Nanoseconds. */
  readonly time: bigint;
}

/** The kernel counts on from what it had. */
function difference(facts: ProgramFacts, before: ProgramFacts | undefined): Counted {
  return {
    facts,
    runs: facts.runCount - (before?.runCount ?? 0n),
    time: facts.runTime - (before?.runTime ?? 0n),
  };
}

function average({ runs, time }: Counted): bigint | undefined {
  return runs === 0n ? undefined : time / runs;
}

function document(counted: Counted): {
  id: number;
  type: string | number;
  name: string;
  run_cnt: bigint;
  run_time_ns: bigint;
  average_ns: bigint | null;
} {
  const { facts, runs, time } = counted;
  const { id, type, name } = facts;
  return {
    id,
    type: typeDocument(type),
    name,
    run_cnt: runs,
    run_time_ns: time,
    average_ns: average(counted) ?? null,
  };
}

function headingText(): string {
  return row(['id', 'type', 'name', 'runs', 'time ns'], 'average ns');
}

function lineText(counted: Counted): string {
  const { facts, runs, time } = counted;
  const shown = [String(facts.id), programTypeName(facts.type), facts.name, String(runs), String(time)];
  return row(shown, String(average(counted) ?? '-'));
}

function row(cells: readonly string[], last: string): string {
  return `${cells.map((cell, index) => cell.padEnd(COLUMNS[index] ?? 0)).join(' ')} ${last}`;
}
