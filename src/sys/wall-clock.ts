import { clockGettime } from './clock.ts';

/** The two clocks of the kernel, in nanoseconds. */
export interface Clocks {
  /** `clock_gettime(CLOCK_MONOTONIC)`, the clock of `bpf_ktime_get_ns`. */
  monotonic(): bigint;
  /** `clock_gettime(CLOCK_REALTIME)`, since 1970-01-01T00:00:00Z. */
  realtime(): bigint;
}

export interface WallClockOptions {
  /**
   * Nanoseconds of CLOCK_MONOTONIC after which the offset is taken again.
   * @default 10_000_000_000n
   */
  interval?: bigint;
  /**
   * How many samples are taken each time; the one with the narrowest bracket counts.
   * @default 3
   */
  attempts?: number;
}

interface Sample {
  readonly offset: bigint;
  readonly bracket: bigint;
  readonly takenAt: bigint;
}

const nanosecondsPerSecond = 1_000_000_000n;

/**
 * Converts the time of events (CLOCK_MONOTONIC) to wall-clock time by adding REALTIME − MONOTONIC.
 *
 * The offset is not a constant: CLOCK_MONOTONIC stands still in suspend, and CLOCK_REALTIME is stepped and slewed. So it
 * is taken again once events are `interval` younger than the last sample. The events' own times drive this, not a
 * timer: a conversion reads no clock in between, and a backlog from before a jump keeps the offset of its time.
 *
 * @example
 * const clock = WallClock.ofKernel();
 * clock.toIso(event.timestamp); // '2026-11-20T11:14:57.123456789Z'
 */
export class WallClock {
  readonly #clocks: Clocks;
  readonly #interval: bigint;
  readonly #attempts: number;
  #sample: Sample;

  constructor(clocks: Clocks, options: WallClockOptions = {}) {
    this.#clocks = clocks;
    this.#interval = options.interval ?? 10n * nanosecondsPerSecond;
    this.#attempts = options.attempts ?? 3;
    this.#sample = takeSample(clocks, this.#attempts);
  }

  /** By the clocks of this machine. */
  static ofKernel(options: WallClockOptions = {}): WallClock {
    const clocks = {
      monotonic: () => clockGettime('monotonic'),
      realtime: () => clockGettime('realtime'),
    };
    return new WallClock(clocks, options);
  }

  /** REALTIME − MONOTONIC in nanoseconds, as last sampled. */
  get offset(): bigint {
    return this.#sample.offset;
  }

  /** How far `offset` can be from the truth at the moment it was sampled: half the bracket, in nanoseconds. */
  get uncertainty(): bigint {
    return (this.#sample.bracket + 1n) / 2n;
  }

  /** Nanoseconds since 1970-01-01T00:00:00Z. */
  toUnixNanoseconds(monotonic: bigint): bigint {
    if (monotonic - this.#sample.takenAt >= this.#interval)
      this.#sample = takeSample(this.#clocks, this.#attempts);
    return monotonic + this.#sample.offset;
  }

  /** UTC with all nine digits of the nanoseconds. */
  toIso(monotonic: bigint): string {
    const { seconds, nanoseconds } = splitUnixNanoseconds(this.toUnixNanoseconds(monotonic));
    const whole = new Date(Number(seconds) * 1000).toISOString().slice(0, -'.000Z'.length);
    return `${whole}.${String(nanoseconds).padStart(9, '0')}Z`;
  }
}

/** Seconds, rounded towards the past, and the rest in nanoseconds (0 to 999,999,999): the parts of a Timestamp. */
export function splitUnixNanoseconds(time: bigint): { seconds: bigint; nanoseconds: number } {
  const rest = ((time % nanosecondsPerSecond) + nanosecondsPerSecond) % nanosecondsPerSecond;
  return { seconds: (time - rest) / nanosecondsPerSecond, nanoseconds: Number(rest) };
}

/** A bracket that preemption or a virtual machine's exit has widened is thrown away for a narrower one. */
function takeSample(clocks: Clocks, attempts: number): Sample {
  let best = bracketRealtime(clocks);
  for (let attempt = 1; attempt < attempts; attempt++) {
    const sample = bracketRealtime(clocks);
    if (sample.bracket < best.bracket) best = sample;
  }
  return best;
}

/** REALTIME was read somewhere between two readings of MONOTONIC: the middle is off by half the bracket at most. */
function bracketRealtime(clocks: Clocks): Sample {
  const before = clocks.monotonic();
  const realtime = clocks.realtime();
  const after = clocks.monotonic();
  const bracket = after - before;
  return { offset: realtime - (before + bracket / 2n), bracket, takenAt: after };
}
