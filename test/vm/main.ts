/**
 * Runs in a guest, from /project: finds out what its kernel has, and runs test files there. Every result is a line of
 * `/results/results.jsonl` as soon as it is known, so that a guest that dies has told what it did.
 */
import { spawnSync } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { Feature, isSupported } from '../../src/features/index.ts';
import { raiseMemlockLimit } from '../../src/sys/index.ts';
import type { DoctorResult, FeatureResult, GuestResult } from './result.ts';
import { runTestFile } from './run-test-file.ts';

const RESULTS = '/results';

function tell(result: GuestResult): void {
  appendFileSync(`${RESULTS}/results.jsonl`, `${JSON.stringify(result)}\n`);
}

function features(): FeatureResult[] {
  raiseMemlockLimit();
  return Object.values(Feature).map((feature) => ({
    kind: 'feature',
    name: feature.name,
    minKernel: feature.minKernel,
    supported: isSupported(feature),
  }));
}

interface DoctorDocument {
  readonly verdict: { readonly can_run: boolean };
  readonly checks: readonly { readonly name: string; readonly status: string }[];
}

function doctor(): DoctorResult {
  const { stdout, status } = spawnSync(process.execPath, ['dist/cli/main.js', 'doctor', '--json'], {
    encoding: 'utf8',
  });
  const { verdict, checks } = JSON.parse(stdout) as DoctorDocument;
  const faults = checks.flatMap(({ name, status: found }) =>
    found === 'warning' || found === 'missing' ? [{ name, status: found }] : [],
  );
  return { kind: 'doctor', exitCode: status ?? -1, able: verdict.can_run, faults };
}

let failures = 0;
for (const feature of features()) tell(feature);
tell(doctor());
for (const file of process.argv.slice(2)) {
  const started = performance.now();
  const results = runTestFile(file, { log: `${RESULTS}/${file.replaceAll('/', '-')}.tap` });
  for (const result of results) tell(result);
  const count = (outcome: string): number => results.filter((result) => result.outcome === outcome).length;
  const [passed, failed, skipped] = ['passed', 'failed', 'skipped'].map(count);
  failures += failed ?? 0;
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  console.log(
    `${file}: ${String(passed)} passed, ${String(failed)} failed, ${String(skipped)} skipped, ${seconds} s`,
  );
}
process.exitCode = failures === 0 ? 0 : 1;
