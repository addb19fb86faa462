/**
 * The benchmarks, each side by side with somebody else's work in one run: `npm run bench -- NAME [--json]`.
 * docs/performance.md says how they measure.
 */
import { parseArgs } from 'node:util';
import { benchLoad } from './load/benchmark.ts';
import { benchMaps } from './maps/benchmark.ts';
import { printReport, type BenchmarkReport } from './report.ts';
import { benchRing } from './ring/benchmark.ts';
import { benchStartup } from './startup/benchmark.ts';

const BENCHMARKS: Readonly<Record<string, (options: BenchmarkOptions) => Promise<BenchmarkReport>>> = {
  load: benchLoad,
  maps: benchMaps,
  ring: benchRing,
  startup: benchStartup,
};

export interface BenchmarkOptions {
  /** Events per side and run, of the benchmarks that count events. */
  readonly events: number | undefined;
  /** How often each side runs. */
  readonly runs: number | undefined;
  /** The folder of the objects, of the benchmark that loads some. */
  readonly objects: string | undefined;
}

const USAGE = `usage: npm run bench -- ${Object.keys(BENCHMARKS).join('|')} [--json] [--events N] [--runs N] [--objects DIR]`;

function positiveInteger(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 1)
    throw new Error(`${text} is no positive integer\n${USAGE}`);
  return number;
}

async function main(): Promise<void> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: 'boolean' },
      events: { type: 'string' },
      runs: { type: 'string' },
      objects: { type: 'string' },
    },
  });
  const benchmark = BENCHMARKS[positionals[0] ?? ''];
  if (!benchmark || positionals.length !== 1) throw new Error(USAGE);
  const report = await benchmark({
    events: positiveInteger(values.events),
    runs: positiveInteger(values.runs),
    objects: values.objects,
  });
  printReport(report, { json: values.json ?? false });
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
