import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { ArgumentError, RingWorkerError } from '../errors.ts';
import { BpfMap } from '../maps/index.ts';
import { checkInteger, Fd, openEvent, raiseEvent, syscallError } from '../sys/index.ts';
import { BPF_MAP_TYPE_PERF_EVENT_ARRAY, BPF_MAP_TYPE_RINGBUF } from '../uapi/index.ts';
import { WorkerChannel } from './worker-channel.ts';
import type { RingWorkerNote, RingWorkerSetup } from './worker-loop.ts';

const READABLE: ReadonlySet<number> = new Set([BPF_MAP_TYPE_RINGBUF, BPF_MAP_TYPE_PERF_EVENT_ARRAY]);

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
  /** Pages for each CPU of a perf buffer, a power of two. @default 64 */
  readonly pagesPerCpu?: number;
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

/** What a {@link RingBufferWorker} reads: one map, or several by the names that their records come with. */
export type RingWorkerMaps = BpfMap | Readonly<Record<string, BpfMap>>;

/**
 * Reads ring buffers (Linux 5.8) and perf buffers (4.4), one or several behind one epoll set, in a thread of its own: its
 * callback runs there, without an event loop in between, which is the shortest way from the kernel to JavaScript. What this
 * thread shall know the handler posts.
 *
 * It keeps the process alive until it is closed or {@link unref}'d. It does not own the maps; it ends when one is closed.
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
   * @throws ArgumentError for a map that is neither a ring buffer nor an array of perf events; ClosedError; RingWorkerError where the module cannot be used;
   * SyscallError
   */
  static async start<Message = unknown>(
    maps: RingWorkerMaps,
    options: RingBufferWorkerOptions<Message>,
  ): Promise<RingBufferWorker> {
    const { signal, onMessage } = options;
    const sources = maps instanceof BpfMap ? { [maps.name]: maps } : maps;
    const { setup, channel, stop, close } = prepare(sources, options);
    const names = describeMaps(sources);
    const threadUrl = new URL(`../ringbuf/worker-thread${extname(import.meta.url)}`, import.meta.url);
    const worker = startThread(threadUrl, { setup, names, close });
    const forgetMaps = Object.values(sources).map((map) => map.fd.onClose(stop));
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
        for (const forget of forgetMaps) forget();
        close();
        if (failure === undefined) resolve();
        else reject(new RingWorkerError(names, failure));
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

  /** Samples that the kernel dropped in perf buffers so far, as far as it has told. Ring buffers do not tell. */
  get lost(): number {
    return this.#channel.lost;
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
  { setup, names, close }: { setup: RingWorkerSetup; names: Description; close: () => void },
): Worker {
  try {
    return new Worker(url, { workerData: setup });
  } catch (error) {
    close();
    throw new RingWorkerError(names, error);
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

/** What a worker's maps are called in messages. */
interface Description {
  readonly map: string;
  /** `ring buffer events`, `maps execs, samples` */
  readonly what: string;
}

function describeMaps(maps: Readonly<Record<string, BpfMap>>): Description {
  const values = Object.values(maps);
  const map = values.map(({ name }) => name).join(', ');
  const kind = values[0]?.type === BPF_MAP_TYPE_RINGBUF ? 'ring buffer' : 'perf buffer';
  return { map, what: `${values.length === 1 ? kind : 'maps'} ${map}` };
}

/** Descriptors that the thread uses, and which live until it has ended, whatever becomes of the maps. */
function prepare(maps: Readonly<Record<string, BpfMap>>, options: RingBufferWorkerOptions<never>): Prepared {
  const { module, data, whenEmpty = 'block' } = options;
  const { batchSize = 1024, maxMessages = 1024, pagesPerCpu = 64 } = options;
  checkInteger('batchSize', batchSize, { minimum: 1, maximum: 0x7fff_ffff });
  checkInteger('maxMessages', maxMessages, { minimum: 1, maximum: 0x7fff_ffff });
  const entries = Object.entries(maps);
  if (entries.length === 0) throw new ArgumentError('maps', 'Cannot start a worker: it has no map to read');
  const other = entries.find(([, { type }]) => !READABLE.has(type))?.[1];
  if (other) {
    const message = `Cannot read events from map ${other.name}: it is not a ring buffer`;
    throw new ArgumentError('map', message);
  }
  const lent: { readonly name: string; readonly mapName: string; readonly fd: Fd }[] = [];
  const close = (): void => {
    for (const { fd } of lent) fd.close();
  };
  let stopFd: Fd;
  try {
    for (const [name, map] of entries) lent.push({ name, mapName: map.name, fd: duplicate(map) });
    stopFd = openEvent(`what ends the worker of ${describeMaps(maps).what}`);
  } catch (error) {
    close();
    throw error;
  }
  const channel = new WorkerChannel();
  return {
    channel,
    setup: {
      module: module.href,
      data,
      maps: lent.map(({ fd, ...names }) => ({ ...names, fd: fd.value })),
      pagesPerCpu,
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
      close();
      stopFd.close();
    },
  };
}

function duplicate({ kernel, fd, name }: BpfMap): Fd {
  const number = kernel.duplicate(fd.value, 3);
  const doing = `read map ${name} in a worker`;
  if (number < 0) throw syscallError({ call: 'fcntl', errno: number, doing });
  return new Fd(kernel, number, `map ${name}`);
}
