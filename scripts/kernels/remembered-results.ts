/** The last results of each kernel, so that a run of a few files need not repeat the others. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GuestResult } from '../../test/vm/result.ts';
import type { KernelColumn } from './matrix.ts';

const FOLDER = 'build/kernels/results';

const place = (kernel: string): string => join(FOLDER, `${kernel}.json`);

export function recallResults(kernel: string): KernelColumn | undefined {
  const path = place(kernel);
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as KernelColumn) : undefined;
}

/** New results take the place of those of the same file, and all of it where the kernel is another one. */
export function rememberResults({ kernel, release, results }: KernelColumn): void {
  const before = recallResults(kernel);
  const groups = new Set(results.map(groupOf));
  const kept = before?.release === release ? before.results : [];
  const merged = [...kept.filter((result) => !groups.has(groupOf(result))), ...results];
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(place(kernel), JSON.stringify({ kernel, release, results: merged.sort(byGroup) }, null, 1));
}

const groupOf = (result: GuestResult): string => (result.kind === 'test' ? result.file : result.kind);

/** Stable, so that within a group the order of the run stays. */
const byGroup = (a: GuestResult, b: GuestResult): number => groupOf(a).localeCompare(groupOf(b), 'en');
