import { ArgumentError } from '../errors.ts';
import { checkDescriptor } from './argument-checks.ts';
import { errno, syscallError } from './errno.ts';
import { Fd } from './fd.ts';
import { foreign, lastErrno, libc } from './libc.ts';
import { systemKernel } from './system-kernel.ts';

/** koffi's own type says that the callback gets the events alone; it gets the status first. */
interface PollHandle {
  start(interest: { readable: boolean }, callback: (status: number) => void): void;
  stop(): void;
  close(): void;
  ref(): void;
  unref(): void;
}
type Poll = (fd: number, interest: { readable: boolean }, callback: (status: number) => void) => PollHandle;

export interface ReadableCallbacks {
  /** Called again and again as long as there is something to read. What it throws becomes an uncaught exception. */
  readonly onReadable: () => void;
  /**
   * The descriptor has an error pending, or is of a kind that cannot be waited for. The watch is paused then; where
   * the error can be fetched and cleared (a socket), `resume()` goes on.
   */
  readonly onError: (error: Error) => void;
}

const EPOLL_CTL_ADD = 1;
const EPOLL_CLOEXEC = 0o2000000;
const epollEventSize = 16;

/** koffi stops a handle without a word when it is collected, so every open watch is held here. */
const open = new Set<ReadableWatch>();

/**
 * Waits for a descriptor to become readable, on the event loop of this thread. The watch keeps the process alive
 * until `close()` or `unref()`, and closes by itself before `fd` does, where that is an {@link Fd}.
 *
 * Throws {@link ArgumentError} where the descriptor cannot be waited for (a regular file) and
 * {@link SyscallError} where it is not open.
 */
export function watchReadable(fd: Fd | number, callbacks: ReadableCallbacks): ReadableWatch {
  const watch = new ReadableWatch(duplicateForPolling(fd), callbacks);
  if (fd instanceof Fd) watch.closeWith(fd);
  return watch;
}

/**
 * `koffi.node.poll` ends the process on a descriptor that is not open, that epoll refuses, or that the loop watches
 * already. A duplicate of our own, tried on another epoll first, is none of these; and since nobody else knows its
 * number, nobody can close it under the handle.
 */
function duplicateForPolling(fd: Fd | number): Fd {
  const number = fd instanceof Fd ? fd.value : fd;
  checkDescriptor(number);
  const description = fd instanceof Fd ? fd.description : `descriptor ${String(number)}`;
  const kernel = systemKernel();
  const duplicate = kernel.duplicate(number, 3);
  if (duplicate < 0) throw waitError(description, { call: 'fcntl', errno: duplicate });
  const owned = new Fd(kernel, duplicate, description);
  try {
    tryEpoll(owned);
  } catch (error) {
    owned.close();
    throw error;
  }
  return owned;
}

function tryEpoll(fd: Fd): void {
  const number = libc().epoll_create1(EPOLL_CLOEXEC);
  if (number < 0) throw waitError(fd.description, { call: 'epoll_create1', errno: lastErrno() });
  const epoll = new Fd(systemKernel(), number, 'an epoll instance');
  const result = libc().epoll_ctl(number, EPOLL_CTL_ADD, fd.value, new Uint8Array(epollEventSize));
  const failure = result < 0 ? lastErrno() : 0;
  epoll.close();
  if (failure === errno.EPERM) {
    throw new ArgumentError(
      'fd',
      `Cannot wait for ${fd.description}: it is of a kind that is always ready, such as a regular file`,
    );
  }
  if (failure !== 0) throw waitError(fd.description, { call: 'epoll_ctl', errno: failure });
}

function waitError(description: string, failed: { call: string; errno: number; hint?: string }): Error {
  return syscallError({ ...failed, doing: `wait for ${description}` });
}

/** A descriptor being waited for; see {@link watchReadable}. Every method is safe in every order, in callbacks too. */
export class ReadableWatch {
  readonly #fd: Fd;
  readonly #callbacks: ReadableCallbacks;
  #handle: PollHandle | undefined;
  #paused = false;
  #forgetOwner: (() => void) | undefined;

  /** Takes over `fd`, which must be watched by nothing else. Use {@link watchReadable}. */
  constructor(fd: Fd, callbacks: ReadableCallbacks) {
    this.#fd = fd;
    this.#callbacks = callbacks;
    this.#handle = (foreign().node.poll as unknown as Poll)(fd.value, { readable: true }, this.#onPoll);
    open.add(this);
  }

  get closed(): boolean {
    return this.#handle === undefined;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** Closes this watch when `owner` closes. */
  closeWith(owner: Fd): void {
    this.#forgetOwner = owner.onClose(() => {
      this.close();
    });
  }

  /** No callbacks until `resume()`; meanwhile the watch does not keep the process alive. */
  pause(): void {
    if (this.#handle === undefined || this.#paused) return;
    this.#paused = true;
    this.#handle.stop();
  }

  resume(): void {
    if (this.#handle === undefined || !this.#paused) return;
    this.#paused = false;
    this.#handle.start({ readable: true }, this.#onPoll);
  }

  /** Keeps the process alive, which is the default. */
  ref(): void {
    this.#handle?.ref();
  }

  unref(): void {
    this.#handle?.unref();
  }

  /** Idempotent. No callback comes afterwards. */
  close(): void {
    if (this.#handle === undefined) return;
    // The handle must leave the loop's epoll before its descriptor closes, and must not be touched after.
    this.#handle.close();
    this.#handle = undefined;
    open.delete(this);
    this.#forgetOwner?.();
    this.#fd.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  readonly #onPoll = (status: number): void => {
    if (this.#handle === undefined) return;
    // On Node 26 ticks and promises queued here wait for other activity of the loop; this is some.
    setImmediate(doNothing);
    try {
      if (status < 0) {
        // libuv has stopped the handle, and calls every error EBADF.
        this.pause();
        this.#callbacks.onError(
          waitError(this.#fd.description, {
            call: 'poll',
            errno: status,
            hint: 'The descriptor has an error pending, or its kind cannot be waited for.',
          }),
        );
      } else if (!this.#paused) {
        this.#callbacks.onReadable();
      }
    } catch (error) {
      // koffi swallows what a callback throws.
      setImmediate(() => {
        throw error;
      });
    }
  };
}

function doNothing(): void {
  return undefined;
}
