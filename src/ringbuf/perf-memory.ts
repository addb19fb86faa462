import { BoundsError } from '../errors.ts';
import type { MemoryMapping } from '../sys/index.ts';
import { PERF_RECORD_LOST, PERF_RECORD_SAMPLE, perf_event_mmap_page } from '../uapi/index.ts';

const { data_head: HEAD, data_tail: TAIL } = perf_event_mmap_page.offsets;
/** `struct perf_event_header`: a u32 of type, u16s of flags and size. */
const HEADER_SIZE = 8;
const TYPE = 0;
const SIZE = 6;
/** A sample's header is followed by the length of its data. */
const RAW_DATA = HEADER_SIZE + 4;
/** A lost record's by an id. */
const LOST_COUNT = HEADER_SIZE + 8;
const LOST_SIZE = LOST_COUNT + 8;

export interface PerfRecordVisitor {
  /** Returning false ends the walk after this sample, whose bytes are gone when it returns. */
  sample(view: DataView, start: number, length: number): boolean;
  lost(count: number): void;
}

/**
 * The mapped pages of a perf event, and the reader's place in them.
 *
 * A page with the positions comes first, then the data (kernel/events/ring_buffer.c). Records may wrap at its end: those
 * are put together in memory of this process.
 */
export class PerfMemory {
  readonly #head: Int32Array;
  readonly #tail: BigUint64Array;
  readonly #data: DataView;
  readonly #size: number;
  #wrapped: DataView | undefined;
  /** Exact up to 2^53 bytes. */
  #position: number;

  constructor({ buffer }: MemoryMapping, { pageSize }: { pageSize: number }) {
    this.#head = new Int32Array(buffer, HEAD, 1);
    this.#tail = new BigUint64Array(buffer, TAIL, 1);
    this.#data = new DataView(buffer, pageSize);
    this.#size = buffer.byteLength - pageSize;
    this.#position = Number(Atomics.load(this.#tail, 0));
  }

  /** Bytes that wait, headers included. */
  get pending(): number {
    // Pairs with the barrier before the store to data_head in perf_output_put_handle().
    return ((Atomics.load(this.#head, 0) >>> 0) - (this.#position >>> 0)) >>> 0;
  }

  /**
   * Walks over what is there and gives its space back to the kernel, once, at the end, also when the visitor throws.
   * False where the visitor ended it.
   *
   * @throws BoundsError for a record that no kernel writes
   */
  walk(visitor: PerfRecordVisitor): boolean {
    const start = this.#position;
    const available = this.pending;
    // No kernel leaves more than the ring holds: what was there before would be read again.
    if (available > this.#size) throw new BoundsError(0, available, this.#size);
    let done = 0;
    let more = true;
    try {
      while (more && done < available) {
        const at = (start + done) % this.#size;
        const { view, offset, size } = this.#record(at, available - done);
        done += size;
        const type = view.getUint32(offset + TYPE, true);
        if (type === PERF_RECORD_LOST) {
          if (size < LOST_SIZE) throw new BoundsError(LOST_COUNT, LOST_SIZE - LOST_COUNT, size);
          visitor.lost(Number(view.getBigUint64(offset + LOST_COUNT, true)));
        } else if (type === PERF_RECORD_SAMPLE) {
          if (size < RAW_DATA) throw new BoundsError(HEADER_SIZE, RAW_DATA - HEADER_SIZE, size);
          const length = view.getUint32(offset + HEADER_SIZE, true);
          if (RAW_DATA + length > size) throw new BoundsError(RAW_DATA, length, size);
          more = visitor.sample(view, offset + RAW_DATA, length);
        }
      }
    } finally {
      this.#position = start + done;
      // Pairs with the load of data_tail in __perf_output_begin(): everything up to there has been read.
      if (done > 0) Atomics.store(this.#tail, 0, BigInt(this.#position));
    }
    return more;
  }

  /** Where a record lies in one piece. */
  #record(at: number, available: number): { view: DataView; offset: number; size: number } {
    // Records are multiples of 8 bytes, as their headers are, so that these never wrap.
    if (at % HEADER_SIZE !== 0) throw new BoundsError(at, HEADER_SIZE, this.#size);
    const size = this.#data.getUint16(at + SIZE, true);
    if (size < HEADER_SIZE || size > available) throw new BoundsError(at, size, available);
    if (at + size <= this.#size) return { view: this.#data, offset: at, size };
    this.#wrapped ??= new DataView(new ArrayBuffer(0x1_0000));
    const { buffer, byteOffset } = this.#data;
    const whole = new Uint8Array(this.#wrapped.buffer);
    const first = this.#size - at;
    whole.set(new Uint8Array(buffer, byteOffset + at, first));
    whole.set(new Uint8Array(buffer, byteOffset, size - first), first);
    return { view: this.#wrapped, offset: 0, size };
  }
}
