import type { Held, ProcessHolder } from './holder.ts';
import type { ProcessSurvey } from './processes.ts';

/** Processes that have it open. */
export function descriptorsOf(held: Held, { descriptors }: ProcessSurvey): ProcessHolder[] {
  return descriptors
    .filter(({ kind, id }) => kind === held.kind && id === held.id)
    .map(({ pid, command, fd }) => ({ kind: 'process', pid, command, fd }));
}
