import { ClosedError } from '../errors.ts';
import { checkDescriptor } from './argument-checks.ts';
import { errno, syscallError } from './errno.ts';
import type { Kernel } from './kernel.ts';
import { forget, watchForLeak } from './leaks.ts';

/**
 * The one owner of a file descriptor. What was handed to it must not be closed by anybody else.
 *
 * Unreachable without `close()`, it is reported as a leak and then closed.
 */
export class Fd {
  /** What the descriptor is, for messages: `map events`. */
  readonly description: string;
  readonly #kernel: Kernel;
  readonly #closeHooks = new Set<() => void>();
  #fd: number;

  // Three facts that belong together; an options bag would only repeat their names.
  constructor(kernel: Kernel, fd: number, description: string) {
    checkDescriptor(fd);
    this.#kernel = kernel;
    this.#fd = fd;
    this.description = description;
    watchForLeak(this, `${description} (descriptor ${String(fd)})`, () => {
      kernel.close(fd);
    });
  }

  /** The number. Throws {@link ClosedError} after `close()`, when the number may already be something else's. */
  get value(): number {
    if (this.#fd < 0) throw new ClosedError(this.description);
    return this.#fd;
  }

  get closed(): boolean {
    return this.#fd < 0;
  }

  /** Calls `hook` once, before the descriptor closes. Returns a function that takes it back. */
  onClose(hook: () => void): () => void {
    if (this.#fd < 0) throw new ClosedError(this.description);
    this.#closeHooks.add(hook);
    return () => {
      this.#closeHooks.delete(hook);
    };
  }

  /** Gives the number up to a new owner: this handle counts as closed from now on. */
  release(): number {
    const fd = this.value;
    this.#retire();
    return fd;
  }

  /** Idempotent. Throws {@link SyscallError} where somebody else closed the descriptor before (EBADF). */
  close(): void {
    if (this.#fd < 0) return;
    const fd = this.#fd;
    this.#retire();
    const result = this.#kernel.close(fd);
    // On Linux the descriptor is gone after EINTR and EIO too; only EBADF says that it was not ours.
    if (result === -errno.EBADF)
      throw syscallError({ call: 'close', errno: result, doing: `close ${this.description}` });
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #retire(): void {
    forget(this);
    for (const hook of [...this.#closeHooks]) hook();
    this.#closeHooks.clear();
    this.#fd = -1;
  }
}
