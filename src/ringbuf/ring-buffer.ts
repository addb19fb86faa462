import { ArgumentError, ClosedError, EventSizeError } from '../errors.ts';
import { createCodec, formatType, type Btf, type BtfValue } from '../btf/index.ts';
import type { BpfMap } from '../maps/index.ts';
import { watchReadable, type ReadableWatch } from '../sys/index.ts';
import { RingBufferRecord } from './record.ts';
import { RingMemory } from './ring-memory.ts';

/** Turns a record into an event, at once: the record is gone when it returns. */
export type RecordDecoder<Event> = (record: RingBufferRecord) => Event;

export interface RingBufferOptions {
  /**
   * Records handled before the event loop gets its turn. Larger is faster, smaller lets timers and other events
   * run sooner.
   * @default 1024
   */
  readonly batchSize?: number;
}

export interface ListenOptions {
  /** Ends the listening when aborted. */
  readonly signal?: AbortSignal;
  /**
   * Gets what ends the listening: an error of the descriptor, of the decoder, of the callback.
   * @default an uncaught exception
   */
  readonly onError?: (error: Error) => void;
}

const DEFAULT_BATCH = 1024;

/**
 * Reads the events of a ring buffer map (`BPF_MAP_TYPE_RINGBUF`, Linux 5.8).
 *
 * Three ways: {@link listen} with a callback, `for await`, or {@link drain} whenever it suits the caller. One of
 * them at a time. A reader that falls behind loses nothing here; the kernel drops new events when the ring is full,
 * which only the program can count.
 *
 * It does not own the map: closing the reader leaves the map open.
 *
 * @example
 * using events = RingBuffer.typed(collection.map('events'), { btf, typeId });
 * for await (const event of events) console.log(event.src_ip, event.dst_port);
 */
export class RingBuffer<Event> implements AsyncIterable<Event> {
  readonly #map: BpfMap;
  readonly #memory: RingMemory;
  readonly #decode: (start: number, length: number) => Event;
  readonly #batchSize: number;
  #watch: ReadableWatch | undefined;
  #draining = false;
  #onClose: (() => void)[] = [];

  private constructor(
    map: BpfMap,
    memory: RingMemory,
    setup: { decode: (start: number, length: number) => Event; batchSize: number },
  ) {
    this.#map = map;
    this.#memory = memory;
    this.#decode = setup.decode;
    this.#batchSize = setup.batchSize;
    const forget = map.fd.onClose(() => {
      this.close();
    });
    this.#onClose.push(forget);
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
   * about the layout, and whatever came out would be garbage.
   */
  static typed(
    map: BpfMap,
    options: RingBufferOptions & { readonly btf: Btf; readonly typeId: number },
  ): RingBuffer<BtfValue> {
    const { btf, typeId } = options;
    const batchSize = checkBatchSize(options.batchSize);
    const codec = createCodec(btf, typeId);
    const name = formatType(btf, typeId).replace(/^struct /, '');
    const memory = RingMemory.map(map);
    const { data } = memory;
    const decode = (start: number, length: number): BtfValue => {
      if (length !== codec.size) throw new EventSizeError(map.name, name, codec.size, length);
      return codec.read(data, start);
    };
    return new RingBuffer(map, memory, { decode, batchSize });
  }

  /** Bytes that wait in the ring, headers included. */
  get pending(): number {
    return this.#memory.pending;
  }

  get closed(): boolean {
    return this.#memory.closed;
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
    if (this.closed) throw new ClosedError(`the ring buffer ${this.#map.name}`);
    if (this.#draining) {
      throw new ArgumentError(
        'onEvent',
        `Cannot drain ring buffer ${this.#map.name} from within its own callback`,
      );
    }
    const limit = options.limit ?? Number.POSITIVE_INFINITY;
    if (!(limit > 0)) return 0;
    const decode = this.#decode;
    let count = 0;
    this.#draining = true;
    try {
      return this.#memory.walk((start, length) => {
        count++;
        onEvent(decode(start, length));
        return count < limit;
      });
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
    const batchSize = this.#batchSize;
    this.#startWatching(() => {
      try {
        this.drain(onEvent, { limit: batchSize });
      } catch (error) {
        if (!options.onError || !(error instanceof Error)) throw error;
        this.stop();
        options.onError(error);
      }
    }, options.onError);
    if (signal) this.#stopOn(signal);
  }

  /** Ends {@link listen}; the reader can be used again. */
  stop(): void {
    this.#watch?.close();
    this.#watch = undefined;
  }

  /** Idempotent, and safe in callbacks. Ends iterations and listening. */
  close(): void {
    if (this.closed) return;
    this.stop();
    this.#memory.close();
    for (const hook of this.#onClose.splice(0)) hook();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  [Symbol.asyncIterator](): AsyncIterator<Event, undefined> {
    return this.events();
  }

  /**
   * The events as an async iterator, read in batches and only as fast as they are taken. It ends when the signal
   * aborts or the reader closes; leaving the loop leaves the reader open, but events of the last batch that were
   * not taken are gone.
   */
  async *events(options: { signal?: AbortSignal } = {}): AsyncGenerator<Event, undefined> {
    const { signal } = options;
    const batch: Event[] = [];
    const isOver = (): boolean => this.closed || signal?.aborted === true;
    while (!isOver()) {
      this.drain((event) => batch.push(event), { limit: this.#batchSize });
      if (batch.length === 0) {
        await this.#readable(signal);
        continue;
      }
      for (const event of batch.splice(0)) {
        if (isOver()) return;
        yield event;
      }
      // Even when the consumer never waits for anything, timers and signals must have their turn.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Resolves when there is something to read, or the reader closes, or the signal aborts. */
  async #readable(signal: AbortSignal | undefined): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const done = (): void => {
        this.stop();
        signal?.removeEventListener('abort', done);
        this.#onClose = this.#onClose.filter((hook) => hook !== done);
        resolve();
      };
      this.#startWatching(done, reject);
      this.#onClose.push(done);
      signal?.addEventListener('abort', done, { once: true });
    });
  }

  #startWatching(onReadable: () => void, onError: ((error: Error) => void) | undefined): void {
    if (this.closed) throw new ClosedError(`the ring buffer ${this.#map.name}`);
    if (this.#watch) {
      throw new ArgumentError(
        'map',
        `Cannot read ring buffer ${this.#map.name}: this reader is being read already`,
      );
    }
    this.#watch = watchReadable(this.#map.fd, {
      onReadable,
      onError(error) {
        if (onError === undefined) throw error;
        onError(error);
      },
    });
  }

  #stopOn(signal: AbortSignal): void {
    const stop = (): void => {
      this.stop();
    };
    signal.addEventListener('abort', stop, { once: true });
    this.#onClose.push(() => {
      signal.removeEventListener('abort', stop);
    });
  }
}

function checkBatchSize(batchSize = DEFAULT_BATCH): number {
  if (!Number.isInteger(batchSize) || batchSize < 1) {
    throw new ArgumentError(
      'batchSize',
      `Cannot read in batches of ${batchSize}: a positive whole number is wanted`,
    );
  }
  return batchSize;
}
