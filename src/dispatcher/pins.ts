import { mkdirSync, readdirSync, rmdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { UnsupportedFeatureError } from '../errors.ts';
import type { BpfLink } from '../link/index.ts';
import type { BpfProgram } from '../programs/index.ts';
import { isOnFileSystem, withDirectoryLock } from '../sys/index.ts';

/** A program in its slot, and what holds it there. */
export interface LinkedSlot {
  readonly program: BpfProgram;
  readonly link: BpfLink;
}

export interface DispatcherPlace {
  readonly ifindex: number;
  /** The id of the dispatcher's program. */
  readonly dispatcherId: number;
}

/**
 * Runs an action while no other user of the protocol reads or changes what is pinned.
 *
 * @throws UnsupportedFeatureError where no bpf file system is mounted
 */
export function withDispatcherLock<Result>(action: () => Result): Result {
  const directory = pinRoot();
  if (!isOnFileSystem(join(directory, '..'), 'bpf')) {
    throw new UnsupportedFeatureError(
      'bpf file system',
      '4.4',
      `Cannot use an XDP dispatcher: ${join(directory, '..')} is not a bpf file system`,
      { hint: 'mount one: mount -t bpf bpf /sys/fs/bpf' },
    );
  }
  makeDirectory(directory);
  return withDirectoryLock(directory, action);
}

export function slotPath(
  place: DispatcherPlace,
  { slot, kind }: { slot: number; kind: 'prog' | 'link' },
): string {
  return join(directoryOf(place), `prog${String(slot)}-${kind}`);
}

/** Pins all of a dispatcher's programs and their links, or nothing. */
export function pinSlots(place: DispatcherPlace, slots: readonly LinkedSlot[]): void {
  makeDirectory(directoryOf(place));
  try {
    slots.forEach(({ program, link }, slot) => {
      link.pin(slotPath(place, { slot, kind: 'link' }));
      program.pin(slotPath(place, { slot, kind: 'prog' }));
    });
  } catch (error) {
    unpinSlots(place);
    throw error;
  }
}

/** Removes the directory of a dispatcher; its programs go with it where nobody else holds them. */
export function unpinSlots(place: DispatcherPlace): void {
  const directory = directoryOf(place);
  for (const name of readdirSync(directory)) unlinkSync(join(directory, name));
  rmdirSync(directory);
}

/** Whether a dispatcher's programs are pinned as the protocol says. */
export function arePinned(place: DispatcherPlace): boolean {
  return isOnFileSystem(directoryOf(place), 'bpf');
}

/** Libxdp's users may have chosen another bpf file system. */
function pinRoot(): string {
  return join(process.env['LIBXDP_BPFFS'] ?? '/sys/fs/bpf', 'xdp');
}

function directoryOf({ ifindex, dispatcherId }: DispatcherPlace): string {
  return join(pinRoot(), `dispatch-${String(ifindex)}-${String(dispatcherId)}`);
}

function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** The dispatchers of an interface that have pins, the one that is attached among them. */
export function listPlaces(ifindex: number): DispatcherPlace[] {
  return readdirSync(pinRoot()).flatMap((name) => {
    const match = /^dispatch-(\d+)-(\d+)$/.exec(name);
    return match && Number(match[1]) === ifindex ? [{ ifindex, dispatcherId: Number(match[2]) }] : [];
  });
}
