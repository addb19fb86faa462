import type { Test } from 'tap';

/** Ends the process of a test file that cannot run, which then counts as skipped, with the reason. */
export function skipFile(t: Test, missing: string | false): void {
  if (missing === false) return;
  t.plan(0, missing);
  process.exit(0);
}
