import type { BenchmarkReport } from '../report.ts';
import { median, round } from '../statistics.ts';
import { EventReaders, LIBBPF, OURS, type EventBenchmarkOptions } from './event-readers.ts';
import type { EventsAnswer } from './tally.ts';

interface Seen {
  readonly rates: number[];
  /** Nanoseconds of the reader's processor time per event. */
  readonly cpu: number[];
}

/**
 * Events through a ring of 1 MB while a program on the other CPU fills it without a pause; one that finds no space comes
 * again, so nothing is lost and the slower of the two sides says the rate.
 */
export async function benchSustained({
  preferred = false,
  ...options
}: EventBenchmarkOptions): Promise<BenchmarkReport> {
  const readers = EventReaders.start({ preferred });
  try {
    return await measureSustained(readers, options);
  } finally {
    await readers.close();
  }
}

/** The same, with readers that are there. */
export async function measureSustained(
  readers: EventReaders,
  { events = 1_000_000, runs = 5 }: Omit<EventBenchmarkOptions, 'preferred'>,
): Promise<BenchmarkReport> {
  const seen = new Map<string, Seen>();
  for (let run = 0; run <= runs; run++) {
    const answers = await readers.run({ events, what: 'rate' }, (produce) => {
      produce(events);
    });
    // The first run warms up.
    if (run > 0) note(seen, answers);
  }
  const theirs = seen.get(LIBBPF);
  return {
    benchmark: 'sustained',
    results: Object.values(OURS).map((what) => {
      const ours = seen.get(what) ?? { rates: [], cpu: [] };
      const rate = median(ours.rates);
      const theirRate = theirs && median(theirs.rates);
      return {
        peer: 'libbpf',
        unit: 'events/s',
        what,
        ours: Math.round(rate),
        theirs: theirRate === undefined ? null : Math.round(theirRate),
        ratio: theirRate === undefined ? null : round(rate / theirRate, 3),
        cpu_ns_per_event: round(median(ours.cpu), 1),
        their_cpu_ns_per_event: theirs ? round(median(theirs.cpu), 1) : null,
        events,
        runs,
      };
    }),
  };
}

function note(seen: Map<string, Seen>, answers: ReadonlyMap<string, EventsAnswer>): void {
  for (const [name, { events, nanoseconds, cpu }] of answers) {
    const known = seen.get(name) ?? { rates: [], cpu: [] };
    known.rates.push((events * 1e9) / nanoseconds);
    known.cpu.push(cpu / events);
    seen.set(name, known);
  }
}
