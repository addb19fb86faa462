import { AttachError, NetlinkError } from '../errors.ts';
import {
  interfaceByIndex,
  setXdpProgram,
  type NetworkInterface,
  type RouteSocket,
} from '../netlink/index.ts';
import { attachXdp, type XdpMode, type XdpRefusal } from '../link/index.ts';
import type { BpfProgram } from '../programs/index.ts';
import { buildDispatcher, type BuiltDispatcher } from './build.ts';
import type { Component } from './component.ts';
import { openInstalled, type InstalledDispatcher, type OtherProgram } from './installed.ts';
import { unpinSlots, withDispatcherLock } from './pins.ts';

/** Another tool that changes the same interface all the time is waited for this often; together one second. */
const ATTEMPTS = 10;

export interface DispatcherChange {
  /** `attach to`, `detach from`: for messages. */
  readonly doing: string;
  readonly socket: RouteSocket;
  readonly ifindex: number;
  /** What the namespace of the interface was asked for by, for messages; undefined for that of the process. */
  readonly netns?: string | undefined;
  /** Which programs there are to be, given those that are there. The same list means no change. */
  readonly components: (installed: readonly Component[], device: NetworkInterface) => readonly Component[];
  /** Where a first program may go. */
  readonly modes: readonly XdpMode[];
}

export interface ChangedDispatcher {
  readonly mode: XdpMode;
  readonly refusals: readonly XdpRefusal[];
  /** Undefined where no program is left, and so no dispatcher. */
  readonly dispatcherId: number | undefined;
}

/**
 * Exchanges the dispatcher on an interface by a new one with other programs, without a moment in which those that stay
 * do not run. Should another tool have changed it meanwhile, it begins anew.
 *
 * @throws AttachError: ALREADY_ATTACHED where a program is there that is no dispatcher, ATTACH_CHANGED where another
 * tool was faster every time; NotFoundError (INTERFACE_NOT_FOUND), NetlinkError, what building throws
 */
export function changeDispatcher(change: DispatcherChange): ChangedDispatcher | undefined {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const outcome = withDispatcherLock(() => changeOnce(change));
    if (outcome !== 'changed meanwhile') return outcome;
    pause(2 ** attempt);
  }
  const { name } = interfaceByIndex(change.socket, change.ifindex);
  const message = `Cannot change the XDP dispatcher on ${name}: another program exchanges it all the time`;
  throw new AttachError('ATTACH_CHANGED', name, message, { hint: 'try again' });
}

type Outcome = ChangedDispatcher | undefined | 'changed meanwhile';

function changeOnce(change: DispatcherChange): Outcome {
  const device = interfaceByIndex(change.socket, change.ifindex);
  const installed = openInstalled(device);
  if (installed?.kind === 'other') throw occupied(device, { other: installed, change });
  try {
    const before = installed?.components ?? [];
    const after = change.components(before, device);
    if (after === before) return undefined;
    return installed && after.length === 0
      ? removeAll(installed, { change, device })
      : exchange(installed, { change, device, after });
  } finally {
    installed?.close();
  }
}

function removeAll(
  installed: InstalledDispatcher,
  { change, device }: { change: DispatcherChange; device: NetworkInterface },
): Outcome {
  const { mode, place, program } = installed;
  if (!trySet({ change, device, mode, next: undefined, expected: program })) return 'changed meanwhile';
  unpinSlots(place);
  return { mode, refusals: [], dispatcherId: undefined };
}

function exchange(
  installed: InstalledDispatcher | undefined,
  context: { change: DispatcherChange; device: NetworkInterface; after: readonly Component[] },
): Outcome {
  const { change, device, after } = context;
  const version = installed?.configuration.version ?? 2;
  const built = buildDispatcher(after, { ifindex: device.index, target: device.name, version });
  let attached: Outcome;
  try {
    attached = installed
      ? replace(installed, { change, device, built })
      : attachFirst(built, { change, device });
  } catch (error) {
    built.undo();
    built.close();
    throw error;
  }
  if (attached === 'changed meanwhile') built.undo();
  else if (installed) unpinSlots(installed.place);
  built.close();
  return attached;
}

function replace(
  { mode, program }: InstalledDispatcher,
  { change, device, built }: { change: DispatcherChange; device: NetworkInterface; built: BuiltDispatcher },
): Outcome {
  if (!trySet({ change, device, mode, next: built.program, expected: program })) return 'changed meanwhile';
  return { mode, refusals: [], dispatcherId: built.place.dispatcherId };
}

/** In the namespace of the interface, where the caller is. */
function attachFirst(
  built: BuiltDispatcher,
  { change, device }: { change: DispatcherChange; device: NetworkInterface },
): Outcome {
  try {
    const attachment = attachXdp(built.program, {
      interface: device.index,
      modes: change.modes,
      via: 'netlink',
    });
    const { mode, refusals } = attachment;
    attachment.leave();
    return { mode, refusals, dispatcherId: built.place.dispatcherId };
  } catch (error) {
    if (error instanceof AttachError && error.code === 'ALREADY_ATTACHED') return 'changed meanwhile';
    throw error;
  }
}

/** False where another program is there than the expected one. */
function trySet(step: {
  change: DispatcherChange;
  device: NetworkInterface;
  mode: XdpMode;
  next: BpfProgram | undefined;
  expected: BpfProgram;
}): boolean {
  const { change, device, mode, next, expected } = step;
  try {
    setXdpProgram(change.socket, {
      ifindex: device.index,
      name: device.name,
      mode,
      programFd: next ? next.fd.value : -1,
      expectedFd: expected.fd.value,
    });
    return true;
  } catch (error) {
    if (error instanceof NetlinkError && ['EEXIST', 'ENOENT'].includes(error.errnoName)) return false;
    throw error;
  }
}

function occupied(
  { name }: NetworkInterface,
  { other, change: { doing, netns } }: { other: OtherProgram; change: DispatcherChange },
): AttachError {
  const { programId, mode } = other;
  const place = netns === undefined ? '' : ` --netns ${netns}`;
  return new AttachError(
    'ALREADY_ATTACHED',
    name,
    `Cannot ${doing} ${name}: program ${String(programId)} (${mode}) is attached there, and it is no dispatcher with pinned programs`,
    { programId, hint: `detach it, and attach it again with --multi: ts-xdp unload --iface ${name}${place}` },
  );
}

function pause(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}
