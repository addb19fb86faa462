import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { LIMITS } from './limits.ts';
import { makeTarget, mutantOf, saveFinding, type Finding, type Job, type JobResult } from './worker.ts';

export interface RunOptions {
  /** What starts a worker: node's own options and the script. */
  readonly command: readonly string[];
  /** Inputs of one process. */
  readonly chunk: number;
  /**
   * Milliseconds on one input after which a process is ended.
   *
   * @default LIMITS.hang
   */
  readonly hang?: number;
  readonly environment?: Readonly<Record<string, string>>;
  /** Called after each process. */
  readonly onProgress?: (done: number) => void;
}

export interface TargetResult {
  readonly target: string;
  readonly inputs: number;
  /** Seconds. */
  readonly elapsed: number;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly slowest: { readonly index: number; readonly milliseconds: number };
  readonly growth: number;
  readonly findings: readonly Finding[];
}

/** Runs all inputs of a target, chunk by chunk, each in a process of its own with little heap and a watchdog. */
export async function runTarget(job: Job, options: RunOptions): Promise<TargetResult> {
  const start = performance.now();
  const results: JobResult[] = [];
  for (let from = job.from; from < job.to;) {
    const to = Math.min(job.to, from + options.chunk);
    const part = { ...job, from, to };
    const end = await runPart(part, options);
    if ('result' in end) {
      results.push(end.result);
      from = to;
    } else {
      results.push(failed(part, end));
      from = end.index + 1;
    }
    options.onProgress?.(from - job.from);
    if (results.flatMap(({ findings }) => findings).length > MOST_FINDINGS) break;
  }
  const elapsed = (performance.now() - start) / 1000;
  return { target: job.target, inputs: job.to - job.from, elapsed, ...combine(results) };
}

const MOST_FINDINGS = 50;

interface Failure {
  readonly index: number;
  readonly why: string;
}

async function runPart(job: Job, options: RunOptions): Promise<{ result: JobResult } | Failure> {
  const [command = '', ...args] = options.command;
  rmSync(job.progress, { force: true });
  const child = spawn(command, [...args, JSON.stringify(job)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...options.environment },
  });
  let [output, complaint] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text));
  const watched = { hung: false };
  const hang = options.hang ?? LIMITS.hang;
  const watchdog = watch(job.progress, {
    hang,
    onHang() {
      watched.hung = true;
      child.kill('SIGKILL');
    },
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  clearInterval(watchdog);
  if (code === 0) return { result: JSON.parse(output) as JobResult };
  const why = watched.hung ? `it hangs for ${hang} ms` : `its process ends with ${String(code ?? signal)}`;
  const index = indexIn(job.progress) ?? job.from;
  return { index: Math.max(index, job.from), why: `${why}\n${complaint}` };
}

/** A process reads its seeds and compiles its code before its first input. */
const STARTING = 6;

/** Calls back once when the number in a file has not changed for as long as a process may hang. */
function watch(progress: string, { hang, onHang }: { hang: number; onHang: () => void }): NodeJS.Timeout {
  let last: { index: number | undefined; since: number } = { index: undefined, since: performance.now() };
  const timer = setInterval(() => {
    const index = indexIn(progress);
    if (index !== last.index) last = { index, since: performance.now() };
    const allowed = index === undefined ? STARTING * hang : hang;
    if (performance.now() - last.since < allowed) return;
    clearInterval(timer);
    onHang();
  }, 250);
  return timer;
}

/** Which input a worker is at; undefined before its first. */
function indexIn(progress: string): number | undefined {
  try {
    const bytes = readFileSync(progress);
    return bytes.length < 4 ? undefined : bytes.readUInt32LE(0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return undefined;
  }
}

/** The input is made once more, in this process, which only the worker's use of it is dangerous to. */
function failed(job: Job, { index, why }: Failure): JobResult {
  const input = mutantOf(makeTarget(job), { seed: job.seed, index });
  const finding = saveFinding(job, { input, index, what: why });
  return {
    outcomes: { failed: 1, 'run before a failure': index - job.from },
    slowest: { index, milliseconds: 0 },
    growth: 0,
    findings: [finding],
  };
}

function combine(results: readonly JobResult[]): JobResult {
  const outcomes: Record<string, number> = {};
  for (const result of results) {
    for (const [outcome, count] of Object.entries(result.outcomes))
      outcomes[outcome] = (outcomes[outcome] ?? 0) + count;
  }
  return {
    outcomes,
    slowest: results.map(({ slowest }) => slowest).sort((a, b) => b.milliseconds - a.milliseconds)[0] ?? {
      index: 0,
      milliseconds: 0,
    },
    growth: Math.max(...results.map(({ growth }) => growth)),
    findings: results.flatMap(({ findings }) => findings),
  };
}
