import type { SlotSettings } from './configuration.ts';

/** What decides about a program's turn. */
export interface Ranked {
  readonly settings: Pick<SlotSettings, 'priority'>;
  /** The name of its function, in full. */
  readonly name: string;
  /** Whether it is in the dispatcher that is there already. */
  readonly installed: boolean;
  /** As hex. */
  readonly tag: string;
  /** Nanoseconds since boot. */
  readonly loadTime: bigint;
}

/** By priority; programs of one priority in libxdp's order, so that every tool rebuilds the same one. */
export function inRunOrder<Program extends Ranked>(programs: readonly Program[]): Program[] {
  return programs.toSorted(
    (one, other) =>
      one.settings.priority - other.settings.priority ||
      compare(one.name, other.name) ||
      Number(other.installed) - Number(one.installed) ||
      compare(one.tag, other.tag) ||
      Number(one.loadTime - other.loadTime),
  );
}

function compare(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
