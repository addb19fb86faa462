import type { PinnedKind } from '../../sys/index.ts';
import type { Held, ProcessHolder } from './holder.ts';
import { surveyProcesses, type ProcessSurvey } from './processes.ts';

/** A process that has a descriptor of something. */
export interface DescriptorHolder {
  readonly pid: number;
  /** Its name, at most 15 characters. */
  readonly command: string;
}

/**
 * The processes that hold programs, maps or links by a descriptor, by id. Those of other users are seen with CAP_SYS_PTRACE
 * alone, and processes of other PID namespaces not at all.
 */
export function descriptorHolders(kind: PinnedKind): ReadonlyMap<number, readonly DescriptorHolder[]> {
  const holders = new Map<number, DescriptorHolder[]>();
  for (const descriptor of surveyProcesses().descriptors) {
    if (descriptor.kind !== kind) continue;
    const { id, pid, command } = descriptor;
    const known = holders.get(id) ?? [];
    if (!known.some((holder) => holder.pid === pid)) holders.set(id, [...known, { pid, command }]);
  }
  return holders;
}

/** Processes that have it open. */
export function descriptorsOf(held: Held, { descriptors }: ProcessSurvey): ProcessHolder[] {
  return descriptors
    .filter(({ kind, id }) => kind === held.kind && id === held.id)
    .map(({ pid, command, fd }) => ({ kind: 'process', pid, command, fd }));
}
