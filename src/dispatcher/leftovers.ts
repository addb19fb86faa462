import { NotFoundError } from '../errors.ts';
import { BpfProgram } from '../programs/index.ts';
import { DISPATCHER_SLOTS } from './configuration.ts';
import { listPlaces, slotPath, unpinSlots, withDispatcherLock, type DispatcherPlace } from './pins.ts';

/** Removes the pins of dispatchers that are on an interface no longer, as far as they ran this program. */
export function unpinLeftovers(ifindex: number, programId: number): void {
  withDispatcherLock(() => {
    for (const place of listPlaces(ifindex)) if (isPinnedIn(place, programId)) unpinSlots(place);
  });
}

/** Whether a dispatcher has this program, by its pins; the caller holds the lock. */
export function isPinnedIn(place: DispatcherPlace, programId: number): boolean {
  for (let slot = 0; slot < DISPATCHER_SLOTS; slot++) {
    const id = pinnedId(slotPath(place, { slot, kind: 'prog' }));
    if (id === programId) return true;
    if (id === undefined) return false;
  }
  return false;
}

function pinnedId(path: string): number | undefined {
  try {
    using program = BpfProgram.fromPin(path);
    return program.id;
  } catch (error) {
    if (error instanceof NotFoundError) return undefined;
    throw error;
  }
}
