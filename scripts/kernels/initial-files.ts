import { readFileSync } from 'node:fs';
import { DIRECTORY, EXECUTABLE, FILE, buildArchive } from './archive.ts';
import type { KernelModule } from './modules.ts';

export interface InitialFiles {
  readonly busybox: string;
  readonly modules: readonly KernelModule[];
  /** How the kernel was built: goes to `/boot`, where loaders look for it. */
  readonly configuration: { readonly release: string; readonly path: string };
  /** A shell script, run as the guest's first process in its root file system. */
  readonly plan: string;
}

/** What the guest's kernel starts with: it loads modules, finds its disk, and goes on there with the plan. */
export function buildInitialFiles({ busybox, modules, configuration, plan }: InitialFiles): Uint8Array {
  return buildArchive([
    ...['bin', 'dev', 'modules', 'proc', 'root'].map((path) => ({ path, mode: DIRECTORY })),
    { path: 'bin/busybox', mode: EXECUTABLE, contents: readFileSync(busybox) },
    ...modules.map(({ name, contents }) => ({ path: `modules/${name}.ko`, mode: FILE, contents })),
    { path: 'configuration', mode: FILE, contents: readFileSync(configuration.path) },
    { path: 'plan', mode: EXECUTABLE, contents: Buffer.from(plan) },
    { path: 'init', mode: EXECUTABLE, contents: Buffer.from(firstScript(modules, configuration.release)) },
  ]);
}

function firstScript(modules: readonly KernelModule[], release: string): string {
  return [
    '#!/bin/busybox sh',
    'b=/bin/busybox',
    '$b mount -t devtmpfs dev /dev',
    ...modules.map(({ name }) => `$b insmod /modules/${name}.ko || echo "module ${name} does not load"`),
    '$b mount -t ext4 /dev/vda /root || { echo "no root file system"; $b reboot -f; }',
    '$b mount -t tmpfs run /root/run',
    '$b cp /plan /root/run/plan',
    `$b mkdir -p /root/boot && $b cp /configuration /root/boot/config-${release}`,
    '$b mount --move /dev /root/dev',
    'exec $b switch_root /root /usr/bin/sh /run/plan',
    '',
  ].join('\n');
}
