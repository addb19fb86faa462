import { lstatSync, readdirSync, readlinkSync } from 'node:fs';

/** What this process has open now, `7 anon_inode:bpf-map`, without the descriptor that lists it. */
export function openDescriptors(): string[] {
  const open: string[] = [];
  for (const fd of readdirSync('/proc/self/fd')) {
    const path = `/proc/self/fd/${fd}`;
    if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) open.push(`${fd} ${readlinkSync(path)}`);
  }
  return open;
}
