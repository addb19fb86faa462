import { compare } from './compare.ts';
import type { Comparison } from './compare.ts';
import type { KnownDifference } from './known-differences.ts';
import type { LoaderRun, RunFacts } from './loader-run.ts';
import { readLibbpf, readOurs } from './outcomes.ts';

/** One comparison of both loaders on one kernel. */
export interface Measure {
  readonly facts: RunFacts;
  readonly comparison: Comparison;
}

export function measure({ facts, libbpf, ours }: LoaderRun, known: readonly KnownDifference[]): Measure {
  const outcomes = { objects: facts.objects, libbpf: readLibbpf(libbpf), ours: readOurs(ours) };
  return { facts, comparison: compare(outcomes, { known, release: facts.release }) };
}
