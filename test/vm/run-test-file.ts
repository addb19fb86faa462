import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { COMPILED } from './guest-folders.ts';
import type { TestResult } from './result.ts';

/** Longer than the slowest takes on an emulated processor that it shares. */
const TIMEOUT_SECONDS = 1800;

/**
 * Runs one compiled test file by itself, without tap's runner, which would compile and observe it. The tests at its
 * top level become results; everything it said goes into `log`.
 */
export function runTestFile(file: string, { log }: { log: string }): TestResult[] {
  const { stdout, stderr, status, signal } = spawnSync(process.execPath, [`${file}.js`], {
    encoding: 'utf8',
    env: {
      ...process.env,
      TAP_TIMEOUT: String(TIMEOUT_SECONDS),
      TS_XDP_PATIENCE: '20',
      TS_XDP_COMPILED: COMPILED,
    },
    timeout: TIMEOUT_SECONDS * 1000,
    maxBuffer: 1 << 28,
  });
  writeFileSync(log, `${stdout}\n${stderr}`);
  const results = stdout.split('\n').flatMap((line) => parseTestLine(file, line));
  const failed = results.some(({ outcome }) => outcome === 'failed');
  // A file that died, or whose plan was not kept, has no line of a test that failed.
  if (status !== 0 && !failed) {
    results.push({ kind: 'test', file, name: `ended with ${String(status ?? signal)}`, outcome: 'failed' });
  }
  return results;
}

/** `ok 1 - name # SKIP reason`, `not ok 2 - name # time=3ms`; what is indented belongs to a test inside. */
function parseTestLine(file: string, line: string): TestResult[] {
  const match = /^(not )?ok \d+ - (.*?)(?: # (SKIP|time=)\s*(.*))?$/.exec(line);
  if (!match) return [];
  const [, not, name = '', directive, text] = match;
  const result = { kind: 'test', file, name } as const;
  if (not !== undefined) return [{ ...result, outcome: 'failed' }];
  if (directive !== 'SKIP') return [{ ...result, outcome: 'passed' }];
  return [{ ...result, outcome: 'skipped', ...(text !== undefined && { reason: text }) }];
}
