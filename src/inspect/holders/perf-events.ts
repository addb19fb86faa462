import { queryTaskEvent } from '../hooks/index.ts';
import type { PerfEventHolder } from './holder.ts';
import type { Search } from './search.ts';

/** Perf events that processes have open with the program on them. Linux 4.18. @throws PermissionError, SyscallError */
export function perfEventHolders({ kernel, held, processes }: Search): PerfEventHolder[] {
  if (held.kind !== 'program') return [];
  return processes.descriptors.flatMap(({ kind, pid, command, fd }): PerfEventHolder[] => {
    const event = kind === 'perf_event' ? queryTaskEvent(kernel, { pid, fd }) : undefined;
    if (event?.programId !== held.id) return [];
    const { name, address } = event;
    const target = name === '' && address !== 0n ? `0x${address.toString(16)}` : name;
    return [{ kind: 'perf_event', pid, command, fd, type: event.kind, target }];
  });
}
