import { closeSync, constants, openSync } from 'node:fs';
import { errno, syscallError } from './errno.ts';
import { lastErrno, libc } from './libc.ts';

const LOCK_EX = 2;

/**
 * Runs an action while this process alone holds flock(2) on a directory; others that ask for it wait, and so does this
 * thread. The lock goes with the process, however that ends.
 *
 * @throws SyscallError, and what node:fs throws for a directory that cannot be opened
 */
export function withDirectoryLock<Result>(directory: string, action: () => Result): Result {
  const fd = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    while (libc().flock(fd, LOCK_EX) < 0) {
      const number = lastErrno();
      if (number !== errno.EINTR)
        throw syscallError({ call: 'flock', errno: number, doing: `lock ${directory}` });
    }
    return action();
  } finally {
    closeSync(fd);
  }
}
