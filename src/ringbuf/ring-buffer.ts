import type { Readable } from 'node:stream';
import { ArgumentError, ClosedError } from '../errors.ts';
import { createCodec, type Btf, type BtfValue, type InPlace } from '../btf/index.ts';
import type { BpfMap } from '../maps/index.ts';
import { BlockingWait, checkInteger, watchReadable, type Fd, type ReadableWatch } from '../sys/index.ts';
import { checkBatchSize } from './batch-size.ts';
import { inPlaceReader, typedInPlace, type InPlaceDecoder, type StructCodec } from './in-place-reader.ts';
import { isReadByGroup } from './membership.ts';
import type { ListenOptions, RecordDecoder, RingBufferOptions } from './reader-options.ts';
import { recordSizes, wrongSize, type RecordCodec } from './record-size.ts';
import { RingBufferRecord } from './record.ts';
import { RingMemory } from './ring-memory.ts';
import {
  toNodeStream,
  toWebStream,
  type EventStreamOptions,
  type NodeEventStreamOptions,
  type StreamedReader,
} from './streams.ts';

/**
 * Reads the events of a ring buffer map (`BPF_MAP_TYPE_RINGBUF`, Linux 5.8).
 *
 * {@link listen} with a callback, `for await`, a stream of the web ({@link toWebStream}) or of Node ({@link toNodeStream}),
 * {@link drain} whenever it suits the caller, {@link poll} in a thread that may block: one of them at a time. A reader
 * that falls behind loses nothing here; the kernel drops new events when the ring is full, which only the program can
 * count.
 *
 * It does not own the map: closing the reader leaves the map open.
 *
 * @example
 * using events = RingBuffer.typed(collection.map('events'), { btf, typeId });
 * for await (const event of events) console.log(event.src_ip, event.dst_port);
 */
export class RingBuffer<Event> implements AsyncIterable<Event> {
  readonly map: BpfMap;
  readonly #memory: RingMemory;
  readonly #decode: (start: number, length: number) => Event;
  readonly #batchSize: number;
  /** What {@link listen} or a waiting iteration has to take back; there is one of them at most. */
  #listening: (() => void) | undefined;
  #waiting: { readonly done: () => void; readonly fail: (error: Error) => void } | undefined;
  /** What iterations wait with: made once, because that takes eight system calls, and paused while nobody waits. */
  #readiness: ReadableWatch | undefined;
  #draining = false;
  /** Events that an iteration has read and not given out, the last one first. */
  #backlog: Event[] = [];
  /** Why no more than the backlog could be read. */
  #failure: { readonly error: unknown } | undefined;
  readonly #forgetMap: () => void;
  readonly #onClose = new Set<() => void>();
  /** Made by the first {@link poll} that has to wait. */
  #blocking: BlockingWait | undefined;

