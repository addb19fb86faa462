/**
 * How a check came out. `missing`: the main job cannot run like this. `warning`: something of it falls short or will
 * not work. `info`: a fact that is neither good nor bad, or that could not be found out.
 */
export type CheckStatus = 'ok' | 'warning' | 'missing' | 'info';

/** One thing that was looked at. */
export interface Check {
  /** What: `kernel`, `CAP_BPF`, `net.core.bpf_jit_enable`. Unique within its group. */
  readonly name: string;
  /** What it belongs to: `kernel`, `capabilities`, … */
  readonly group: string;
  readonly status: CheckStatus;
  /** What was found; null where that could not be done. */
  readonly value: string | number | boolean | null;
  /** The value in words, where it does not speak for itself. */
  readonly text?: string | undefined;
  /** What to do where it falls short. */
  readonly advice?: string | undefined;
}

/** The checks of one group, whose name they leave out. */
export function inGroup(group: string, checks: readonly Omit<Check, 'group'>[]): Check[] {
  return checks.map((check) => ({ ...check, group }));
}
