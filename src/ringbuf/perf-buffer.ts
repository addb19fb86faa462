import type { Readable } from 'node:stream';
import { ArgumentError, ClosedError, EventSizeError } from '../errors.ts';
import { createCodec, type Btf, type BtfValue, type ValueCodec } from '../btf/index.ts';
import { PerfEventArray, type BpfMap } from '../maps/index.ts';
import { checkInteger, errno, openReadinessSet, watchReadable, type Fd } from '../sys/index.ts';
import { PerfRing } from './perf-ring.ts';
import { RingBufferRecord } from './record.ts';
import type { ListenOptions, RecordDecoder } from './ring-buffer.ts';
import {
  toNodeStream,
  toWebStream,
  type EventStreamOptions,
  type NodeEventStreamOptions,
  type StreamedReader,
} from './streams.ts';

/** How a perf buffer is opened and read. */
export interface PerfBufferOptions {
  /** Pages for each CPU, a power of two. @default 64 */
  readonly pagesPerCpu?: number;
  /** Samples handled before the event loop gets its turn. @default 1024 */
  readonly batchSize?: number;
  /** Called with the CPU and how many samples the kernel dropped there because its ring was full. */
  readonly onLost?: (lost: { readonly cpu: number; readonly count: number }) => void;
}

/** A sample, and the CPU that it came from. Samples of one CPU come in their order, those of several in none. */
export interface PerfSample<Event> {
  readonly cpu: number;
  readonly event: Event;
}

/** What an iteration waits for. */
interface IterationWaiter {
  /** There may be samples. */
  ready: boolean;
  /** It was stopped. */
  isOver(): boolean;
  /** Resolves when it is ready or over. */
  wait(): Promise<void>;
  end(): void;
}

type Decode<Event> = (view: DataView, start: number, length: number) => Event;

/**
 * Reads the samples that programs write with `bpf_perf_event_output()` (Linux 4.4): a ring for each CPU, all of them behind
 * one readiness. Opening it puts its events into the map, in the place of those that were there, so that another reader of
 * the same map gets nothing more. CPUs that are off when it is opened are left out.
 *
 * A ring that is full loses samples; how many is counted in {@link lost} once there is room again. It does not own the map,
 * and closes with it, or before.
 *
 * @example
 * using events = PerfBuffer.typed(collection.map('events'), { btf, typeId });
 * for await (const { cpu, event } of events) console.log(cpu, event);
 */
export class PerfBuffer<Event> implements AsyncIterable<PerfSample<Event>> {
  readonly map: BpfMap;
  readonly #rings: readonly PerfRing[];
  readonly #ready: Fd;
  readonly #decode: Decode<Event>;
  readonly #batchSize: number;
  readonly #onLost: PerfBufferOptions['onLost'];
  readonly #forgetMap: () => void;
  #lost = 0;
  #discarded = 0;
  #stop: (() => void) | undefined;
  #draining = false;
  #closed = false;
  /** The ring to begin with next: none shall wait for the others for ever. */
  #turn = 0;

