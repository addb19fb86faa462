import { ArgumentError, ObjectError } from '../errors.ts';
import { inNamespace, XDP_MODES, type InterfaceOptions, type XdpMode } from '../link/index.ts';
import type { Collection } from '../loader/index.ts';
import { interfaceByIndex, interfaceByName, RouteSocket } from '../netlink/index.ts';
import { checkInteger } from '../sys/index.ts';
import { BPF_PROG_TYPE_EXT } from '../uapi/index.ts';
import { actionMask, actionsOf, type XdpAction } from './actions.ts';
import { DispatchedXdp } from './attachment.ts';
import { changeDispatcher } from './change.ts';
import { describeComponent, type Component } from './component.ts';
import { readRunConfig } from './run-config.ts';

/** Where {@link attachXdpMulti} attaches, and in which order the programs run. */
export interface XdpMultiOptions extends InterfaceOptions {
  /** Names of the programs to attach. @default every XDP program that was loaded */
  readonly programs?: readonly string[];
  /** Lower runs earlier. @default what the object says for each program, otherwise 50 */
  readonly priority?: number;
  /** After which the next program runs. @default what the object says for each program, otherwise `['pass']` */
  readonly chainCallActions?: readonly XdpAction[];
  /** Modes to try, the best first, for the first program on an interface; others join it. @default ['native', 'generic'] */
  readonly modes?: readonly XdpMode[];
}

/**
 * Attaches XDP programs to an interface beside those that are there, by libxdp's protocol: programs of `xdp-loader` and
 * other users of it stay, and see these. They run in the order of their priorities, each as long as the one before says
 * so. All are attached, or none.
 *
 * Linux 5.10. Needs CAP_SYS_ADMIN, and a bpf file system at /sys/fs/bpf (or LIBXDP_BPFFS).
 *
 * @throws AttachError: ALREADY_ATTACHED where the program there is no dispatcher, ATTACH_REFUSED where there is no room
 * or every mode is refused; NotFoundError, PermissionError, UnsupportedFeatureError
 *
 * @example
 * using collection = loadForDispatcher(ObjectFile.open('filters.bpf.o'));
 * for (const { program, priority } of attachXdpMulti(collection, { interface: 'eth0' })) console.log(program, priority);
 */
export function attachXdpMulti(collection: Collection, options: XdpMultiOptions): DispatchedXdp[] {
  const { modes = ['native', 'generic'] } = options;
  const unknown = modes.find((mode) => !XDP_MODES.includes(mode) || mode === 'offload');
  if (modes.length === 0 || unknown !== undefined) {
    const why = unknown === undefined ? 'the list of modes is empty' : `a dispatcher has no mode ${unknown}`;
    throw new ArgumentError('modes', `Cannot attach: ${why}`, { hint: 'the modes are native, generic' });
  }
  const components = componentsOf(collection, options);
  return inNamespace(options.netns, () => attachHere(components, { ...options, modes }));
}

function attachHere(
  components: readonly Component[],
  options: XdpMultiOptions & { modes: readonly XdpMode[] },
): DispatchedXdp[] {
  // Each attachment's own, opened in the interface's namespace: closing it later must reach the same place.
  const sockets: RouteSocket[] = [];
  try {
    for (const _ of components) sockets.push(RouteSocket.open());
    const [socket] = sockets;
    if (!socket) return [];
    const reference = options.interface;
    const device =
      typeof reference === 'number'
        ? interfaceByIndex(socket, reference)
        : interfaceByName(socket, reference);
    const changed = changeDispatcher({
      doing: 'attach to',
      socket,
      ifindex: device.index,
      netns: options.netns?.name,
      modes: options.modes,
      components: (installed) => [...installed, ...components],
    });
    const { mode, refusals } = changed ?? { mode: 'native' as const, refusals: [] };
    return components.map(({ name, id, settings }) => {
      const facts = {
        target: device.name,
        ifindex: device.index,
        mode,
        refusals,
        program: name,
        programId: id,
      };
      const actions = actionsOf(settings.chainCallActions);
      return new DispatchedXdp(sockets.shift() ?? socket, {
        ...facts,
        priority: settings.priority,
        chainCallActions: actions,
      });
    });
  } finally {
    for (const socket of sockets) socket.close();
  }
}

function componentsOf(collection: Collection, options: XdpMultiOptions): Component[] {
  const { priority, chainCallActions } = options;
  checkInteger('priority', priority ?? 0, { minimum: 0, maximum: 0xffff_ffff });
  const loaded = [...collection.programs.keys()].filter(
    (name) => collection.program(name).type === BPF_PROG_TYPE_EXT && isXdp(collection, name),
  );
  const names = options.programs ?? loaded;
  const other = names.find((name) => !loaded.includes(name));
  if (other !== undefined || names.length === 0) throw notLoadedForIt(collection, other);
  return names.map((name) => {
    const own = readRunConfig(collection.object, name);
    const settings = {
      ...own,
      ...(priority !== undefined && { priority }),
      ...(chainCallActions && { chainCallActions: actionMask(chainCallActions) }),
    };
    return describeComponent(collection.program(name), { settings, installed: false });
  });
}

/** The object says of a program that was made an extension what it was before. */
function isXdp(collection: Collection, name: string): boolean {
  return collection.object.program(name).type !== BPF_PROG_TYPE_EXT;
}

function notLoadedForIt(collection: Collection, name: string | undefined): ObjectError {
  // A misspelt name is told apart from one that was loaded in another way.
  if (name !== undefined) collection.program(name);
  const what = name ?? 'the collection';
  return new ObjectError('PROGRAM_NONE', `Cannot attach ${what}: it was not loaded for a dispatcher`, {
    program: name,
    hint: 'load the object with loadForDispatcher()',
  });
}
