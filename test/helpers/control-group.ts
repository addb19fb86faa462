/** Control groups of tests: each is its process's own, and those of processes that were killed are removed by the next. */
import { mkdirSync, readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { findCgroupMount } from '../../src/link/index.ts';

/** Makes `ts-xdp-PID-NAME` in the root of cgroup v2. Who asks for it removes it. */
export function makeCgroup(name: string): string {
  const mount = findCgroupMount();
  removeLeftovers(mount);
  const path = join(mount, `ts-xdp-${String(process.pid)}-${name}`);
  mkdirSync(path);
  return path;
}

function removeLeftovers(mount: string): void {
  for (const name of readdirSync(mount)) {
    const pid = /^ts-xdp-(\d+)-/.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) removeCgroup(join(mount, name));
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

/** With those below it. One that still has processes stays, and what another test removes meanwhile is gone. */
function removeCgroup(path: string): void {
  try {
    for (const entry of readdirSync(path, { withFileTypes: true }))
      if (entry.isDirectory()) removeCgroup(join(path, entry.name));
    rmdirSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EBUSY' && code !== 'ENOENT') throw error;
  }
}
