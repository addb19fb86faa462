import type { Readable } from 'node:stream';
import { ArgumentError, ClosedError } from '../errors.ts';
import { createCodec, type Btf, type BtfValue, type InPlace } from '../btf/index.ts';
import type { BpfMap } from '../maps/index.ts';
import { BlockingWait, checkInteger, openReadinessSet, type Fd } from '../sys/index.ts';
import { typedInPlace, type InPlaceDecoder, type StructCodec } from './in-place-reader.ts';
import { LoopReading } from './loop-reading.ts';
import { isReadByGroup } from './membership.ts';
import { decodeInPlace, decodeRecords, decodeValues, type PerfDecode } from './perf-decode.ts';
import { PerfRing, type PerfWakeup } from './perf-ring.ts';
import { openPerfRings } from './perf-rings.ts';
import type { ListenOptions, RecordDecoder } from './reader-options.ts';
import type { RecordCodec } from './record-size.ts';
import {
  toNodeStream,
  toWebStream,
  type EventStreamOptions,
  type NodeEventStreamOptions,
} from './streams.ts';

/** How a perf buffer is opened and read. */
export interface PerfBufferOptions {
  /** Pages for each CPU, a power of two. @default 64 */
  readonly pagesPerCpu?: number;
  /** Samples handled before the event loop gets its turn. @default 1024 */
  readonly batchSize?: number;
  /**
   * When the kernel wakes the reader: after so many samples on one CPU, or once that many bytes wait there. More wakes it less
   * often; what was too little to wake it waits, until {@link PerfBuffer.drain} or the timeout of {@link PerfBuffer.poll}.
   * @default { events: 1 }
   */
  readonly wakeup?: PerfWakeup;
  /** Called with the CPU and how many samples the kernel dropped there because its ring was full. */
  readonly onLost?: (lost: { readonly cpu: number; readonly count: number }) => void;
}

