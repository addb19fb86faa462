import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { ArgumentError, RingWorkerError } from '../errors.ts';
import type { BpfMap } from '../maps/index.ts';
import { checkInteger, Fd, openEvent, raiseEvent, syscallError } from '../sys/index.ts';
import { BPF_MAP_TYPE_RINGBUF } from '../uapi/index.ts';
import { WorkerChannel } from './worker-channel.ts';
import type { RingWorkerNote, RingWorkerSetup } from './worker-loop.ts';

/** How a {@link RingBufferWorker} reads. */
export interface RingBufferWorkerOptions<Message = unknown> {
  /** The module whose default export makes the handler, a {@link MakeRingWorkerHandler}: `new URL('./handler.js', import.meta.url)`. */
  readonly module: URL;
  /** For the handler; it gets a structured clone. */
  readonly data?: unknown;
  /**
   * What the thread does while the ring is empty: `block` sleeps in epoll_wait(2), `spin` looks again and again, for the
   * shortest latency at the price of a CPU.
   * @default 'block'
   */
  readonly whenEmpty?: 'block' | 'spin';
  /** Records handled before the handler's `onBatch` is called. @default 1024 */
  readonly batchSize?: number;
  /**
   * Messages on their way to this thread before the worker waits for them to be taken. Events stay in the ring meanwhile,
   * and when that is full, the kernel drops new ones.
   * @default 1024
   */
  readonly maxMessages?: number;
  /** Called in this thread for each message of the handler. What it throws becomes an uncaught exception. */
  readonly onMessage?: (message: Message) => void;
  /** Ends the worker when aborted. */
  readonly signal?: AbortSignal;
}

/**
 * Reads a ring buffer (Linux 5.8) in a thread of its own: its callback runs there, without an event loop in between, which
 * is the shortest way from the kernel to JavaScript. What this thread shall know the handler posts.
 *
 * It keeps the process alive until it is closed or {@link unref}'d. It does not own the map; it ends when the map is closed.
 *
 * @example
 * await using worker = await RingBufferWorker.start(collection.map('events'), {
 *   module: new URL('./handler.js', import.meta.url),
 *   onMessage: (summary) => console.log(summary),
 * });
 */
export class RingBufferWorker {
  /**
   * Resolves when the worker has ended; rejects with {@link RingWorkerError} where the handler made it end. Where nobody
   * looks, that is an unhandled rejection, which ends the process.
   */
  readonly ended: Promise<void>;
  readonly #worker: Worker;
  readonly #channel: WorkerChannel;
  readonly #stop: () => void;
  #over = false;

  private constructor(
    worker: Worker,
    parts: { channel: WorkerChannel; stop: () => void; ended: Promise<void> },
  ) {
    this.#worker = worker;
    this.#channel = parts.channel;
    this.#stop = parts.stop;
    const setOver = (): void => {
      this.#over = true;
    };
    this.ended = parts.ended.finally(setOver);
  }

  /**
   * Starts the thread; resolves when it reads.
   *
   * @throws ArgumentError for a map that is no ring buffer; ClosedError; RingWorkerError where the module cannot be used;
   * SyscallError
   */
  static async start<Message = unknown>(
    map: BpfMap,
    options: RingBufferWorkerOptions<Message>,
  ): Promise<RingBufferWorker> {
    const { signal, onMessage } = options;
    const { setup, channel, stop, close } = prepare(map, options);
    const threadUrl = new URL(`../ringbuf/worker-thread${extname(import.meta.url)}`, import.meta.url);
    const worker = startThread(threadUrl, { setup, map, close });
    const forgetMap = map.fd.onClose(stop);
    signal?.addEventListener('abort', stop, { once: true });
    stopAtExit(stop);
    if (signal?.aborted === true) stop();
    let reading = false;
    let done = false;
    // The module may take as long as it likes to make its handler, and sees no request meanwhile.
    const giveUp = (): void => {
      if (!reading) void worker.terminate();
    };
    signal?.addEventListener('abort', giveUp, { once: true });
    if (signal?.aborted === true) giveUp();
    const ended = new Promise<void>((resolve, reject) => {
      let failure: unknown;
      worker.once('error', (error) => (failure = error));
      worker.once('exit', (code) => {
        if (!done && !channel.stopped) failure ??= new Error(`its thread ended with exit code ${code}`);
        signal?.removeEventListener('abort', giveUp);
        forgetAtExit(stop);
        signal?.removeEventListener('abort', stop);
        forgetMap();
        close();
        if (failure === undefined) resolve();
        else reject(new RingWorkerError(map.name, failure));
      });
    });
    await new Promise<void>((resolve, reject) => {
      worker.on('message', (note: RingWorkerNote) => {
        if ('ready' in note) {
          reading = true;
          resolve();
        } else if ('ended' in note) {
          done = true;
          void worker.terminate();
        } else {
          try {
            onMessage?.(note.message as Message);
          } finally {
            channel.countTaken();
          }
        }
      });
      ended.then(resolve, reject);
    });
    return new RingBufferWorker(worker, { channel, stop, ended });
  }

