import { lastErrno, libc } from './libc.ts';
import { syscallError } from './errno.ts';

const SIG_BLOCK = 0;
const SIG_SETMASK = 2;
const SIGPROF = 27;
/** `sigset_t` of glibc and musl. */
const SET_SIZE = 128;

/**
 * Does something while this thread takes no SIGPROF, with which V8 takes its samples (`node --cpu-prof`), up to
 * thousands a second. Other signals come as ever, so that Ctrl-C still ends what takes long.
 *
 * @throws SyscallError
 */
export function withoutProfilerSignal<Result>(action: () => Result): Result {
  const blocked = new Uint8Array(SET_SIZE);
  blocked[(SIGPROF - 1) >> 3] = 1 << ((SIGPROF - 1) & 7);
  const before = new Uint8Array(SET_SIZE);
  change(SIG_BLOCK, { set: blocked, before });
  try {
    return action();
  } finally {
    change(SIG_SETMASK, { set: before, before: null });
  }
}

function change(how: number, { set, before }: { set: Uint8Array; before: Uint8Array | null }): void {
  // Of threads as of processes: sigprocmask() of Linux is that of the calling thread.
  if (libc().sigprocmask(how, set, before) === 0) return;
  throw syscallError({ call: 'sigprocmask', errno: lastErrno(), doing: 'hold back SIGPROF' });
}
