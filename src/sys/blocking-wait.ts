import { errno, syscallError } from './errno.ts';
import type { Fd } from './fd.ts';
import { lastErrno, libc } from './libc.ts';
import { openReadinessSet, type Interest } from './readiness-set.ts';

const eventSize = 16;

/** Waits for descriptors with the whole thread, as C does: its event loop stands still meanwhile. */
export class BlockingWait {
  readonly #set: Fd;
  readonly #description: string;
  readonly #event = new Uint8Array(eventSize);

  private constructor(set: Fd, description: string) {
    this.#set = set;
    this.#description = description;
  }

  /** It holds none of the members: closing one takes it out. @throws SyscallError */
  static open(
    members: readonly Fd[],
    description: string,
    options: { /** @default 'readable' */ readonly interest?: Interest } = {},
  ): BlockingWait {
    return new BlockingWait(openReadinessSet(members, description, options), description);
  }

  /** Readable when {@link wait} would not block. */
  get fd(): Fd {
    return this.#set;
  }

  /**
   * Blocks for at most `timeout` milliseconds, for ever with -1. True where a member is readable; false after the timeout
   * and after a signal.
   *
   * @throws ClosedError, SyscallError
   */
  wait(timeout: number): boolean {
    const ready = libc().epoll_wait(this.#set.value, this.#event, 1, timeout);
    if (ready >= 0) return ready > 0;
    const failure = lastErrno();
    if (failure === errno.EINTR) return false;
    throw syscallError({ call: 'epoll_wait', errno: failure, doing: `wait for ${this.#description}` });
  }

  /** Idempotent. */
  close(): void {
    this.#set.close();
  }
}
