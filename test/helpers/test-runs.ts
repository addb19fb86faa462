import { SyscallError, type BpfProgram } from '../../src/index.ts';

/**
 * Runs a program many times, one by one: repeats within one call end with EINTR, after nobody knows how many of them,
 * where this thread gets a signal. Node 22 and later see to that themselves soon after a child process: they close an
 * io_uring, which is work for the thread that had it (io_ring_exit_work() in io_uring/io_uring.c).
 */
export function runOften(program: BpfProgram, { data, times }: { data: Uint8Array; times: number }): void {
  for (let left = times; left > 0; left--) program.testRun({ data });
}

/** Does what many repeats are for, from its beginning, until no signal comes between. */
export function uninterrupted<Result>(action: () => Result): Result {
  for (;;) {
    try {
      return action();
    } catch (error) {
      if (!(error instanceof SyscallError && error.errnoName === 'EINTR')) throw error;
    }
  }
}