  /** Records that the handler has got so far, as of the last batch. */
  get events(): number {
    return this.#channel.events;
  }

  /** How often the worker has waited because `maxMessages` were on their way to this thread. */
  get waits(): number {
    return this.#channel.waits;
  }

  /** The thread has ended. */
  get closed(): boolean {
    return this.#over;
  }

  /** Lets the process end while the worker reads. */
  unref(): void {
    this.#worker.unref();
  }

  /** Takes {@link unref} back. */
  ref(): void {
    this.#worker.ref();
  }

  /**
   * Ends the thread, after the batch in hand, and resolves when it has ended and every message has been delivered.
   * Idempotent.
   *
   * @throws RingWorkerError where the handler has thrown
   */
  async close(): Promise<void> {
    this.#stop();
    await this.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** @throws RingWorkerError where the option `data` cannot be cloned */
function startThread(
  url: URL,
  { setup, map, close }: { setup: RingWorkerSetup; map: BpfMap; close: () => void },
): Worker {
  try {
    return new Worker(url, { workerData: setup });
  } catch (error) {
    close();
    throw new RingWorkerError(map.name, error);
  }
}

/** What stops each worker that runs. */
const running = new Set<() => void>();

function stopAll(): void {
  for (const stop of running) stop();
}

/** Otherwise the process would wait at its end for a thread that waits for the kernel. */
function stopAtExit(stop: () => void): void {
  // One listener for all: Node warns of more than ten.
  if (running.size === 0) process.on('exit', stopAll);
  running.add(stop);
}

function forgetAtExit(stop: () => void): void {
  running.delete(stop);
  if (running.size === 0) process.off('exit', stopAll);
}

interface Prepared {
  readonly setup: RingWorkerSetup;
  readonly channel: WorkerChannel;
  /** Idempotent. */
  stop(): void;
  /** After the thread's end. */
  close(): void;
}

/** Descriptors that the thread uses, and which live until it has ended, whatever becomes of the map. */
function prepare(
  map: BpfMap,
  { module, data, whenEmpty = 'block', batchSize = 1024, maxMessages = 1024 }: RingBufferWorkerOptions<never>,
): Prepared {
  checkInteger('batchSize', batchSize, { minimum: 1, maximum: 0x7fff_ffff });
  checkInteger('maxMessages', maxMessages, { minimum: 1, maximum: 0x7fff_ffff });
  if (map.type !== BPF_MAP_TYPE_RINGBUF)
    throw new ArgumentError('map', `Cannot read events from map ${map.name}: it is not a ring buffer`);
  const doing = `read ring buffer ${map.name} in a worker`;
  const { kernel, name } = map;
  const number = kernel.duplicate(map.fd.value, 3);
  if (number < 0) throw syscallError({ call: 'fcntl', errno: number, doing });
  const mapFd = new Fd(kernel, number, `map ${name}`);
  let stopFd: Fd;
  try {
    stopFd = openEvent(`what ends the worker of ring buffer ${name}`);
  } catch (error) {
    mapFd.close();
    throw error;
  }
  const channel = new WorkerChannel();
  return {
    channel,
    setup: {
      module: module.href,
      data,
      name,
      mapFd: number,
      stopFd: stopFd.value,
      shared: channel.buffer,
      spin: whenEmpty === 'spin',
      batchSize,
      maxMessages,
    },
    stop() {
      if (channel.stopped || stopFd.closed) return;
      channel.stop();
      raiseEvent(stopFd);
    },
    close() {
      mapFd.close();
      stopFd.close();
    },
  };
}
