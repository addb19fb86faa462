import { ArgumentError, ClosedError } from '../errors.ts';
import { watchReadable, type Fd, type ReadableWatch } from '../sys/index.ts';
import type { ListenOptions } from './reader-options.ts';
import type { StreamedReader } from './streams.ts';

/** What {@link LoopReading} reads from. */
export interface LoopSource<Item> {
  /** For messages: `perf buffer samples`. */
  readonly description: string;
  readonly batchSize: number;
  isClosed(): boolean;
  /** Throws where something else reads it. */
  checkFree?(): void;
  /** A descriptor that says at least once of everything new that it is there. */
  readiness(): Fd;
  drain(onItem: (item: Item) => void, options: { limit: number }): number;
  /** Takes back what was read and what nobody got, in its order. */
  giveBack(items: Item[]): void;
}

/** What reads now. */
interface Active {
  readonly onReadable: () => void;
  readonly onError: (error: Error) => void;
  end(): void;
  watch: ReadableWatch;
}

/** What an iteration waits for. */
interface IterationWaiter {
  /** There may be something. */
  ready: boolean;
  /** It was stopped. */
  isOver(): boolean;
  /** Resolves when it is ready or over. */
  wait(): Promise<void>;
  end(): void;
}

/**
 * Reads on the event loop, by a callback or an iteration, one of them at a time, what tells of its readiness only once, as
 * perf_poll() of kernel/events/core.c does.
 */
export class LoopReading<Item> {
  readonly #source: LoopSource<Item>;
  #active: Active | undefined;

  constructor(source: LoopSource<Item>) {
    this.#source = source;
  }

  get active(): boolean {
    return this.#active !== undefined;
  }

  /** Calls `drain` with a limit whenever there may be something. @throws ClosedError, ArgumentError */
  listen(drain: (options: { limit: number }) => number, options: ListenOptions): void {
    const { signal, onError } = options;
    this.#checkFree();
    if (signal?.aborted === true) return;
    const { batchSize: limit } = this.#source;
    let listening = true;
    const fail = (error: unknown): void => {
      this.stop();
      if (!onError || !(error instanceof Error)) throw error;
      onError(error);
    };
    const drainBatch = (): void => {
      if (!listening || this.#source.isClosed()) return;
      try {
        // Of the rest nothing tells again.
        if (drain({ limit }) === limit) setImmediate(drainBatch);
      } catch (error) {
        fail(error);
      }
    };
    const end = (): void => {
      listening = false;
    };
    this.#activate({ onReadable: drainBatch, onError: fail, end }, signal);
    setImmediate(drainBatch);
  }

  /** In batches, and only as fast as they are taken. @throws ClosedError, ArgumentError; what draining throws */
  async *items(signal: AbortSignal | undefined): AsyncGenerator<Item, undefined> {
    if (signal?.aborted === true) return;
    const source = this.#source;
    const waiter = this.#wait(signal);
    try {
      while (!waiter.isOver()) {
        // Before reading, since of each item it is told only once that it is there.
        waiter.ready = false;
        const batch: Item[] = [];
        let failure: { readonly error: unknown } | undefined;
        try {
          source.drain((item) => batch.push(item), { limit: source.batchSize });
        } catch (error) {
          failure = { error };
        }
        let given = 0;
        try {
          for (const item of batch) {
            if (waiter.isOver()) return;
            given++;
            yield item;
          }
        } finally {
          if (given < batch.length) source.giveBack(batch.slice(given));
        }
        if (failure) throw failure.error;
        // Even when the consumer never waits for anything, timers and signals must have their turn.
        if (batch.length > 0) await new Promise((resolve) => setImmediate(resolve));
        else await waiter.wait();
      }
    } finally {
      waiter.end();
    }
  }

  /** For the functions that make streams. @throws ClosedError */
  streamed(): StreamedReader<Item> {
    const source = this.#source;
    if (source.isClosed()) throw new ClosedError(`the ${source.description}`);
    return {
      description: source.description,
      iterate: ({ signal }) => this.items(signal),
      giveBack: (items) => {
        source.giveBack(items);
      },
    };
  }

  /** Ends what reads; idempotent. */
  stop(): void {
    const active = this.#active;
    this.#active = undefined;
    active?.watch.close();
    active?.end();
  }

  /** Watches what the source's readiness is now. */
  watchAnew(): void {
    const active = this.#active;
    if (!active) return;
    active.watch.close();
    active.watch = this.#watch(active);
  }

  /** Watches until it is ended, by the iteration or from outside. */
  #wait(signal: AbortSignal | undefined): IterationWaiter {
    this.#checkFree();
    let wake: () => void = () => undefined;
    let failure: Error | undefined;
    let over = false;
    const waiter: IterationWaiter = {
      ready: false,
      isOver: () => over,
      async wait() {
        if (!waiter.ready && !over && !failure) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
        if (failure) throw failure;
      },
      end: () => {
        if (!over) this.stop();
      },
    };
    const onReadable = (): void => {
      waiter.ready = true;
      wake();
    };
    const onError = (error: Error): void => {
      failure = error;
      wake();
    };
    const end = (): void => {
      over = true;
      wake();
    };
    this.#activate({ onReadable, onError, end }, signal);
    return waiter;
  }

  #activate(parts: Omit<Active, 'watch'>, signal: AbortSignal | undefined): void {
    const stop = (): void => {
      this.stop();
    };
    const watch = this.#watch(parts);
    const end = (): void => {
      signal?.removeEventListener('abort', stop);
      parts.end();
    };
    this.#active = { ...parts, end, watch };
    signal?.addEventListener('abort', stop, { once: true });
  }

  /**
   * Adding to an epoll set asks what is ready (ep_insert() in fs/eventpoll.c), which uses up what is told only once. The loop
   * adds at the start of its next poll phase; an immediate may come before that one, but an immediate of an immediate comes
   * after it, and looks for what was used up.
   */
  #watch(parts: Pick<Active, 'onReadable' | 'onError'>): ReadableWatch {
    const watch = watchReadable(this.#source.readiness(), parts);
    const look = (): void => {
      if (!watch.closed) parts.onReadable();
    };
    setImmediate(() => setImmediate(look));
    return watch;
  }

  #checkFree(): void {
    const { description } = this.#source;
    this.#source.checkFree?.();
    if (this.#source.isClosed()) throw new ClosedError(`the ${description}`);
    if (this.#active) throw new ArgumentError('map', `Cannot read ${description}: it is being read already`);
  }
}
