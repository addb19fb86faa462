import { BoundsError } from '../errors.ts';
import type { MemoryMapping } from '../sys/index.ts';
import { perf_event_mmap_page } from '../uapi/index.ts';
import { PerfData, type PerfRecordVisitor } from './perf-data.ts';

const { data_head: HEAD, data_tail: TAIL } = perf_event_mmap_page.offsets;

/**
 * The mapped pages of a perf event that the kernel writes forward, and the reader's place in them.
 *
 * A page with the positions comes first, then the data (kernel/events/ring_buffer.c).
 */
export class PerfMemory {
  readonly #head: Int32Array;
  readonly #tail: BigUint64Array;
  readonly #data: PerfData;
  /** Exact up to 2^53 bytes. */
  #position: number;

  constructor({ buffer }: MemoryMapping, { pageSize }: { pageSize: number }) {
    this.#head = new Int32Array(buffer, HEAD, 1);
    this.#tail = new BigUint64Array(buffer, TAIL, 1);
    this.#data = new PerfData(new DataView(buffer, pageSize));
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
    if (available > this.#data.size) throw new BoundsError(0, available, this.#data.size);
    let done = 0;
    let more = true;
    try {
      while (more && done < available) {
        const at = (start + done) % this.#data.size;
        const size = this.#data.sizeAt(at);
        if (size > available - done) throw new BoundsError(at, size, available - done);
        done += size;
        more = this.#data.visit(at, size, visitor);
      }
    } finally {
      this.#position = start + done;
      // Pairs with the load of data_tail in __perf_output_begin(): everything up to there has been read.
      if (done > 0) Atomics.store(this.#tail, 0, BigInt(this.#position));
    }
    return more;
  }
}
