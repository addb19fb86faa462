import { join } from 'node:path';
import { Apt, ownRelease, unpack } from './apt.ts';
import { cacheFolder } from './cache-folder.ts';
import { completeFolder } from './complete-folder.ts';

/**
 * Where each release has a QEMU of 8.0 or newer: 7.2, Debian 12's own, panics guests at random without KVM (seen in
 * 5 of 46 boots; none of 60 with 10.0.2).
 */
const RELEASES: Readonly<Record<string, string>> = { bookworm: 'bookworm-backports' };

export interface Emulator {
  readonly program: string;
  /** For `LD_LIBRARY_PATH`. */
  readonly libraryPath: string;
  /** For `-L`. */
  readonly firmware: readonly string[];
  readonly busybox: string;
}

/** QEMU and a busybox for guests, from the cache or downloaded. */
export function fetchEmulator(): Emulator {
  const folder = completeFolder(join(cacheFolder(), 'emulator'), (unfinished) => {
    const own = ownRelease();
    const release = RELEASES[own] ?? own;
    const apt = new Apt('emulator', [...new Set([own, release])]);
    apt.update();
    unpack(apt.downloadMissing(['qemu-system-x86', 'seabios', 'busybox-static'], { release }), unfinished);
  });
  const machine = 'x86_64-linux-gnu';
  return {
    program: join(folder, 'usr/bin/qemu-system-x86_64'),
    libraryPath: [join(folder, 'usr/lib', machine), join(folder, 'lib', machine)].join(':'),
    firmware: [join(folder, 'usr/share/qemu'), join(folder, 'usr/share/seabios')],
    busybox: join(folder, 'bin/busybox'),
  };
}
