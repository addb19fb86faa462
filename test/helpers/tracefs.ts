import { isOnFileSystem, mountKernelFileSystem } from '../../src/sys/index.ts';

export const TRACEFS = '/sys/kernel/tracing';

/** Mounts it where it is not, for good: tests run side by side, and another may need it when this one ends. */
export function needTracefs(): void {
  if (isOnFileSystem(TRACEFS, 'tracefs')) return;
  try {
    mountKernelFileSystem('tracefs', TRACEFS);
  } catch (error) {
    // EBUSY where another test was faster.
    if (!isOnFileSystem(TRACEFS, 'tracefs')) throw error;
  }
}

/** Starts a command where tracefs is mounted nowhere, in a mount namespace of its own: the `prefix` of a `Cli`. */
export const withoutTracefs: readonly string[] = [
  ...['unshare', '--mount', 'sh', '-c'],
  `for place in ${TRACEFS} /sys/kernel/debug; do umount --lazy "$place" 2>/dev/null; done; exec "$@"`,
  'sh',
];
