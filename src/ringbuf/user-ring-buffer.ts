import { ArgumentError, ClosedError } from '../errors.ts';
import type { BpfMap } from '../maps/index.ts';
import { checkInteger, type MemoryMapping } from '../sys/index.ts';
import { BPF_MAP_TYPE_USER_RINGBUF } from '../uapi/index.ts';
import { RoomWait } from './room-wait.ts';
import { UserRecord } from './user-record.ts';

/** `BPF_RINGBUF_HDR_SZ`: a u32 of length and flags, a u32 that must be zero. */
const HEADER_SIZE = 8;
const BUSY = 0x8000_0000;
/** The length has the other 30 bits of its word. */
const LARGEST = 0x3fff_ffff;

/**
 * The producer of a user ring buffer (`BPF_MAP_TYPE_USER_RINGBUF`, Linux 6.1): records for programs that read them with
 * `bpf_user_ringbuf_drain()`. One producer at a time writes to a ring; nothing but agreement sees to that.
 *
 * It does not own the map, and closes with it, or before.
 *
 * @example
 * using ring = new UserRingBuffer(collection.map('commands'));
 * const record = ring.reserve(8);
 * record?.u32(0, 1);
 * record?.submit();
 */
export class UserRingBuffer {
  readonly map: BpfMap;
  /** Bytes of records and their headers that fit. */
  readonly size: number;
  readonly #consumerMapping: MemoryMapping;
  readonly #producerMapping: MemoryMapping;
  readonly #consumer: Int32Array;
  readonly #producer: BigUint64Array;
  readonly #words: Int32Array;
  readonly #data: DataView;
  readonly #forgetMap: () => void;
  /** The producer's position, exact up to 2^53 bytes. */
  #position: number;
  #refused = 0;
  #closed = false;
  readonly #room: RoomWait;

