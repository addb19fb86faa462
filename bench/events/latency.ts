import type { BenchmarkReport, BenchmarkResult } from '../report.ts';
import { median, round } from '../statistics.ts';
import { EventReaders, LIBBPF, OURS, type EventBenchmarkOptions } from './event-readers.ts';
import type { EventsAnswer } from './tally.ts';

/** Milliseconds between two events, so that every reader has gone to sleep. */
const APART = 1;

/**
 * From the stamp of an event in the kernel to the moment its callback begins, one event a millisecond: ours on the event loop
 * and in a worker that blocks or spins, and libbpf's epoll loop, in turns.
 */
export async function benchLatency({
  preferred = false,
  ...options
}: EventBenchmarkOptions): Promise<BenchmarkReport> {
  const readers = EventReaders.start({ preferred });
  try {
    return await measureLatency(readers, options);
  } finally {
    await readers.close();
  }
}

/** The same, with readers that are there. */
export async function measureLatency(
  readers: EventReaders,
  { events = 2000, runs = 5 }: Omit<EventBenchmarkOptions, 'preferred'>,
): Promise<BenchmarkReport> {
  const seen: ReadonlyMap<string, EventsAnswer>[] = [];
  const clock = new Int32Array(new SharedArrayBuffer(4));
  for (let run = 0; run <= runs; run++) {
    const answers = await readers.run({ events, what: 'latency' }, (produce) => {
      for (let event = 0; event < events; event++) {
        Atomics.wait(clock, 0, 0, APART);
        produce(1);
      }
    });
    // The first run warms up.
    if (run > 0) seen.push(answers);
  }
  const results = Object.values(OURS).flatMap((name) =>
    (['p50', 'p99'] as const).map((percentile) => compare({ name, percentile, seen, events, runs })),
  );
  return { benchmark: 'latency', results };
}

function compare({
  name,
  percentile,
  seen,
  events,
  runs,
}: {
  name: string;
  percentile: 'p50' | 'p99';
  seen: readonly ReadonlyMap<string, EventsAnswer>[];
  events: number;
  runs: number;
}): BenchmarkResult {
  const of = (reader: string): number | undefined => {
    const values = seen.flatMap((answers) => answers.get(reader)?.[percentile] ?? []);
    return values.length === 0 ? undefined : median(values) / 1000;
  };
  const ours = of(name) ?? NaN;
  const theirs = of(LIBBPF);
  return {
    peer: 'libbpf',
    unit: 'µs',
    what: `${percentile}, ${name}`,
    ours: round(ours, 2),
    theirs: theirs === undefined ? null : round(theirs, 2),
    ratio: theirs === undefined ? null : round(ours / theirs, 3),
    events,
    runs,
  };
}
