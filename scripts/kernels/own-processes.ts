import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What goes with this process, however it ends short of SIGKILL; guests get that one from the kernel (setpriv). */
const children = new Set<ChildProcess>();
const folders = new Set<string>();
let watching = false;

function watchEnd(): void {
  if (watching) return;
  watching = true;
  process.on('exit', () => {
    for (const child of children) child.kill('SIGKILL');
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  });
  for (const [signal, number] of [
    ['SIGINT', 2],
    ['SIGTERM', 15],
    ['SIGHUP', 1],
  ] as const) {
    process.on(signal, () => {
      process.exit(128 + number);
    });
  }
}

/** Ends the child with this process. */
export function ownChild(child: ChildProcess): void {
  watchEnd();
  children.add(child);
  child.once('close', () => children.delete(child));
}

/** A new folder, removed by `removeFolder()` or with this process. */
export function temporaryFolder(): string {
  watchEnd();
  const folder = mkdtempSync(join(tmpdir(), 'ts-xdp-kernels-'));
  folders.add(folder);
  return folder;
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  folders.delete(folder);
}
