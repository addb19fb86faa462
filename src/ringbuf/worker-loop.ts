import type { MessagePort } from 'node:worker_threads';
import { ArgumentError } from '../errors.ts';
import { BpfMap, readMapInfo } from '../maps/index.ts';
import { BlockingWait, Fd, systemKernel } from '../sys/index.ts';
import type { RingBufferRecord } from './record.ts';
import { RingBuffer } from './ring-buffer.ts';
import { LONGEST_WAIT, WorkerChannel } from './worker-channel.ts';

/** What a handler of a {@link RingBufferWorker} is made with. */
export interface RingWorkerContext<Data = unknown, Message = unknown> {
  /** A structured clone of the option `data`. */
  readonly data: Data;
  /** Sends a message to the thread that started the worker. What `transfer` lists is moved and not copied. */
  post(message: Message, transfer?: readonly ArrayBuffer[]): void;
}

/** What reads in the thread of a {@link RingBufferWorker}. Everything is called synchronously: promises are not waited for. */
export interface RingWorkerHandler {
  /** For each record, which is gone when this returns. */
  onRecord(record: RingBufferRecord): void;
  /** After the records that were there, at most `batchSize` of them. */
  onBatch?(): void;
  /** Once, when the worker is closed. */
  onEnd?(): void;
}

/** The default export of the module that a {@link RingBufferWorker} runs. */
export type MakeRingWorkerHandler<Data = unknown, Message = unknown> = (
  context: RingWorkerContext<Data, Message>,
) => RingWorkerHandler | Promise<RingWorkerHandler>;

/** What the worker gets. The descriptors are lent: the thread that started it closes them after its end. */
export interface RingWorkerSetup {
  readonly module: string;
  readonly data: unknown;
  readonly name: string;
  readonly mapFd: number;
  readonly stopFd: number;
  readonly shared: SharedArrayBuffer;
  readonly spin: boolean;
  readonly batchSize: number;
  readonly maxMessages: number;
}

/** What the worker says. */
export type RingWorkerNote =
  { readonly ready: true } | { readonly message: unknown } | { readonly ended: true };

/** Reads until it is stopped. */
export async function runRingWorker(setup: RingWorkerSetup, port: MessagePort): Promise<void> {
  const channel = new WorkerChannel(setup.shared);
  const handler = await makeHandler(setup, {
    data: setup.data,
    post(message, transfer = []) {
      port.postMessage({ message } satisfies RingWorkerNote, transfer);
      // Only now: what cannot be cloned is thrown at the handler, and nobody takes it.
      channel.countPosted();
    },
  });
  const kernel = systemKernel();
  const fd = new Fd(kernel, setup.mapFd, `map ${setup.name}`);
  const stop = new Fd(kernel, setup.stopFd, 'what ends a worker');
  try {
    const map = new BpfMap(fd, { ...readMapInfo(kernel, fd), name: setup.name, kernel, types: undefined });
    using ring = RingBuffer.open(map, { decode: (record) => record });
    const wait = BlockingWait.open([fd, stop], `the ring buffer ${setup.name}`);
    const close = (): void => {
      wait.close();
    };
    // A handler that calls process.exit() ends this thread, with no `finally` run, but not the process.
    process.once('exit', close);
    try {
      port.postMessage({ ready: true } satisfies RingWorkerNote);
      readUntilStopped({ ring, wait, channel, handler, setup });
    } finally {
      process.off('exit', close);
      close();
    }
    handler.onEnd?.();
  } finally {
    fd.release();
    stop.release();
  }
}

function readUntilStopped(parts: {
  ring: RingBuffer<RingBufferRecord>;
  wait: BlockingWait;
  channel: WorkerChannel;
  handler: RingWorkerHandler;
  setup: RingWorkerSetup;
}): void {
  const { ring, wait, channel, handler, setup } = parts;
  const { spin, batchSize, maxMessages } = setup;
  const onRecord = (record: RingBufferRecord): void => {
    handler.onRecord(record);
  };
  while (!channel.stopped) {
    if (ring.pending === 0) {
      if (!spin) wait.wait(LONGEST_WAIT);
      continue;
    }
    channel.waitForRoom(maxMessages);
    // A handler that posts one message for each record stays below the limit then.
    const limit = Math.min(batchSize, maxMessages - channel.inFlight);
    if (limit <= 0) continue;
    const count = ring.drain(onRecord, { limit });
    if (count === 0) continue;
    channel.countEvents(count);
    handler.onBatch?.();
  }
}

async function makeHandler(
  { module }: RingWorkerSetup,
  context: RingWorkerContext,
): Promise<RingWorkerHandler> {
  const imported = (await import(module)) as { default?: unknown };
  if (typeof imported.default !== 'function')
    throw new ArgumentError('module', `its module ${module} has no default export that is a function`);
  const handler: unknown = await (imported.default as MakeRingWorkerHandler)(context);
  if (typeof (handler as Partial<RingWorkerHandler> | undefined)?.onRecord === 'function')
    return handler as RingWorkerHandler;
  throw new ArgumentError('module', `what its module ${module} returns has no method onRecord`);
}
