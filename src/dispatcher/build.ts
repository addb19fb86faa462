import { AttachError, PermissionError, UnsupportedFeatureError } from '../errors.ts';
import { Feature } from '../features/index.ts';
import { attachFreplace, type BpfLink } from '../link/index.ts';
import type { Collection } from '../loader/index.ts';
import type { BpfProgram } from '../programs/index.ts';
import type { Component } from './component.ts';
import { DISPATCHER_SLOTS, type DispatcherVersion } from './configuration.ts';
import { DISPATCHER_PROGRAM, loadDispatcher } from './dispatcher-object.ts';
import { inRunOrder } from './order.ts';
import { pinSlots, unpinSlots, type DispatcherPlace, type LinkedSlot } from './pins.ts';

/** A dispatcher with its programs in their slots and pinned, on no interface yet. */
export interface BuiltDispatcher {
  readonly program: BpfProgram;
  readonly place: DispatcherPlace;
  /** Removes what is pinned. */
  undo(): void;
  /** Gives this process's handles back. */
  close(): void;
}

/**
 * Puts programs into a new dispatcher in the order of their priorities. They may be in another one at the same time.
 *
 * Linux 5.10.
 *
 * @throws AttachError (ATTACH_REFUSED) for more than ten; UnsupportedFeatureError, PermissionError
 */
export function buildDispatcher(
  components: readonly Component[],
  context: { ifindex: number; target: string; version: DispatcherVersion },
): BuiltDispatcher {
  const { ifindex, target, version } = context;
  if (components.length > DISPATCHER_SLOTS) throw tooMany(target, components.length);
  const ordered = inRunOrder(components);
  const collection = load(ordered, version);
  const links: BpfLink[] = [];
  const close = (): void => {
    for (const link of links) link.leave();
    collection.close();
  };
  try {
    const dispatcher = collection.program(DISPATCHER_PROGRAM);
    const slots: LinkedSlot[] = ordered.map(({ program }, slot) => {
      const link = linkSlot(program, { dispatcher, slot, target });
      links.push(link);
      return { program, link };
    });
    const place = { ifindex, dispatcherId: dispatcher.id };
    pinSlots(place, slots);
    const undo = (): void => {
      unpinSlots(place);
    };
    return { program: dispatcher, place, undo, close };
  } catch (error) {
    close();
    throw error;
  }
}

/** Takes packets of several buffers where all of its programs do, and the kernel can. */
function load(components: readonly Component[], version: DispatcherVersion): Collection {
  const slots = components.map(({ settings }) => settings);
  const frags = version > 1 && slots.every((slot) => slot.frags);
  try {
    return loadDispatcher({ version, frags, slots });
  } catch (error) {
    if (!frags || !(error instanceof UnsupportedFeatureError && error.feature === Feature.XdpFrags.name))
      throw error;
    return loadDispatcher({ version, frags: false, slots });
  }
}

function linkSlot(
  program: BpfProgram,
  { dispatcher, slot, target }: { dispatcher: BpfProgram; slot: number; target: string },
): BpfLink {
  try {
    return attachFreplace(program, { target: { program: dispatcher, function: `prog${String(slot)}` } });
  } catch (error) {
    throw explainRefusal(error, `attach ${program.name} to ${target}`);
  }
}

/**
 * A kernel that may not, or cannot, put programs in the place of functions: its errors name no reason of their own. The
 * prototype was found right when the program was loaded, so what is refused later is another target than that one.
 */
export function explainRefusal(error: unknown, doing: string): unknown {
  const context = { cause: error, hint: 'attach one program by itself, without --multi' };
  const extending = error instanceof PermissionError && /PROG_LOAD|LINK_CREATE/.test(error.call);
  if (extending && error.missing.length === 0) {
    const why = 'this kernel does not let programs take the place of functions (freplace, since Linux 5.6)';
    return new UnsupportedFeatureError('freplace', '5.6', `Cannot ${doing}: ${why}`, context);
  }
  if (error instanceof AttachError && error.code === 'ATTACH_REFUSED') {
    const why =
      'this kernel does not let a program take the place of functions of several programs (since Linux 5.10)';
    return new UnsupportedFeatureError(
      'freplace of another target',
      '5.10',
      `Cannot ${doing}: ${why}`,
      context,
    );
  }
  return error;
}

function tooMany(target: string, count: number): AttachError {
  return new AttachError(
    'ATTACH_REFUSED',
    target,
    `Cannot attach to ${target}: that would be ${String(count)} programs, and a dispatcher has room for ${String(DISPATCHER_SLOTS)}`,
  );
}
