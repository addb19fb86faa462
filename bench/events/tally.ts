import type { RingBufferRecord } from '../../src/index.ts';
import type { ReaderAnswer } from '../ring/reader-process.ts';

/** Where `struct simple_event` has what readers take. */
const SOURCE_ADDRESS = 0;
const DESTINATION_ADDRESS = 4;
const DESTINATION_PORT = 10;
const PACKET_LENGTH = 14;
const TIMESTAMP = 22;

/** What a reader of events that come by themselves says. Latencies and processor time in nanoseconds. */
export interface EventsAnswer extends ReaderAnswer {
  /** From the first event's stamp to the last one's arrival. */
  readonly nanoseconds: number;
  readonly cpu: number;
  readonly p50: number;
  readonly p99: number;
}

/** CLOCK_MONOTONIC, as bpf_ktime_get_ns(): exact, as a number, for 104 days after boot. */
function now(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e9 + nanoseconds;
}

/** What a run is to find out: latencies take a look at the clock for each event. */
export type Wanted = 'latency' | 'rate';

/** What one run of a reader has seen. */
export class Tally {
  readonly wanted: number;
  events = 0;
  #checksum = 0;
  #first = 0;
  #last = 0;
  readonly #latencies: Float64Array | undefined;
  readonly #cpu = process.cpuUsage();

  constructor(wanted: number, what: Wanted) {
    this.wanted = wanted;
    if (what === 'latency') this.#latencies = new Float64Array(wanted);
  }

  add(record: RingBufferRecord): void {
    const latencies = this.#latencies;
    if (latencies !== undefined) latencies[this.events] = now() - stampOf(record);
    const mixed =
      (record.u32(SOURCE_ADDRESS) ^ record.u16(DESTINATION_PORT)) +
      (record.u32(DESTINATION_ADDRESS) ^ record.u32(PACKET_LENGTH));
    this.#checksum = (((this.#checksum << 1) | (this.#checksum >>> 31)) + mixed) | 0;
    if (this.events === 0) this.#first = stampOf(record);
    if (++this.events === this.wanted) this.#last = now();
  }

  answer(): EventsAnswer {
    const { user, system } = process.cpuUsage(this.#cpu);
    const sorted = (this.#latencies ?? new Float64Array(0)).sort();
    return {
      events: this.events,
      checksum: this.#checksum >>> 0,
      nanoseconds: this.#last - this.#first,
      cpu: (user + system) * 1000,
      p50: sorted[this.wanted >> 1] ?? 0,
      p99: sorted[Math.floor((this.wanted * 99) / 100)] ?? 0,
    };
  }
}

function stampOf(record: RingBufferRecord): number {
  return record.u32(TIMESTAMP + 4) * 0x1_0000_0000 + record.u32(TIMESTAMP);
}
