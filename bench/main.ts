/**
 * The benchmarks, each side by side with somebody else's work in one run: `npm run bench -- NAME [--json]`, or without a name
 * all of them. `peers` fetches those to compare with that come from packages. docs/performance.md says how they measure.
 */
import { parseArgs } from 'node:util';
import { printJson, printTables, type BenchmarkReport } from './report.ts';

type Benchmark = (options: BenchmarkOptions) => Promise<BenchmarkReport>;

/** Each is imported when it is wanted: they bring all of the library with them. */
const BENCHMARKS: Readonly<Record<string, () => Promise<Benchmark>>> = {
  latency: async () => (await import('./events/latency.ts')).benchLatency,
  load: async () => (await import('./load/benchmark.ts')).benchLoad,
  maps: async () => (await import('./maps/benchmark.ts')).benchMaps,
  memory: async () => (await import('./memory/benchmark.ts')).benchMemory,
  ring: async () => (await import('./ring/benchmark.ts')).benchRing,
  startup: async () => (await import('./startup/benchmark.ts')).benchStartup,
  sustained: async () => (await import('./events/sustained.ts')).benchSustained,
};

export interface BenchmarkOptions {
  /** Events, or entries of maps, per side and run, of the benchmarks that count them. */
  readonly events: number | undefined;
  /** How often each side runs. */
  readonly runs: number | undefined;
  /** The folder of the objects, of the benchmark that loads some. */
  readonly objects: string | undefined;
  /** Whether producer and readers get the highest priority, for the benchmarks that want a system that is idle. */
  readonly preferred: boolean | undefined;
}

const USAGE = `usage: npm run bench -- [${Object.keys(BENCHMARKS).join('|')}|peers] [--json] [--events N] [--runs N] [--objects DIR] [--preferred]`;

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
      preferred: { type: 'boolean' },
    },
  });
  const [name, ...more] = positionals;
  if (more.length > 0 || (name !== undefined && name !== 'peers' && !Object.hasOwn(BENCHMARKS, name)))
    throw new Error(USAGE);
  if (name === 'peers') {
    (await import('./peers/packages.ts')).fetchPeers();
    return;
  }
  const options = {
    events: positiveInteger(values.events),
    runs: positiveInteger(values.runs),
    objects: values.objects,
    preferred: values.preferred,
  };
  const reports: BenchmarkReport[] = [];
  for (const [known, importBenchmark] of Object.entries(BENCHMARKS)) {
    if (name !== undefined && name !== known) continue;
    const benchmark = await importBenchmark();
    reports.push(await benchmark(options));
  }
  printTables(reports);
  if (values.json === true) printJson(reports);
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
