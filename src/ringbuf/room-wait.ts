import { ClosedError } from '../errors.ts';
import type { BpfMap } from '../maps/index.ts';
import { BlockingWait, watchReadable, type ReadableWatch } from '../sys/index.ts';
import type { UserRecord } from './user-record.ts';

/** Somebody who waits for room. */
interface Waiting {
  readonly attempt: () => UserRecord | undefined;
  readonly resolve: (record: UserRecord) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * Waits for programs to read from a user ring.
 *
 * The kernel calls a ring writable as soon as a byte of it is free (ringbuf_map_poll_user() in kernel/bpf/ringbuf.c), and
 * bpf_user_ringbuf_drain() wakes whoever waits each time. So it is the wakes that are waited for, and not the state.
 */
export class RoomWait {
  readonly #map: BpfMap;
  #wait: BlockingWait | undefined;
  #watch: ReadableWatch | undefined;
  readonly #queue: Waiting[] = [];

  constructor(map: BpfMap) {
    this.#map = map;
  }

  /** Whether somebody waits. */
  get waiting(): boolean {
    return this.#queue.length > 0;
  }

  /** Until programs have read since the last time, the timeout has passed, or a signal came. @throws SyscallError */
  block(timeout: number): void {
    this.#opened().wait(timeout);
  }

  /** Attempts it whenever programs have read, after those that wait already. */
  async wait(attempt: () => UserRecord | undefined, signal: AbortSignal | undefined): Promise<UserRecord> {
    let abort: () => void = () => undefined;
    try {
      return await new Promise<UserRecord>((resolve, reject) => {
        const waiting: Waiting = { attempt, resolve, reject };
        this.#queue.push(waiting);
        abort = () => {
          const at = this.#queue.indexOf(waiting);
          if (at >= 0) this.#queue.splice(at, 1);
          // Those behind it may want less.
          this.#serve();
          reject(signal?.reason as Error);
        };
        signal?.addEventListener('abort', abort, { once: true });
        this.#watchRoom();
      });
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  /** Idempotent. Whoever waits gets a ClosedError. */
  close(): void {
    this.#watch?.close();
    this.#wait?.close();
    const error = new ClosedError(`the user ring buffer ${this.#map.name}`);
    for (const { reject } of this.#queue.splice(0)) reject(error);
  }

  #opened(): BlockingWait {
    this.#wait ??= BlockingWait.open([this.#map.fd], `room in the user ring buffer ${this.#map.name}`, {
      interest: 'more-room',
    });
    return this.#wait;
  }

  #watchRoom(): void {
    const wait = this.#opened();
    this.#watch ??= watchReadable(wait.fd, {
      onReadable: () => {
        // Takes the wake out of the set, which would be ready for ever otherwise.
        wait.wait(0);
        this.#serve();
      },
      onError: (error) => {
        for (const { reject } of this.#queue.splice(0)) reject(error);
      },
    });
    this.#watch.resume();
  }

  #serve(): void {
    for (let first = this.#queue[0]; first; first = this.#queue[0]) {
      const record = first.attempt();
      if (record === undefined) return;
      this.#queue.shift();
      first.resolve(record);
    }
    this.#watch?.pause();
  }
}
