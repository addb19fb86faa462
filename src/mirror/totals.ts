import type { Collection } from '../loader/index.ts';
import { PerCpuMap } from '../maps/index.ts';
import type { MirrorTarget } from './maps.ts';

/** What went to one target, in frames. */
export interface TargetTotals {
  readonly name: string;
  readonly packets: bigint;
  /** Of the frames, without what the tunnel adds. */
  readonly bytes: bigint;
  /** Not taken by the device: lost. */
  readonly dropped: bigint;
}

/** `seen = tunnel + filtered + mirrored`, in frames: a segmentation offload packet counts as its segments. */
export interface MirrorTotals {
  readonly seen: bigint;
  /** A mirror's own packets, on their way out or coming back. */
  readonly tunnel: bigint;
  readonly filtered: bigint;
  readonly mirrored: bigint;
  readonly targets: readonly TargetTotals[];
  /** Packets that devices took and lost: no route, no neighbour, too long. Fragments lost on the way are not known. */
  readonly tunnelLost: bigint;
}

interface Counters {
  readonly seen: bigint;
  readonly tunnel: bigint;
  readonly filtered: bigint;
  readonly mirrored: bigint;
}

const NONE: Counters = { seen: 0n, tunnel: 0n, filtered: 0n, mirrored: 0n };

export function readTotals(
  collection: Collection,
  targets: readonly MirrorTarget[],
): Omit<MirrorTotals, 'tunnelLost'> {
  const counters = new PerCpuMap<number, Counters>(collection.map('mirror_counters')).merge(0, {
    initial: NONE,
    add: (sum, one) => ({
      seen: sum.seen + one.seen,
      tunnel: sum.tunnel + one.tunnel,
      filtered: sum.filtered + one.filtered,
      mirrored: sum.mirrored + one.mirrored,
    }),
  });
  const stats = collection.map('mirror_stats');
  return {
    ...(counters ?? NONE),
    targets: targets.map(({ name }, index) => {
      const entry = stats.get(index) as
        | { readonly stat: { readonly pcnt: bigint; readonly bcnt: bigint; readonly dcnt: bigint } }
        | undefined;
      const { pcnt = 0n, bcnt = 0n, dcnt = 0n } = entry?.stat ?? {};
      return { name, packets: pcnt, bytes: bcnt, dropped: dcnt };
    }),
  };
}
