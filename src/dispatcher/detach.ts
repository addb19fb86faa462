import { NotFoundError } from '../errors.ts';
import { inNamespace, type InterfaceOptions, type XdpMode } from '../link/index.ts';
import { interfaceByIndex, interfaceByName, RouteSocket, type NetworkInterface } from '../netlink/index.ts';
import { actionsOf, type XdpAction } from './actions.ts';
import { changeDispatcher } from './change.ts';
import type { Component } from './component.ts';
import type { DispatcherVersion } from './configuration.ts';
import { mayBeDispatcher, openInstalled } from './installed.ts';
import { withDispatcherLock } from './pins.ts';

/** A program in a dispatcher. */
export interface DispatchedProgram {
  readonly id: number;
  /** The name of its function, in full. */
  readonly name: string;
  readonly priority: number;
  readonly chainCallActions: readonly XdpAction[];
  /** Whether it takes packets of several buffers. */
  readonly frags: boolean;
  /** As hex. */
  readonly tag: string;
}

/** A dispatcher on an interface, whoever made it. */
export interface XdpDispatcher {
  readonly target: string;
  readonly ifindex: number;
  readonly mode: XdpMode;
  /** The id of its program. */
  readonly id: number;
  readonly version: DispatcherVersion;
  /** In the order in which they run. */
  readonly programs: readonly DispatchedProgram[];
}

/**
 * The dispatcher on an interface; undefined where there is none, or another program, or one whose programs are not pinned
 * where they belong. Needs CAP_SYS_ADMIN.
 *
 * @throws NotFoundError (INTERFACE_NOT_FOUND); AttachError for a dispatcher of an unknown version;
 * UnsupportedFeatureError without a bpf file system
 */
export function readXdpDispatcher(options: InterfaceOptions): XdpDispatcher | undefined {
  return withInterfaceSocket(options, (socket, seen) => {
    if (!mayBeDispatcher(seen)) return undefined;
    return withDispatcherLock(() => {
      const device = interfaceByIndex(socket, seen.index);
      const installed = openInstalled(device);
      if (installed?.kind !== 'dispatcher') return undefined;
      using dispatcher = installed;
      const { mode, place, configuration, components } = dispatcher;
      return {
        target: device.name,
        ifindex: device.index,
        mode,
        id: place.dispatcherId,
        version: configuration.version,
        programs: components.map(describe),
      };
    });
  });
}

/** Which programs {@link detachXdpMulti} takes out of which dispatcher. */
export interface DetachMultiOptions extends InterfaceOptions {
  /** Programs by name or id; a name may be that of several. @default all */
  readonly programs?: readonly (string | number)[];
}

/**
 * Takes programs out of the dispatcher on an interface, whoever attached them; the others run on without a gap, and with
 * the last one the dispatcher goes.
 *
 * Linux 5.10; all at once on earlier kernels too. Needs CAP_SYS_ADMIN.
 *
 * @returns those that were taken out, in the order in which they ran
 * @throws NotFoundError (PROGRAM_NOT_FOUND) with the names that are there; as {@link attachXdpMulti}
 */
export function detachXdpMulti(options: DetachMultiOptions): DispatchedProgram[] {
  const { programs: wanted } = options;
  return withInterfaceSocket(options, (socket, { index }) => {
    let detached: readonly Component[] = [];
    changeDispatcher({
      doing: 'detach from the dispatcher of',
      socket,
      ifindex: index,
      modes: [],
      components: (installed, { name }) => {
        const isWanted = (one: Component): boolean =>
          wanted?.some((reference) => reference === one.id || reference === one.name) ?? true;
        detached = installed.filter(isWanted);
        const missing = wanted?.find(
          (one) => !installed.some(({ id, name: own }) => one === id || one === own),
        );
        if (missing !== undefined || installed.length === 0) throw notThere(missing, { name, installed });
        return installed.filter((one) => !isWanted(one));
      },
    });
    return detached.map(describe);
  });
}

function describe({ id, name, tag, settings }: Component): DispatchedProgram {
  const { priority, chainCallActions, frags } = settings;
  return { id, name, priority, chainCallActions: actionsOf(chainCallActions), frags, tag };
}

function notThere(
  reference: string | number | undefined,
  { name, installed }: { name: string; installed: readonly Component[] },
): NotFoundError {
  const available = installed.map((component) => component.name);
  const what = typeof reference === 'number' ? `program ${String(reference)}` : reference;
  const why = installed.length === 0 ? 'no dispatcher' : `no program ${String(reference)}`;
  const hint = installed.length === 0 ? undefined : `its programs are ${available.join(', ')}`;
  return new NotFoundError(
    'PROGRAM_NOT_FOUND',
    String(reference ?? name),
    `Cannot detach ${what ?? 'the programs'} from ${name}: it has ${why}`,
    { available, hint },
  );
}

function withInterfaceSocket<Result>(
  options: InterfaceOptions,
  action: (socket: RouteSocket, device: NetworkInterface) => Result,
): Result {
  return inNamespace(options.netns, () => {
    const socket = RouteSocket.open();
    try {
      const reference = options.interface;
      const device =
        typeof reference === 'number'
          ? interfaceByIndex(socket, reference)
          : interfaceByName(socket, reference);
      return action(socket, device);
    } finally {
      socket.close();
    }
  });
}
