import { checkInteger } from './argument-checks.ts';
import { errno, syscallError } from './errno.ts';
import { Fd } from './fd.ts';
import { lastErrno, libc } from './libc.ts';
import { systemKernel } from './system-kernel.ts';

/** <asm-generic/unistd.h>: calls newer than Linux 5.1 have one number on every architecture. */
const PIDFD_OPEN = 434;

/**
 * A descriptor of the process `pid` (Linux 5.3), which never comes to mean another one: what task storage belongs to
 * is said by one. The caller closes it.
 *
 * @throws ArgumentError where `pid` is no positive integer; SyscallError: ESRCH where there is no such process, EINVAL
 * where it is the id of a thread that does not lead its process
 *
 * ```ts
 * using task = openPidfd(process.pid);
 * new LocalStorage(collection.map('seen')).set(task, { count: 1n });
 * ```
 */
export function openPidfd(pid: number): Fd {
  checkInteger('pid', pid, { minimum: 1, maximum: 0x7fff_ffff });
  const number = libc().pidfd_open(PIDFD_OPEN, pid, 0);
  if (number < 0) {
    const failure = lastErrno();
    throw syscallError({
      call: 'pidfd_open',
      errno: failure,
      doing: `open process ${String(pid)}`,
      ...(failure === errno.ESRCH && { hint: 'It has ended, or is in another PID namespace.' }),
    });
  }
  return new Fd(systemKernel(), number, `process ${String(pid)}`);
}