  private constructor(
    map: BpfMap,
    memory: RingMemory,
    setup: { decode: (start: number, length: number) => Event; batchSize: number },
  ) {
    this.map = map;
    this.#memory = memory;
    this.#decode = setup.decode;
    this.#batchSize = setup.batchSize;
    this.#forgetMap = map.fd.onClose(() => {
      this.close();
    });
  }

  /**
   * Reads records with a decoder of the caller's: the fastest way to a few fields.
   *
   * @throws ArgumentError for a map that is no ring buffer, SyscallError where it cannot be mapped
   */
  static open<Event>(
    map: BpfMap,
    options: RingBufferOptions & { readonly decode: RecordDecoder<Event> },
  ): RingBuffer<Event> {
    const batchSize = checkBatchSize(options.batchSize);
    const memory = RingMemory.map(map);
    const record = new RingBufferRecord(memory.data);
    const decode = (start: number, length: number): Event => {
      record.moveTo(start, length);
      return options.decode(record);
    };
    return new RingBuffer(map, memory, { decode, batchSize });
  }

  /** Reads records as copies of their bytes. */
  static bytes(map: BpfMap, options: RingBufferOptions = {}): RingBuffer<Uint8Array> {
    return RingBuffer.open(map, { ...options, decode: (record) => record.bytes() });
  }

  /**
   * Reads records as objects, by their BTF type.
   *
   * A record of another size than the type's makes reading throw {@link EventSizeError}: kernel and reader disagree
   * about the layout, and whatever came out would be garbage. Of a type that ends in a flexible array a record may be longer, and
   * the array has the whole elements up to its end.
   */
  static typed(
    map: BpfMap,
    options: RingBufferOptions & { readonly btf: Btf; readonly typeId: number },
  ): RingBuffer<BtfValue> {
    const { btf, typeId, ...rest } = options;
    return RingBuffer.withCodec(map, { ...rest, codec: createCodec(btf, typeId) });
  }

  /** Reads records by a codec: as {@link typed}, for whoever has compiled one. */
  static withCodec<Event>(
    map: BpfMap,
    options: RingBufferOptions & { readonly codec: RecordCodec<Event> },
  ): RingBuffer<Event> {
    const { codec } = options;
    const batchSize = checkBatchSize(options.batchSize);
    const memory = RingMemory.map(map);
    return new RingBuffer(map, memory, { decode: recordReader(map.name, memory.data, codec), batchSize });
  }

  /**
   * Reads single fields of records where they lie, by their BTF type: as fast as {@link open}, with names in place of offsets.
   * `Fields` is what the caller knows of the type.
   *
   * What `decode` gets is one object for all records, and reads the current one whenever a field is asked for: it is of use
   * until `decode` returns, which must not keep it. Fields of 64 bits are bigints, each of which is allocated.
   *
   * @example
   * interface Fields { readonly pid: number; readonly port: number }
   * const decode = ({ pid, port }: Fields) => (port === 443 ? pid : 0);
   * using pids = RingBuffer.inPlace(collection.map('events'), { btf, typeId, decode });
   * @throws ArgumentError for a type that is no struct or union; as {@link typed} while reading
   */
  static inPlace<Fields, Event>(
    map: BpfMap,
    options: RingBufferOptions & {
      readonly btf: Btf;
      readonly typeId: number;
      readonly decode: InPlaceDecoder<Fields, Event>;
    },
  ): RingBuffer<Event> {
    const { btf, typeId, decode, ...rest } = options;
    return RingBuffer.inPlaceWithCodec(map, { ...rest, ...typedInPlace({ btf, typeId, decode }) });
  }

  /** As {@link inPlace}, by a codec that is there already: of a generated module, whose types `decode` then has. */
  static inPlaceWithCodec<Value, Event>(
    map: BpfMap,
    options: RingBufferOptions & {
      readonly codec: StructCodec<Value>;
      readonly decode: InPlaceDecoder<InPlace<Value>, Event>;
    },
  ): RingBuffer<Event> {
    const { codec, decode } = options;
    const batchSize = checkBatchSize(options.batchSize);
    const reader = inPlaceReader(codec);
    const { least, most } = recordSizes(codec);
    const memory = RingMemory.map(map);
    const { data } = memory;
    const decodeRecord = (start: number, length: number): Event => {
      if (length < least || length > most) throw wrongSize(map.name, codec, length);
      reader.moveTo(data, start, start + length);
      return decode(reader.fields);
    };
    return new RingBuffer(map, memory, { decode: decodeRecord, batchSize });
  }

  /** Bytes that wait in the ring, headers included. */
  get pending(): number {
    return this.#memory.pending;
  }

  get closed(): boolean {
    return this.#memory.closed;
  }

  /** It is being listened to, or an iteration waits, or a group reads it. */
  get reading(): boolean {
    return this.#listening !== undefined || this.#waiting !== undefined || isReadByGroup(this);
  }

  /** Readable while something waits in the ring: the map's descriptor. */
  get fd(): Fd {
    return this.map.fd;
  }

  /** Calls back once, when it closes. What it returns takes the action back. */
  onClose(action: () => void): () => void {
    this.#onClose.add(action);
    return () => {
      this.#onClose.delete(action);
    };
  }

  /**
   * Handles what is there now, at most `limit` events, and returns how many it was.
   *
   * Where `onEvent` or the decoder throws, the event that made it throw counts as read, and the error goes to the
   * caller.
   *
   * @throws ClosedError; ArgumentError when called from within its own callback
   */
  drain(onEvent: (event: Event) => void, options: { limit?: number } = {}): number {
    if (this.closed) throw new ClosedError(`the ring buffer ${this.map.name}`);
    if (this.#draining) {
      throw new ArgumentError(
        'onEvent',
        `Cannot drain ring buffer ${this.map.name} from within its own callback`,
      );
    }
    const limit = options.limit ?? Number.POSITIVE_INFINITY;
    if (!(limit > 0)) return 0;
    const decode = this.#decode;
    let count = 0;
    this.#draining = true;
    try {
      for (; this.#backlog.length > 0 && count < limit; count++) onEvent(this.#backlog.pop() as Event);
      if (count >= limit || this.#memory.closed) return count;
      this.#throwFailure();
      this.#memory.walk((start, length) => {
        count++;
        onEvent(decode(start, length));
        return count < limit;
      });
      return count;
    } finally {
      this.#draining = false;
    }
  }

  /**
   * Calls back for each event, from now on, until the signal aborts or the reader closes. Keeps the process alive.
   *
   * At most `batchSize` events are handled in a row; then everything else in the event loop has its turn.
   *
   * @throws ClosedError; ArgumentError where it is being read already
   */
  listen(onEvent: (event: Event) => void, options: ListenOptions = {}): void {
    const { signal } = options;
    if (signal?.aborted === true) return;
    const drain = (): void => {
      try {
        this.drain(onEvent, { limit: this.#batchSize });
      } catch (error) {
        this.stop();
        if (!options.onError || !(error instanceof Error)) throw error;
        options.onError(error);
      }
    };
    const watch = this.#watch(drain, options.onError);
    const stop = (): void => {
      this.stop();
    };
    signal?.addEventListener('abort', stop, { once: true });
    this.#listening = () => {
      watch.close();
      signal?.removeEventListener('abort', stop);
    };
    // What an iteration left does not make the descriptor readable.
    if (this.#backlog.length > 0) {
      setImmediate(() => {
        if (!watch.closed) drain();
      });
    }
  }

  /**
   * Handles what is there; where nothing is, blocks this thread until something comes, and handles that. Returns how many
   * events it was: 0 after the timeout, or earlier where a signal came, or what came is discarded or not submitted yet. For threads whose event loop has nothing else to do.
   *
   * @param options.timeout Milliseconds; -1 waits for ever. @default -1
   * @param options.limit As of {@link drain}.
   * @throws ClosedError; ArgumentError as {@link drain}; what the decoder and `onEvent` throw; SyscallError
   */
  poll(onEvent: (event: Event) => void, options: { timeout?: number; limit?: number } = {}): number {
    const { timeout = -1 } = options;
    checkInteger('timeout', timeout, { minimum: -1, maximum: 0x7fff_ffff });
    const there = this.drain(onEvent, options);
    if (there > 0 || this.closed) return there;
    this.#blocking ??= BlockingWait.open([this.map.fd], `the ring buffer ${this.map.name}`);
    return this.#blocking.wait(timeout) ? this.drain(onEvent, options) : 0;
  }

  /**
   * The events as a stream of the web. It reads an event when one is asked for and none ahead: with a slow consumer they
   * wait in the ring. It ends when the reader closes; cancelling it leaves the reader open.
   *
   * @throws ClosedError; the stream fails with what {@link events} throws
   */
  toWebStream(options: EventStreamOptions = {}): ReadableStream<Event> {
    return toWebStream(this.#streamed(), options);
  }

  /**
   * The events as a `Readable` in object mode, which reads `highWaterMark` of them ahead. It ends when the reader closes.
   * What it read ahead when it is destroyed comes first when this reader is read again.
   *
   * @throws ClosedError; the stream fails with what {@link events} throws, and where an event is null
   */
  toNodeStream(options: NodeEventStreamOptions = {}): Readable {
    return toNodeStream(this.#streamed(), options);
  }

  #streamed(): StreamedReader<Event> {
    if (this.closed) throw new ClosedError(`the ring buffer ${this.map.name}`);
    return {
      description: `ring buffer ${this.map.name}`,
      iterate: (options) => this.events(options),
      giveBack: (events) => {
        // One by one: a call takes no more arguments than the stack has room for.
        if (!this.closed) for (const event of events.toReversed()) this.#backlog.push(event);
      },
    };
  }

  /** Ends {@link listen}; the reader can be used again. */
  stop(): void {
    this.#listening?.();
    this.#listening = undefined;
  }

  /** Idempotent, and safe in callbacks. Ends iterations and listening. */
  close(): void {
    if (this.closed) return;
    this.stop();
    this.#memory.close();
    this.#blocking?.close();
    this.#backlog = [];
    this.#readiness?.close();
    this.#waiting?.done();
    this.#forgetMap();
    for (const action of this.#onClose) action();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  [Symbol.asyncIterator](): AsyncIterator<Event, undefined> {
    return this.events();
  }

  /**
   * The events as an async iterator, read in batches and only as fast as they are taken. It ends when the signal
   * aborts or the reader closes. Leaving the loop leaves the reader open; events that were read by then and not
   * taken come first when it is read again.
   */
  async *events(options: { signal?: AbortSignal } = {}): AsyncGenerator<Event, undefined> {
    const { signal } = options;
    const isOver = (): boolean => this.closed || signal?.aborted === true;
    while (!isOver()) {
      if (this.#backlog.length === 0) {
        this.#throwFailure();
        this.#readBatch();
      }
      if (this.#backlog.length === 0) {
        if (!this.#failure) await this.#readable(signal);
        continue;
      }
      while (this.#backlog.length > 0) {
        if (isOver()) return;
        yield this.#backlog.pop() as Event;
      }
      // Even when the consumer never waits for anything, timers and signals must have their turn.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** What comes before a record that cannot be decoded is read; the error waits until that was taken. */
  #readBatch(): void {
    const batch: Event[] = [];
    try {
      this.drain((event) => batch.push(event), { limit: this.#batchSize });
    } catch (error) {
      this.#failure = { error };
    }
    this.#backlog = batch.reverse();
  }

  #throwFailure(): void {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure) throw failure.error;
  }

  /** Resolves when there is something to read, or the reader closes, or the signal aborts. */
  async #readable(signal: AbortSignal | undefined): Promise<void> {
    this.#checkFree();
    this.#readiness ??= watchReadable(this.map.fd, {
      onReadable: () => this.#waiting?.done(),
      onError: (error) => this.#waiting?.fail(error),
    });
    const readiness = this.#readiness;
    await new Promise<void>((resolve, reject) => {
      const done = (): void => {
        this.#waiting = undefined;
        readiness.pause();
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const fail = (error: Error): void => {
        reject(error);
        done();
      };
      this.#waiting = { done, fail };
      signal?.addEventListener('abort', done, { once: true });
      readiness.resume();
    });
  }

  #checkFree(): void {
    if (this.closed) throw new ClosedError(`the ring buffer ${this.map.name}`);
    if (!this.reading) return;
    throw new ArgumentError(
      'map',
      `Cannot read ring buffer ${this.map.name}: this reader is being read already`,
    );
  }

  #watch(onReadable: () => void, onError: ((error: Error) => void) | undefined): ReadableWatch {
    this.#checkFree();
    return watchReadable(this.map.fd, {
      onReadable,
      onError(error) {
        if (onError === undefined) throw error;
        onError(error);
      },
    });
  }
}

/** Reads whole records by a codec. */
function recordReader<Event>(
  map: string,
  data: DataView,
  codec: RecordCodec<Event>,
): (start: number, length: number) => Event {
  const { size, flexible } = codec;
  if (flexible === undefined)
    return (start, length) => {
      if (length !== size) throw wrongSize(map, codec, length);
      return codec.read(data, start);
    };
  const { smallest } = flexible;
  return (start, length) => {
    if (length < smallest) throw wrongSize(map, codec, length);
    return codec.read(data, start, start + length);
  };
}
