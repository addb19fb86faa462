import type { Output } from '../output/output.ts';

export interface StreamFacts {
  /** Events read. */
  readonly events: number;
  /** What the object counted, where it counts. */
  readonly counters: Record<string, bigint> | undefined;
  readonly durationMilliseconds: number;
  /** Events read and not printed, because the reader of the output was too slow. */
  readonly dropped: number;
}

/** The last line of a stream. What an object does not count is unknown, never 0. */
export function printSummary(output: Output, facts: StreamFacts): void {
  const { events, counters, dropped } = facts;
  const lost = counters?.['no_space'];
  const duration = Math.round(facts.durationMilliseconds);
  output.result(
    {
      type: 'summary',
      events,
      lost: lost === undefined ? null : Number(lost),
      dropped,
      counters: Object.fromEntries(
        Object.entries(counters ?? {}).map(([name, count]) => [name, Number(count)]),
      ),
      duration_ms: duration,
    },
    [
      `${events} events in ${(duration / 1000).toFixed(1)} s`,
      lost === undefined ? 'lost: unknown, the object does not count' : `lost: ${lost}`,
      ...(dropped > 0 ? [`not printed, the output was too slow: ${dropped}`] : []),
      ...(counters
        ? [
            Object.entries(counters)
              .map(([name, count]) => `${name} ${count}`)
              .join(', '),
          ]
        : []),
    ].join('; '),
  );
}
