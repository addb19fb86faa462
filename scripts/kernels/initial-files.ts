import { readFileSync } from 'node:fs';
import { DIRECTORY, EXECUTABLE, FILE, buildArchive } from './archive.ts';
import type { KernelModule } from './modules.ts';

export interface InitialFiles {
  readonly busybox: string;
  readonly modules: readonly KernelModule[];
  /** A shell script, run as the guest's first process in its root file system. */
  readonly plan: string;
}

/** What the guest's kernel starts with: it loads modules, finds its disk, and goes on there with the plan. */
export function buildInitialFiles({ busybox, modules, plan }: InitialFiles): Uint8Array {
  return buildArchive([
    ...['bin', 'dev', 'modules', 'proc', 'root'].map((path) => ({ path, mode: DIRECTORY })),
    { path: 'bin/busybox', mode: EXECUTABLE, contents: readFileSync(busybox) },
    ...modules.map(({ name, contents }) => ({ path: `modules/${name}.ko`, mode: FILE, contents })),
    { path: 'plan', mode: EXECUTABLE, contents: Buffer.from(plan) },
    { path: 'init', mode: EXECUTABLE, contents: Buffer.from(firstScript(modules)) },
  ]);
}

function firstScript(modules: readonly KernelModule[]): string {
  return [
    '#!/bin/busybox sh',
    'b=/bin/busybox',
    '$b mount -t devtmpfs dev /dev',
    ...modules.map(({ name }) => `$b insmod /modules/${name}.ko || echo "module ${name} does not load"`),
    '$b mount -t ext4 /dev/vda /root || { echo "no root file system"; $b reboot -f; }',
    '$b mount -t tmpfs run /root/run',
    '$b cp /plan /root/run/plan',
    '$b mount --move /dev /root/dev',
    'exec $b switch_root /root /usr/bin/sh /run/plan',
    '',
  ].join('\n');
}
