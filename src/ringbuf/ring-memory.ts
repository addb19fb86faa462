import { ArgumentError, BoundsError, ClosedError } from '../errors.ts';
import type { BpfMap } from '../maps/index.ts';
import { BPF_MAP_TYPE_RINGBUF } from '../uapi/index.ts';
import type { MemoryMapping } from '../sys/index.ts';

/** `BPF_RINGBUF_HDR_SZ`: a u32 of length and flags, a u32 of no interest to readers. */
const HEADER_SIZE = 8;
/** `BPF_RINGBUF_DISCARD_BIT`. The busy bit is bit 31, the sign of the header word. */
const DISCARD = 0x4000_0000;
const LENGTH_MASK = 0x3fff_ffff;

/** Called with where a record lies in {@link RingMemory.data}. Returning false ends the walk after this record. */
export type RecordVisitor = (start: number, length: number) => boolean;

/**
 * The mapped pages of a BPF ring buffer, and the reader's place in it.
 *
 * Three regions follow each other in the map's file (kernel/bpf/ringbuf.c): a page with the consumer's position,
 * writable; a page with the producer's; the data, mapped twice so that a record never wraps. Positions are 64-bit
 * counts of bytes since the start. This reader keeps its own as a 32-bit offset in the ring, and differences as 32
 * bits: no ring is larger than 2 GiB, so they cannot be mistaken.
 */
export class RingMemory {
  /** The data pages, twice in a row. Read-only pages: never to be written, never to leave this folder. */
  readonly data: DataView;
  /** Bytes. */
  readonly size: number;
  readonly #consumer: BigUint64Array;
  readonly #producer: Int32Array;
  readonly #words: Int32Array;
  readonly #mappings: readonly MemoryMapping[];
  /** The consumer's position, exact up to 2^53 bytes. */
  #position: number;
  #closed = false;

  private constructor(
    mappings: readonly [MemoryMapping, MemoryMapping],
    geometry: { pageSize: number; size: number },
  ) {
    const [consumer, producer] = mappings;
    const { pageSize, size } = geometry;
    this.#mappings = mappings;
    this.size = size;
    this.#consumer = new BigUint64Array(consumer.buffer, 0, 1);
    this.#producer = new Int32Array(producer.buffer, 0, 1);
    this.#words = new Int32Array(producer.buffer, pageSize, (2 * size) / 4);
    this.data = new DataView(producer.buffer, pageSize, 2 * size);
    this.#position = Number(Atomics.load(this.#consumer, 0));
  }

  /** Maps the pages of a ring buffer map. @throws ArgumentError for a map of another type, SyscallError */
  static map(map: BpfMap): RingMemory {
    if (map.type !== BPF_MAP_TYPE_RINGBUF) {
      throw new ArgumentError('map', `Cannot read events from map ${map.name}: it is not a ring buffer`);
    }
    const { kernel, maxEntries: size } = map;
    const { pageSize } = kernel;
    const fd = map.fd.value;
    const consumer = kernel.mmap({ fd, length: pageSize, offset: 0, writable: true });
    try {
      const producer = kernel.mmap({ fd, length: pageSize + 2 * size, offset: pageSize, writable: false });
      return new RingMemory([consumer, producer], { pageSize, size });
    } catch (error) {
      consumer.close();
      throw error;
    }
  }

  /** Bytes that wait, headers and discarded records included. */
  get pending(): number {
    if (this.#closed) return 0;
    return ((Atomics.load(this.#producer, 0) >>> 0) - (this.#position >>> 0)) >>> 0;
  }

  /**
   * Walks over committed records and gives their space back to the kernel, once, at the end, also when the visitor
   * throws. Stops at a record that is still being written. Returns the number of records visited.
   *
   * @throws BoundsError for a record that is longer than what the producer's position says, ClosedError
   */
  walk(visit: RecordVisitor): number {
    if (this.#closed) throw new ClosedError('the ring buffer');
    const words = this.#words;
    const mask = this.size - 1;
    let offset = (this.#position & mask) >>> 0;
    let consumed = 0;
    let visited = 0;
    let more = true;
    try {
      // Pairs with smp_store_release(&rb->producer_pos) in __bpf_ringbuf_reserve().
      let available = this.pending;
      while (more && consumed < available) {
        // Pairs with xchg(&hdr->len) in bpf_ringbuf_commit(): what it wrote before is visible after this load.
        const header = Atomics.load(words, offset >>> 2);
        if (header < 0) break;
        const length = header & LENGTH_MASK;
        const start = offset + HEADER_SIZE;
        // Records are rounded up to 8 bytes, as round_up(len + BPF_RINGBUF_HDR_SZ, 8) does.
        const step = (length + HEADER_SIZE + 7) & ~7;
        // No kernel leaves more than the ring holds, nor a record longer than that; nothing is to be read beyond it.
        const left = available - consumed;
        if (step > left || left > this.size) throw new BoundsError(start, length, Math.min(left, this.size));
        consumed += step;
        offset = (offset + step) & mask;
        if ((header & DISCARD) === 0) {
          visited++;
          more = visit(start, length) && !this.#closed;
        }
        if (consumed === available) available = this.pending;
      }
    } finally {
      this.#advance(consumed);
    }
    return visited;
  }

  /** Idempotent. Safe within a visitor. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const mapping of this.#mappings) mapping.close();
  }

  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Pairs with smp_load_acquire(&rb->consumer_pos), by which the producer learns of free space. Sequentially
   * consistent, as the producer's xchg is: either it sees this position and wakes us for the next record, or that
   * record is seen when `pending` is read after this store.
   */
  #advance(bytes: number): void {
    if (bytes === 0 || this.#closed) return;
    this.#position += bytes;
    Atomics.store(this.#consumer, 0, BigInt(this.#position));
  }
}
