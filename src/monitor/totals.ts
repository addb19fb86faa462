import type { Collection } from '../loader/index.ts';
import { PerCpuMap, requireValue, type BpfMap } from '../maps/index.ts';

/** What the monitor has counted since it was loaded, over all CPUs. */
export interface PacketTotals {
  /** Every frame that arrived. */
  readonly total: bigint;
  readonly tcp: bigint;
  readonly udp: bigint;
  /** Other IP packets, and frames that are none. */
  readonly other: bigint;
  /** IP packets for whose event the ring had no room; undefined where the object does not count them. */
  readonly lost: bigint | undefined;
}

/** The entries of `stats_map`. */
const StatsEntry = { Total: 0, Tcp: 1, Udp: 2, Other: 3 } as const;

/** Reads the monitor's counters. */
export class PacketCounters {
  readonly #stats: BpfMap;
  readonly #outcomes: PerCpuMap<number, { readonly no_space: bigint }> | undefined;

  /** @throws NotFoundError for a collection without `stats_map` */
  constructor(collection: Collection) {
    this.#stats = collection.map('stats_map');
    const outcomes = collection.maps.get('packet_counters');
    this.#outcomes = outcomes && new PerCpuMap(outcomes);
  }

  /** The total is read last, so that with packets arriving the parts are never more than the whole. */
  read(): PacketTotals {
    const [tcp, udp, other] = [StatsEntry.Tcp, StatsEntry.Udp, StatsEntry.Other].map((entry) =>
      this.#sum(entry),
    ) as [bigint, bigint, bigint];
    const lost = this.#outcomes?.merge(0, { initial: 0n, add: (sum, { no_space }) => sum + no_space });
    return { total: this.#sum(StatsEntry.Total), tcp, udp, other, lost };
  }

  #sum(entry: number): bigint {
    const values = requireValue(this.#stats, entry) as readonly bigint[];
    return values.reduce((sum, value) => sum + value, 0n);
  }
}
