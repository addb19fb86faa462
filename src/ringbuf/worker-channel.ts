/** Of `#words`: set once, when the worker shall end. */
const STOPPED = 0;
/** Messages that the worker has posted, and those whose callback has returned. Both wrap. */
const POSTED = 1;
const TAKEN = 2;
/** Changes whenever what a waiting worker waits for may have changed. */
const CHANGED = 3;
/** How often the worker had to wait for messages to be taken. */
const WAITS = 4;
/** In 64-bit words. */
const EVENTS = 4;
/** In 64-bit words. */
const LOST = 5;

const BYTES = 48;

/** A wait that nobody wakes is looked after this often, in milliseconds: a thread that is terminated ends then. */
export const LONGEST_WAIT = 1000;

/** What a ring buffer's worker and the thread that started it tell each other through shared memory. */
export class WorkerChannel {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #counters: BigInt64Array;

  constructor(buffer = new SharedArrayBuffer(BYTES)) {
    this.buffer = buffer;
    this.#words = new Int32Array(buffer);
    this.#counters = new BigInt64Array(buffer);
  }

  get stopped(): boolean {
    return Atomics.load(this.#words, STOPPED) !== 0;
  }

  get events(): number {
    return Number(Atomics.load(this.#counters, EVENTS));
  }

  get lost(): number {
    return Number(Atomics.load(this.#counters, LOST));
  }

  get waits(): number {
    return Atomics.load(this.#words, WAITS);
  }

  /** Messages that are on their way. */
  get inFlight(): number {
    return (Atomics.load(this.#words, POSTED) - Atomics.load(this.#words, TAKEN)) | 0;
  }

  stop(): void {
    Atomics.store(this.#words, STOPPED, 1);
    this.#change();
  }

  /** By the worker. */
  countEvents(count: number): void {
    Atomics.add(this.#counters, EVENTS, BigInt(count));
  }

  /** By the worker. */
  countLost(count: number): void {
    Atomics.add(this.#counters, LOST, BigInt(count));
  }

  /** By the worker. */
  countPosted(): void {
    Atomics.add(this.#words, POSTED, 1);
  }

  countTaken(): void {
    Atomics.add(this.#words, TAKEN, 1);
    this.#change();
  }

  /** By the worker: blocks it until fewer than `limit` messages are on their way, or it is stopped. */
  waitForRoom(limit: number): void {
    if (this.inFlight < limit) return;
    Atomics.add(this.#words, WAITS, 1);
    for (;;) {
      const seen = Atomics.load(this.#words, CHANGED);
      if (this.stopped || this.inFlight < limit) return;
      Atomics.wait(this.#words, CHANGED, seen, LONGEST_WAIT);
    }
  }

  #change(): void {
    Atomics.add(this.#words, CHANGED, 1);
    Atomics.notify(this.#words, CHANGED);
  }
}
