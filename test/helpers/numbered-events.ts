/** The fixture `loader/events`, loaded, as a producer of numbered events, read as their numbers. */
import { Collection, ObjectFile, RingBuffer, type BpfMap } from '../../src/index.ts';
import { runOften } from './test-runs.ts';

/** What a record takes in the ring, its header included. */
export const RECORD = 24;

/** What everything says of a reader that is closed. */
export const CLOSED = { code: 'CLOSED', message: 'Cannot use the ring buffer events: it is closed' };

export function numbersTo(count: number, from = 0): number[] {
  return Array.from({ length: count }, (_, index) => from + index);
}

/** Events of the fixture `events`, compiled at `path`. */
export class NumberedEvents {
  readonly collection: Collection;
  readonly map: BpfMap;
  readonly packet = new Uint8Array(64);

  constructor(path: string) {
    this.collection = Collection.load(ObjectFile.open(path));
    this.map = this.collection.map('events');
  }

  reader(): RingBuffer<number> {
    return RingBuffer.open(this.map, { decode: (record) => record.u32(0), batchSize: 50 });
  }

  produce(times: number): void {
    runOften(this.collection.program('produce'), { data: this.packet, times });
  }

  get counters(): { no_space: bigint; submitted: bigint } {
    return this.collection.map('stats').get(0) as { no_space: bigint; submitted: bigint };
  }

  [Symbol.dispose](): void {
    this.collection.close();
  }
}
