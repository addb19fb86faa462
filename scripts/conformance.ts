/**
 * Loads the BPF programs of the kernel's selftests with ts-xdp and with libbpf, each program alone and each object as a
 * whole, and compares what came out; docs/conformance.md has the last results.
 *
 *     npm run conformance -- [--only REGEX] [--vm KERNEL]… [--json] …
 *
 * Exit codes: 0 as good as it has to be, 1 not, or it could not be found out.
 */
import { join } from 'node:path';
import { ConformanceFailure } from './conformance/failure.ts';
import { keepRun, readKeptRun, readKeptRuns } from './conformance/kept-runs.ts';
import { KNOWN_DIFFERENCES } from './conformance/known-differences.ts';
import { runHere, runInGuest } from './conformance/loader-run.ts';
import type { LoaderRun, RunOptions } from './conformance/loader-run.ts';
import { measure } from './conformance/measure.ts';
import { readOptions } from './conformance/options.ts';
import type { ConformanceOptions } from './conformance/options.ts';
import { prepareRun } from './conformance/prepare.ts';
import { renderReport } from './conformance/report.ts';
import { writeDocument } from './conformance/write-document.ts';
import { KernelRunFailure, installKernelTools, mapLimited } from './kernels/index.ts';
import type { KernelName } from './kernels/index.ts';

/** Two emulated processors at a time: each keeps one of this machine's busy. */
const GUESTS_AT_ONCE = 2;

async function runLoaders(options: ConformanceOptions): Promise<LoaderRun[]> {
  if (options.answers !== undefined) return [readKeptRun(options.answers)];
  if (options.guests.length === 0) return [await runHere(await prepareRun(options, null))];
  installKernelTools();
  const prepared: [KernelName, RunOptions][] = [];
  for (const guest of options.guests) prepared.push([guest, await prepareRun(options, guest)]);
  return mapLimited(prepared, {
    limit: GUESTS_AT_ONCE,
    action: ([guest, run]) => runInGuest(guest, { ...run, slow: options.slow }),
  });
}

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  const runs = await runLoaders(options);
  const kept = join(options.cache, options.kernelSource, 'answers');
  if (!options.partial) for (const run of runs) keepRun(run, kept);
  const measures = runs.map((run) => measure(run, KNOWN_DIFFERENCES));
  if (options.json) process.stdout.write(`${JSON.stringify({ measures })}\n`);
  else process.stdout.write(`${measures.map(renderReport).join('\n\n')}\n`);
  if (options.writeDocs) {
    await writeDocument(readKeptRuns(kept).map((run) => measure(run, KNOWN_DIFFERENCES)));
  }
  if (!measures.every(({ comparison }) => comparison.holds)) process.exitCode = 1;
}

try {
  await main();
} catch (error) {
  if (!(error instanceof ConformanceFailure) && !(error instanceof KernelRunFailure)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
