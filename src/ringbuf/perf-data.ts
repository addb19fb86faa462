import { BoundsError } from '../errors.ts';
import { PERF_RECORD_LOST, PERF_RECORD_SAMPLE } from '../uapi/index.ts';

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
 * The data pages of a perf event's ring. Records may wrap at their end: those are put together in memory of this process.
 */
export class PerfData {
  /** Bytes. */
  readonly size: number;
  readonly #data: DataView;
  #wrapped: DataView | undefined;

  constructor(data: DataView) {
    this.#data = data;
    this.size = data.byteLength;
  }

  /** The size of the record at an offset. @throws BoundsError where no kernel begins one */
  sizeAt(at: number): number {
    // Records are multiples of 8 bytes, as their headers are, so that these never wrap.
    if (at % HEADER_SIZE !== 0) throw new BoundsError(at, HEADER_SIZE, this.size);
    return this.#data.getUint16(at + SIZE, true);
  }

  /** Shows the visitor the record at an offset; false where it wants no more. @throws BoundsError for one that no kernel writes */
  visit(at: number, size: number, visitor: PerfRecordVisitor): boolean {
    if (size < HEADER_SIZE || size > this.size) throw new BoundsError(at, size, this.size);
    const inOnePiece = at + size <= this.size;
    const view = inOnePiece ? this.#data : this.#join(at, size);
    const offset = inOnePiece ? at : 0;
    const type = view.getUint32(offset + TYPE, true);
    if (type === PERF_RECORD_LOST) {
      if (size < LOST_SIZE) throw new BoundsError(LOST_COUNT, LOST_SIZE - LOST_COUNT, size);
      visitor.lost(Number(view.getBigUint64(offset + LOST_COUNT, true)));
    }
    if (type !== PERF_RECORD_SAMPLE) return true;
    if (size < RAW_DATA) throw new BoundsError(HEADER_SIZE, RAW_DATA - HEADER_SIZE, size);
    const length = view.getUint32(offset + HEADER_SIZE, true);
    if (RAW_DATA + length > size) throw new BoundsError(RAW_DATA, length, size);
    return visitor.sample(view, offset + RAW_DATA, length);
  }

  #join(at: number, size: number): DataView {
    this.#wrapped ??= new DataView(new ArrayBuffer(0x1_0000));
    const { buffer, byteOffset } = this.#data;
    const whole = new Uint8Array(this.#wrapped.buffer);
    const first = this.size - at;
    whole.set(new Uint8Array(buffer, byteOffset + at, first));
    whole.set(new Uint8Array(buffer, byteOffset, size - first), first);
    return this.#wrapped;
  }
}