  private constructor(map: BpfMap, { decode, ...options }: PerfBufferOptions & { decode: Decode<Event> }) {
    const { pagesPerCpu = 64, batchSize = 1024, onLost } = options;
    checkInteger('batchSize', batchSize, { minimum: 1, maximum: 0x7fff_ffff });
    checkInteger('pagesPerCpu', pagesPerCpu, { minimum: 1, maximum: 0x10_0000 });
    if ((pagesPerCpu & (pagesPerCpu - 1)) !== 0) {
      const message = `Cannot use ${pagesPerCpu} pages for each CPU: a power of two is wanted`;
      throw new ArgumentError('pagesPerCpu', message);
    }
    this.map = map;
    this.#decode = decode;
    this.#batchSize = batchSize;
    this.#onLost = onLost;
    this.#rings = openRings(map, pagesPerCpu);
    try {
      this.#ready = openReadinessSet(
        this.#rings.map(({ fd }) => fd),
        `the perf buffer ${map.name}`,
      );
    } catch (error) {
      for (const ring of this.#rings) ring.close();
      throw error;
    }
    this.#forgetMap = map.fd.onClose(() => {
      this.close();
    });
  }

  /** Reads samples with a decoder of the caller's. Their length is rounded up by the kernel to 4 bytes past a multiple of 8. */
  static open<Event>(
    map: BpfMap,
    options: PerfBufferOptions & { readonly decode: RecordDecoder<Event> },
  ): PerfBuffer<Event> {
    const records = new WeakMap<DataView, RingBufferRecord>();
    return new PerfBuffer(map, {
      ...options,
      decode(view, start, length) {
        let record = records.get(view);
        if (record === undefined) {
          record = new RingBufferRecord(view);
          records.set(view, record);
        }
        record.moveTo(start, length);
        return options.decode(record);
      },
    });
  }

  /** Reads samples as copies of their bytes, with the padding that the kernel adds. */
  static bytes(map: BpfMap, options: PerfBufferOptions = {}): PerfBuffer<Uint8Array> {
    return PerfBuffer.open(map, { ...options, decode: (record) => record.bytes() });
  }

  /** Reads samples as objects, by their BTF type. @throws EventSizeError, while reading, for one of another size */
  static typed(
    map: BpfMap,
    options: PerfBufferOptions & { readonly btf: Btf; readonly typeId: number },
  ): PerfBuffer<BtfValue> {
    const { btf, typeId, ...rest } = options;
    return PerfBuffer.withCodec(map, { ...rest, codec: createCodec(btf, typeId) });
  }

  /** Reads samples by a codec: as {@link typed}, for whoever has compiled one. */
  static withCodec<Event>(
    map: BpfMap,
    options: PerfBufferOptions & { readonly codec: Pick<ValueCodec<Event>, 'size' | 'typeName' | 'read'> },
  ): PerfBuffer<Event> {
    const { codec, ...rest } = options;
    const name = codec.typeName.replace(/^struct /, '');
    return new PerfBuffer(map, {
      ...rest,
      decode(view, start, length) {
        // Length and data together are padded to 8 bytes (perf_prepare_sample() in kernel/events/core.c).
        if (length < codec.size || length - codec.size >= 8)
          throw new EventSizeError(map.name, name, codec.size, length);
        return codec.read(view, start);
      },
    });
  }

  /** Samples that the kernel dropped so far, as far as it has told. */
  get lost(): number {
    return this.#lost;
  }

  /** Samples that were read and that nobody got, because an iteration or a stream ended before. */
  get discarded(): number {
    return this.#discarded;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Handles what is there now, at most `limit` samples, and returns how many it was.
   *
   * @throws ClosedError; ArgumentError when called from within its own callback; what the decoder and `onSample` throw, after
   * which the sample counts as read
   */
  drain(onSample: (sample: PerfSample<Event>) => void, options: { limit?: number } = {}): number {
    if (this.#closed) throw new ClosedError(`the perf buffer ${this.map.name}`);
    if (this.#draining) {
      const message = `Cannot drain perf buffer ${this.map.name} from within its own callback`;
      throw new ArgumentError('onSample', message);
    }
    const limit = options.limit ?? Number.POSITIVE_INFINITY;
    if (!(limit > 0)) return 0;
    let count = 0;
    this.#draining = true;
    try {
      for (let step = 0; step < this.#rings.length && count < limit && !this.closed; step++) {
        const ring = this.#rings[this.#turn % this.#rings.length];
        if (ring === undefined) break;
        const { cpu } = ring;
        this.#turn++;
        ring.walk({
          sample: (view, start, length) => {
            count++;
            onSample({ cpu, event: this.#decode(view, start, length) });
            return count < limit && !this.#closed;
          },
          lost: (dropped) => {
            this.#lost += dropped;
            this.#onLost?.({ cpu, count: dropped });
          },
        });
      }
      return count;
    } finally {
      this.#draining = false;
      // A callback may have closed it.
      if (this.closed) this.#release();
    }
  }

  /**
   * Calls back for each sample, from now on, until the signal aborts or the reader closes. Keeps the process alive.
   *
   * @throws ClosedError; ArgumentError where it is being read already
   */
  listen(onSample: (sample: PerfSample<Event>) => void, { signal, onError }: ListenOptions = {}): void {
    this.#checkFree();
    if (signal?.aborted === true) return;
    let listening = true;
    const fail = (error: unknown): void => {
      this.stop();
      if (!onError || !(error instanceof Error)) throw error;
      onError(error);
    };
    const drain = (): void => {
      if (!listening || this.#closed) return;
      try {
        const count = this.drain(onSample, { limit: this.#batchSize });
        // The kernel says only once that there is something (perf_poll() of kernel/events/core.c).
        if (count === this.#batchSize) setImmediate(drain);
      } catch (error) {
        fail(error);
      }
    };
    const watch = watchReadable(this.#ready, { onReadable: drain, onError: fail });
    const stop = (): void => {
      this.stop();
    };
    signal?.addEventListener('abort', stop, { once: true });
    this.#stop = () => {
      listening = false;
      watch.close();
      signal?.removeEventListener('abort', stop);
    };
    // Starting to watch may have used up what the kernel says only once.
    setImmediate(drain);
  }

  /** Ends {@link listen} and iterations; the reader can be used again. */
  stop(): void {
    this.#stop?.();
    this.#stop = undefined;
  }

  [Symbol.asyncIterator](): AsyncIterator<PerfSample<Event>, undefined> {
    return this.samples();
  }

  /**
   * The samples as an async iterator, read in batches and only as fast as they are taken: what a slow loop leaves in the rings
   * is lost there, and counted. It ends when the signal aborts, or the reader stops or closes. Of the batch in hand, what was
   * not taken when the loop is left is gone, and counted in {@link discarded}.
   *
   * @throws ClosedError; ArgumentError where it is being read already; what {@link drain} throws
   */
  async *samples(options: { signal?: AbortSignal } = {}): AsyncGenerator<PerfSample<Event>, undefined> {
    const { signal } = options;
    if (signal?.aborted === true) return;
    const waiter = this.#wait(signal);
    try {
      while (!waiter.isOver()) {
        // Before the rings are read, since the kernel says of each sample only once that it is there.
        waiter.ready = false;
        const batch: PerfSample<Event>[] = [];
        let failure: { readonly error: unknown } | undefined;
        try {
          this.drain((sample) => batch.push(sample), { limit: this.#batchSize });
        } catch (error) {
          failure = { error };
        }
        let given = 0;
        try {
          for (const sample of batch) {
            if (waiter.isOver()) return;
            given++;
            yield sample;
          }
        } finally {
          this.#discarded += batch.length - given;
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

  /**
   * The samples as a stream of the web, in batches from the rings and only as fast as they are taken. It ends when the
   * reader stops or closes; cancelling it leaves the reader open.
   *
   * @throws ClosedError; the stream fails with what {@link samples} throws
   */
  toWebStream(options: EventStreamOptions = {}): ReadableStream<PerfSample<Event>> {
    return toWebStream(this.#streamed(), options);
  }

  /**
   * The samples as a `Readable` in object mode. It ends when the reader stops or closes.
   *
   * @throws ClosedError; the stream fails with what {@link samples} throws
   */
  toNodeStream(options: NodeEventStreamOptions = {}): Readable {
    return toNodeStream(this.#streamed(), options);
  }

  #streamed(): StreamedReader<PerfSample<Event>> {
    if (this.#closed) throw new ClosedError(`the perf buffer ${this.map.name}`);
    return {
      description: `perf buffer ${this.map.name}`,
      iterate: (options) => this.samples(options),
      giveBack: (samples) => {
        this.#discarded += samples.length;
      },
    };
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
    const watch = watchReadable(this.#ready, {
      onReadable() {
        waiter.ready = true;
        wake();
      },
      onError(error) {
        failure = error;
        wake();
      },
    });
    const stop = (): void => {
      this.stop();
    };
    signal?.addEventListener('abort', stop, { once: true });
    this.#stop = () => {
      over = true;
      watch.close();
      signal?.removeEventListener('abort', stop);
      wake();
    };
    return waiter;
  }

  #checkFree(): void {
    if (this.#closed) throw new ClosedError(`the perf buffer ${this.map.name}`);
    if (this.#stop)
      throw new ArgumentError('map', `Cannot read perf buffer ${this.map.name}: it is being read already`);
  }

  /** Idempotent, and safe in callbacks. Ends iterations and listening. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.stop();
    this.#forgetMap();
    if (!this.#draining) this.#release();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #release(): void {
    this.#ready.close();
    for (const ring of this.#rings) ring.close();
  }
}

/** A ring for each CPU that is on and has a place in the map, put into it. */
function openRings(map: BpfMap, pages: number): PerfRing[] {
  const { kernel, maxEntries, name } = map;
  const events = new PerfEventArray(map);
  const rings: PerfRing[] = [];
  try {
    for (let cpu = 0; cpu < Math.min(maxEntries, kernel.possibleCpus()); cpu++) {
      const ring = openUnlessOff(map, { cpu, pages });
      if (ring === undefined) continue;
      rings.push(ring);
      events.set(cpu, ring.fd);
    }
  } catch (error) {
    for (const ring of rings) ring.close();
    throw error;
  }
  if (rings.length > 0) return rings;
  throw new ArgumentError(
    'map',
    `Cannot read samples from map ${name}: it has no place for a CPU that is on`,
  );
}

function openUnlessOff(
  { kernel, name }: BpfMap,
  { cpu, pages }: { cpu: number; pages: number },
): PerfRing | undefined {
  try {
    return PerfRing.open(kernel, { cpu, pages, doing: `read samples from map ${name}` });
  } catch (error) {
    if ((error as { errno?: number }).errno === errno.ENODEV) return undefined;
    throw error;
  }
}
