import { watch, type FSWatcher } from 'node:fs';
import { basename, dirname } from 'node:path';

/** Editors write a file in several steps; what settles within this time is one change. Milliseconds. */
const SETTLING_TIME = 50;

/** Calls back whenever a file has changed, once it has settled. The caller closes the watcher. */
export function followFile(path: string, onChange: () => void): FSWatcher {
  let timer: NodeJS.Timeout | undefined;
  // The folder is watched, since editors replace the file by another of the same name.
  const watcher = watch(dirname(path), (_event, name) => {
    if (name !== null && name !== basename(path)) return;
    clearTimeout(timer);
    timer = setTimeout(onChange, SETTLING_TIME);
  });
  watcher.on('close', () => {
    clearTimeout(timer);
  });
  return watcher;
}
