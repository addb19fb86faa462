import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Whether an output is missing, or older than one of the files that it is made of; folders stand for all that is in them. */
export function isStale(output: string, inputs: readonly string[]): boolean {
  const made = statSync(output, { throwIfNoEntry: false })?.mtimeMs;
  return made === undefined || inputs.some((input) => newest(input) > made);
}

function newest(path: string): number {
  const status = statSync(path);
  if (!status.isDirectory()) return status.mtimeMs;
  const inside = readdirSync(path, { withFileTypes: true, recursive: true });
  const times = inside.map((entry) => statSync(join(entry.parentPath, entry.name)).mtimeMs);
  return Math.max(status.mtimeMs, ...times);
}