/** A sample, and the CPU that it came from. Samples of one CPU come in their order, those of several in none. */
export interface PerfSample<Event> {
  readonly cpu: number;
  readonly event: Event;
}

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
  readonly #decode: PerfDecode<Event>;
  readonly #onLost: PerfBufferOptions['onLost'];
  readonly #forgetMap: () => void;
  #lost = 0;
  #discarded = 0;
  readonly #reading: LoopReading<PerfSample<Event>>;
  readonly #onClose = new Set<() => void>();
  #blocking: BlockingWait | undefined;
  #draining = false;
  #closed = false;
  /** The ring to begin with next: none shall wait for the others for ever. */
  #turn = 0;

  private constructor(
    map: BpfMap,
    { decode, ...options }: PerfBufferOptions & { decode: PerfDecode<Event> },
  ) {
    const { pagesPerCpu = 64, batchSize = 1024, wakeup = { events: 1 }, onLost } = options;
    checkWakeup(wakeup);
    checkInteger('batchSize', batchSize, { minimum: 1, maximum: 0x7fff_ffff });
    this.map = map;
    this.#decode = decode;
    this.#onLost = onLost;
    this.#rings = openPerfRings(map, {
      pages: pagesPerCpu,
      open: (place) => PerfRing.open(map.kernel, { ...place, wakeup }),
    });
    try {
      this.#ready = openReadinessSet(
        this.#rings.map(({ fd }) => fd),
        `the perf buffer ${map.name}`,
      );
    } catch (error) {
      for (const ring of this.#rings) ring.close();
      throw error;
    }
    this.#reading = new LoopReading<PerfSample<Event>>({
      description: `perf buffer ${map.name}`,
      batchSize,
      isClosed: () => this.#closed,
      checkFree: () => {
        if (!isReadByGroup(this)) return;
        throw new ArgumentError('map', `Cannot read perf buffer ${map.name}: a group reads it`);
      },
      readiness: () => this.#ready,
      drain: (onSample, options) => this.drain(onSample, options),
      giveBack: (samples) => {
        this.#discarded += samples.length;
      },
    });
    this.#forgetMap = map.fd.onClose(() => {
      this.close();
    });
  }

  /** Reads samples with a decoder of the caller's. Their length is rounded up by the kernel to 4 bytes past a multiple of 8. */
  static open<Event>(
    map: BpfMap,
    options: PerfBufferOptions & { readonly decode: RecordDecoder<Event> },
  ): PerfBuffer<Event> {
    return new PerfBuffer(map, { ...options, decode: decodeRecords(options.decode) });
  }

  /** Reads samples as copies of their bytes, with the padding that the kernel adds. */
  static bytes(map: BpfMap, options: PerfBufferOptions = {}): PerfBuffer<Uint8Array> {
    return PerfBuffer.open(map, { ...options, decode: (record) => record.bytes() });
  }

  /**
   * Reads samples as objects, by their BTF type.
   *
   * A flexible array at its end has the whole elements up to the sample's end, and the padding that the kernel adds is in it: up
   * to 7 bytes, which nothing tells from what was sent. A field of the struct that says the length does.
   *
   * @throws EventSizeError, while reading, for one of another size
   */
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
    options: PerfBufferOptions & { readonly codec: RecordCodec<Event> },
  ): PerfBuffer<Event> {
    const { codec, ...rest } = options;
    return new PerfBuffer(map, { ...rest, decode: decodeValues(map.name, codec) });
  }

  /** As {@link RingBuffer.inPlace}. */
  static inPlace<Fields, Event>(
    map: BpfMap,
    options: PerfBufferOptions & {
      readonly btf: Btf;
      readonly typeId: number;
      readonly decode: InPlaceDecoder<Fields, Event>;
    },
  ): PerfBuffer<Event> {
    const { btf, typeId, decode, ...rest } = options;
    return PerfBuffer.inPlaceWithCodec(map, { ...rest, ...typedInPlace({ btf, typeId, decode }) });
  }

  /** As {@link RingBuffer.inPlaceWithCodec}. */
  static inPlaceWithCodec<Value, Event>(
    map: BpfMap,
    options: PerfBufferOptions & {
      readonly codec: StructCodec<Value>;
      readonly decode: InPlaceDecoder<InPlace<Value>, Event>;
    },
  ): PerfBuffer<Event> {
    const { codec, decode, ...rest } = options;
    return new PerfBuffer(map, { ...rest, decode: decodeInPlace(map.name, codec, decode) });
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

  /** It is being listened to, or an iteration reads it, or a group does. */
  get reading(): boolean {
    return this.#reading.active || isReadByGroup(this);
  }

  /** Bytes that wait in the rings of all CPUs, headers included. */
  get pending(): number {
    let pending = 0;
    if (!this.#closed) for (const ring of this.#rings) pending += ring.pending;
    return pending;
  }

  /** Readable, and that once, when there is something new in a ring: libbpf's `perf_buffer__epoll_fd()`. */
  get fd(): Fd {
    return this.#ready;
  }

  /** Calls back once, when it closes. What it returns takes the action back. */
  onClose(action: () => void): () => void {
    this.#onClose.add(action);
    return () => {
      this.#onClose.delete(action);
    };
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
  listen(onSample: (sample: PerfSample<Event>) => void, options: ListenOptions = {}): void {
    this.#reading.listen((limit) => this.drain(onSample, limit), options);
  }

  /**
   * Handles what is there; where nothing is, blocks this thread until something comes, and handles that: libbpf's
   * `perf_buffer__poll()`. Returns how many samples it was: 0 after the timeout, or earlier where a signal came. For threads
   * whose event loop has nothing else to do.
   *
   * @param options.timeout Milliseconds; -1 waits for ever. @default -1
   * @param options.limit As of {@link drain}.
   * @throws as {@link drain}; SyscallError
   */
  poll(
    onSample: (sample: PerfSample<Event>) => void,
    options: { timeout?: number; limit?: number } = {},
  ): number {
    const { timeout = -1 } = options;
    checkInteger('timeout', timeout, { minimum: -1, maximum: 0x7fff_ffff });
    const end = performance.now() + timeout;
    // Before draining, since adding to a set uses up what perf_poll() of kernel/events/core.c tells only once.
    this.#blocking ??= BlockingWait.open([this.#ready], `the perf buffer ${this.map.name}`);
    for (;;) {
      const count = this.drain(onSample, options);
      if (count > 0 || this.closed) return count;
      const left = timeout < 0 ? -1 : Math.max(0, Math.ceil(end - performance.now()));
      // True for what was drained before without waiting, too, and nothing is there then: so it waits on.
      if (!this.#blocking.wait(left)) return 0;
    }
  }

  /** Ends {@link listen} and iterations; the reader can be used again. */
  stop(): void {
    this.#reading.stop();
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
  samples(options: { signal?: AbortSignal } = {}): AsyncGenerator<PerfSample<Event>, undefined> {
    return this.#reading.items(options.signal);
  }

  /**
   * The samples as a stream of the web, in batches from the rings and only as fast as they are taken. It ends when the
   * reader stops or closes; cancelling it leaves the reader open.
   *
   * @throws ClosedError; the stream fails with what {@link samples} throws
   */
  toWebStream(options: EventStreamOptions = {}): ReadableStream<PerfSample<Event>> {
    return toWebStream(this.#reading.streamed(), options);
  }

  /**
   * The samples as a `Readable` in object mode. It ends when the reader stops or closes.
   *
   * @throws ClosedError; the stream fails with what {@link samples} throws
   */
  toNodeStream(options: NodeEventStreamOptions = {}): Readable {
    return toNodeStream(this.#reading.streamed(), options);
  }

  /** Idempotent, and safe in callbacks. Ends iterations and listening. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.stop();
    this.#forgetMap();
    if (!this.#draining) this.#release();
    for (const action of this.#onClose) action();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #release(): void {
    this.#blocking?.close();
    this.#ready.close();
    for (const ring of this.#rings) ring.close();
  }
}

function checkWakeup(wakeup: PerfWakeup): void {
  const [name, value] = 'bytes' in wakeup ? ['bytes', wakeup.bytes] : ['events', wakeup.events];
  checkInteger(`wakeup.${name}`, value, { minimum: 1, maximum: 0x7fff_ffff });
}
