import type { MessagePort } from 'node:worker_threads';
import { ArgumentError } from '../errors.ts';
import { BpfMap, readMapInfo } from '../maps/index.ts';
import { BlockingWait, Fd, systemKernel } from '../sys/index.ts';
import { BPF_MAP_TYPE_RINGBUF } from '../uapi/index.ts';
import { PerfBuffer, type PerfSample } from './perf-buffer.ts';
import { ReaderGroup, type GroupHandlers } from './reader-group.ts';
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

/** Where a record of a {@link RingBufferWorker} comes from. */
export interface RecordSource {
  /** What the map was given as; its name, where one map alone is read. */
  readonly name: string;
  /** Of a perf buffer; undefined for a ring buffer. */
  readonly cpu: number | undefined;
}

/** What reads in the thread of a {@link RingBufferWorker}. Everything is called synchronously: promises are not waited for. */
export interface RingWorkerHandler {
  /** For each record, which is gone when this returns. `source` says of which map it is. */
  onRecord(record: RingBufferRecord, source: RecordSource): void;
  /** Samples that the kernel dropped, because the ring of a perf buffer was full. */
  onLost?(count: number, source: RecordSource): void;
  /** After the records that were there, at most `batchSize` of them. */
  onBatch?(): void;
  /** Once, when the worker is closed. */
  onEnd?(): void;
}

/** The default export of the module that a {@link RingBufferWorker} runs. */
export type MakeRingWorkerHandler<Data = unknown, Message = unknown> = (
  context: RingWorkerContext<Data, Message>,
) => RingWorkerHandler | Promise<RingWorkerHandler>;

/** A map that a worker reads. */
export interface LentMap {
  /** What its records come as. */
  readonly name: string;
  /** The map's own name. */
  readonly mapName: string;
  readonly fd: number;
}

/** What the worker gets. The descriptors are lent: the thread that started it closes them after its end. */
export interface RingWorkerSetup {
  readonly module: string;
  readonly data: unknown;
  readonly maps: readonly LentMap[];
  readonly pagesPerCpu: number;
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
  const lent: Fd[] = [];
  const lend = (fd: number, description: string): Fd => {
    const made = new Fd(kernel, fd, description);
    lent.push(made);
    return made;
  };
  const stop = lend(setup.stopFd, 'what ends a worker');
  const readers: OpenReader[] = [];
  try {
    for (const one of setup.maps) {
      const fd = lend(one.fd, `map ${one.mapName}`);
      const map = new BpfMap(fd, {
        ...readMapInfo(kernel, fd),
        name: one.mapName,
        kernel,
        types: undefined,
      });
      readers.push(openReader(map, { name: one.name, handler, channel, pagesPerCpu: setup.pagesPerCpu }));
    }
    const group = ReaderGroup.of(Object.fromEntries(readers.map(({ name, reader }) => [name, reader])));
    const descriptors = [...readers.map(({ reader }) => reader.fd), stop];
    const wait = BlockingWait.open(descriptors, `the maps ${readers.map(({ name }) => name).join(', ')}`);
    const close = (): void => {
      wait.close();
      for (const { reader } of readers) reader.close();
    };
    // A handler that calls process.exit() ends this thread, with no `finally` run, but not the process.
    process.once('exit', close);
    try {
      port.postMessage({ ready: true } satisfies RingWorkerNote);
      const handlers = Object.fromEntries(readers.map(({ name, onItem }) => [name, onItem]));
      readUntilStopped({ group, handlers, wait, channel, handler, setup });
    } finally {
      process.off('exit', close);
      close();
    }
    handler.onEnd?.();
  } finally {
    for (const { reader } of readers) reader.close();
    for (const fd of lent) fd.release();
  }
}

/** A reader, and what takes its items to the handler. */
interface OpenReader {
  readonly name: string;
  readonly reader: RingBuffer<RingBufferRecord> | PerfBuffer<RingBufferRecord>;
  readonly onItem: (item: never) => void;
}

type Readers = Readonly<Record<string, OpenReader['reader']>>;

function openReader(
  map: BpfMap,
  parts: { name: string; handler: RingWorkerHandler; channel: WorkerChannel; pagesPerCpu: number },
): OpenReader {
  const { name, handler, channel, pagesPerCpu } = parts;
  const decode = (record: RingBufferRecord): RingBufferRecord => record;
  if (map.type === BPF_MAP_TYPE_RINGBUF) {
    const source: RecordSource = { name, cpu: undefined };
    const onItem = (record: RingBufferRecord): void => {
      handler.onRecord(record, source);
    };
    return { name, reader: RingBuffer.open(map, { decode }), onItem };
  }
  const sources: RecordSource[] = [];
  const sourceOf = (cpu: number): RecordSource => (sources[cpu] ??= { name, cpu });
  const reader = PerfBuffer.open(map, {
    decode,
    pagesPerCpu,
    onLost({ cpu, count }) {
      channel.countLost(count);
      handler.onLost?.(count, sourceOf(cpu));
    },
  });
  const onItem = ({ cpu, event }: PerfSample<RingBufferRecord>): void => {
    handler.onRecord(event, sourceOf(cpu));
  };
  return { name, reader, onItem };
}

function readUntilStopped(parts: {
  group: ReaderGroup<Readers>;
  handlers: Readonly<Record<string, OpenReader['onItem']>>;
  wait: BlockingWait;
  channel: WorkerChannel;
  handler: RingWorkerHandler;
  setup: RingWorkerSetup;
}): void {
  const { group, handlers, wait, channel, handler, setup } = parts;
  const { spin, batchSize, maxMessages } = setup;
  while (!channel.stopped) {
    if (group.pending === 0) {
      if (!spin) wait.wait(LONGEST_WAIT);
      continue;
    }
    channel.waitForRoom(maxMessages);
    // A handler that posts one message for each record stays below the limit then.
    const limit = Math.min(batchSize, maxMessages - channel.inFlight);
    if (limit <= 0) continue;
    const count = group.drain(handlers as GroupHandlers<Readers>, { limit });
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
