import type { Ledger } from './ledger.ts';

/** What `struct sniffer_stats` counts, summed over CPUs. */
export type Counters = Readonly<Record<string, bigint>>;

export interface CounterCheck {
  readonly text: string;
  readonly holds: boolean;
}

/** What the kernel counted, against what was sent and read. */
export function checkCounters(
  counters: Counters,
  ledger: Pick<Ledger, 'sent' | 'events' | 'ignorable' | 'foreign' | 'tagged'>,
): CounterCheck[] {
  const count = (name: string): number => Number(counters[name] ?? Number.NaN);
  const seen = count('seen');
  const outcomes = ['ignored', 'filtered', 'no_space', 'submitted'];
  const foreign = foreignFrames(counters, ledger);
  const foreignIgnored = foreign - ledger.foreign;
  return [
    check(
      `seen ${seen} = ${outcomes.map((name) => `${name} ${count(name)}`).join(' + ')}`,
      seen === outcomes.reduce((sum, name) => sum + count(name), 0),
    ),
    check(
      `seen ${seen} = sent ${ledger.sent} + not sent by this demo ${foreign}`,
      foreign >= 0 && seen === ledger.sent + foreign,
    ),
    check(
      `submitted ${count('submitted')} = events read ${ledger.events}`,
      count('submitted') === ledger.events,
    ),
    check(
      `ignored ${count('ignored')} = sent and no IP packet ${ledger.ignorable} + not sent by this demo ${foreignIgnored}`,
      foreignIgnored >= 0 && count('ignored') === ledger.ignorable + foreignIgnored,
    ),
    check(`payload_unreadable ${count('payload_unreadable')} = 0`, count('payload_unreadable') === 0),
    check(
      `vlan ${count('vlan')} ${foreign > 0 ? '>=' : '='} sent with a tag ${ledger.tagged}`,
      foreign > 0 ? count('vlan') >= ledger.tagged : count('vlan') === ledger.tagged,
    ),
  ];
}

/** Frames that somebody else sent over the pair: the kernel or a daemon that greets every new interface. */
export function foreignFrames(counters: Counters, { sent }: Pick<Ledger, 'sent'>): number {
  return Number(counters['seen'] ?? Number.NaN) - sent;
}

function check(text: string, holds: boolean): CounterCheck {
  return { text, holds };
}
