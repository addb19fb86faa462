import type { Ledger } from './ledger.ts';

/** What `struct sniffer_stats` counts, summed over CPUs. */
export type Counters = Readonly<Record<string, bigint>>;

export interface CounterCheck {
  readonly text: string;
  readonly holds: boolean;
}

/** Every frame counts as seen, and as one of these. */
const OUTCOMES = ['ignored', 'filtered', 'no_space', 'submitted'] as const;
/** Nothing that the demo sends may end like this. */
const LOSSES = ['filtered', 'no_space', 'payload_unreadable'] as const;

/** What the kernel counted, against what was sent and read. */
export function checkCounters(
  counters: Counters,
  ledger: Pick<Ledger, 'sent' | 'events' | 'ignorable' | 'foreign' | 'tagged'>,
): CounterCheck[] {
  // A counter that is not there makes every sum with it wrong.
  const count = (name: string): number => Number(counters[name] ?? Number.NaN);
  const named = (name: string): string => `${name} ${count(name)}`;
  // The kernel and daemons greet new interfaces with frames of their own, where they are let.
  const foreign = count('seen') - ledger.sent;
  const foreignIgnored = foreign - ledger.foreign;
  return [
    {
      text: `${named('seen')} = ${OUTCOMES.map(named).join(' + ')}`,
      holds: count('seen') === OUTCOMES.reduce((sum, name) => sum + count(name), 0),
    },
    {
      text: `${named('seen')} = sent ${ledger.sent} + sent by others ${foreign}`,
      holds: foreign >= 0,
    },
    {
      text: `${named('submitted')} = events read ${ledger.events}`,
      holds: count('submitted') === ledger.events,
    },
    {
      text: `${named('ignored')} = sent to be ignored ${ledger.ignorable} + sent by others ${foreignIgnored}`,
      holds: foreignIgnored >= 0 && count('ignored') === ledger.ignorable + foreignIgnored,
    },
    {
      text: LOSSES.map(named).join(', '),
      holds: LOSSES.every((name) => count(name) === 0),
    },
    {
      text: `${named('vlan')} ${foreign > 0 ? '>=' : '='} sent with a tag ${ledger.tagged}`,
      holds: foreign > 0 ? count('vlan') >= ledger.tagged : count('vlan') === ledger.tagged,
    },
  ];
}
