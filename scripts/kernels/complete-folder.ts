import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Fills a folder once: it appears under its name when `fill` is done, and never half full. */
export function completeFolder(folder: string, fill: (unfinished: string) => void): string {
  if (existsSync(folder)) return folder;
  mkdirSync(dirname(folder), { recursive: true });
  const unfinished = mkdtempSync(join(dirname(folder), '.unfinished-'));
  try {
    fill(unfinished);
    renameSync(unfinished, folder);
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    // Another process that filled it meanwhile did the same work.
    if (!existsSync(folder)) throw error;
  }
  return folder;
}