  /** @throws ArgumentError for a map of another type, SyscallError where it cannot be mapped */
  constructor(map: BpfMap) {
    if (map.type !== BPF_MAP_TYPE_USER_RINGBUF) {
      throw new ArgumentError('map', `Cannot write records to map ${map.name}: it is no user ring buffer`);
    }
    const { kernel, maxEntries: size } = map;
    const { pageSize } = kernel;
    const fd = map.fd.value;
    // The kernel lets nobody but itself write the consumer's page (ringbuf_map_mmap_user() in kernel/bpf/ringbuf.c).
    const consumer = kernel.mmap({ fd, length: pageSize, offset: 0, writable: false });
    let producer: MemoryMapping;
    try {
      producer = kernel.mmap({ fd, length: pageSize + 2 * size, offset: pageSize, writable: true });
    } catch (error) {
      consumer.close();
      throw error;
    }
    this.map = map;
    this.size = size;
    this.#consumerMapping = consumer;
    this.#producerMapping = producer;
    this.#consumer = new Int32Array(consumer.buffer, 0, 1);
    this.#producer = new BigUint64Array(producer.buffer, 0, 1);
    this.#words = new Int32Array(producer.buffer, pageSize, (2 * size) / 4);
    this.#data = new DataView(producer.buffer, pageSize, 2 * size);
    this.#position = Number(Atomics.load(this.#producer, 0));
    this.#room = new RoomWait(map);
    this.#forgetMap = map.fd.onClose(() => {
      this.close();
    });
  }

  /** Bytes that no program has read yet, headers included. */
  get pending(): number {
    this.#checkOpen();
    // Pairs with smp_store_release(&rb->consumer_pos) in __bpf_user_ringbuf_sample_release().
    return (this.#position - (Atomics.load(this.#consumer, 0) >>> 0)) >>> 0;
  }

  /** How often {@link reserve}, {@link reserveBlocking} and {@link write} have found no room. */
  get refused(): number {
    return this.#refused;
  }

  /**
   * Makes room for a record of `length` bytes, which programs wait for until it is submitted or discarded, with all that
   * follow it. Undefined where there is no room now, which {@link refused} counts.
   *
   * @throws ArgumentError for a record that never fits, ClosedError
   */
  reserve(length: number): UserRecord | undefined {
    const record = this.#tryReserve(length);
    if (record === undefined) this.#refused++;
    return record;
  }

  /**
   * As {@link reserve}, but blocks this thread until programs have read enough: `user_ring_buffer__reserve_blocking()`.
   * Undefined after the timeout. A program that drains with `BPF_RB_NO_WAKEUP` wakes nobody.
   *
   * @param options.timeout Milliseconds; -1 waits for ever. @default -1
   * @throws ArgumentError for a record that never fits, ClosedError, SyscallError
   */
  reserveBlocking(length: number, options: { readonly timeout?: number } = {}): UserRecord | undefined {
    const { timeout = -1 } = options;
    checkInteger('timeout', timeout, { minimum: -1, maximum: 0x7fff_ffff });
    const end = performance.now() + timeout;
    for (;;) {
      const left = timeout < 0 ? -1 : Math.max(0, Math.ceil(end - performance.now()));
      const record = left === 0 ? this.reserve(length) : this.#tryReserve(length);
      if (record !== undefined || left === 0) return record;
      this.#room.block(left);
    }
  }

  /**
   * As {@link reserve}, but resolves when programs have read enough, in the order of the calls; a {@link reserve} in between comes
   * first. Keeps the process alive. A program that drains with `BPF_RB_NO_WAKEUP` wakes nobody.
   *
   * @throws ArgumentError for a record that never fits; ClosedError, also where it closes meanwhile; the signal's reason
   *
   * @example
   * const record = await ring.reserveWhenFree(8, { signal: AbortSignal.timeout(1000) });
   */
  async reserveWhenFree(
    length: number,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<UserRecord> {
    options.signal?.throwIfAborted();
    const waiting = this.#room.waiting ? undefined : this.#tryReserve(length);
    if (waiting) return waiting;
    // What never fits is refused here, and not when its turn comes.
    this.#stepOf(length);
    return this.#room.wait(() => this.#tryReserve(length), options.signal);
  }

  #tryReserve(length: number): UserRecord | undefined {
    const step = this.#stepOf(length);
    if (this.size - this.pending < step) return undefined;
    return this.#take(length, step);
  }

  /** Bytes that a record takes. */
  #stepOf(length: number): number {
    checkInteger('length', length, { minimum: 0, maximum: LARGEST });
    const step = (length + HEADER_SIZE + 7) & ~7;
    if (step > this.size) {
      const message = `Cannot reserve ${length} bytes in map ${this.map.name}: with its header a record has at most ${this.size}`;
      throw new ArgumentError('length', message);
    }
    return step;
  }

  #take(length: number, step: number): UserRecord {
    const offset = this.#position % this.size;
    const header = offset / 4;
    // Programs see this header only after the position below is stored.
    Atomics.store(this.#words, header + 1, 0);
    Atomics.store(this.#words, header, length | BUSY);
    this.#position += step;
    // Pairs with smp_load_acquire(&rb->producer_pos) in __bpf_user_ringbuf_peek().
    Atomics.store(this.#producer, 0, BigInt(this.#position));
    return new UserRecord(this.#data, {
      start: offset + HEADER_SIZE,
      length,
      finish: (flags) => {
        this.#checkOpen();
        // Pairs with smp_load_acquire(hdr) in __bpf_user_ringbuf_peek(): what was written before is seen with it.
        Atomics.store(this.#words, header, length | flags);
      },
    });
  }

  /** Adds a record; false where there is no room now. @throws ArgumentError for one that never fits, ClosedError */
  write(bytes: Uint8Array): boolean {
    const record = this.reserve(bytes.length);
    record?.bytes(0, bytes);
    record?.submit();
    return record !== undefined;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Idempotent; the map stays open. A record that was not submitted by then stays in the way of those after it. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#forgetMap();
    this.#room.close();
    this.#consumerMapping.close();
    this.#producerMapping.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #checkOpen(): void {
    if (this.#closed) throw new ClosedError(`the user ring buffer ${this.map.name}`);
  }
}
