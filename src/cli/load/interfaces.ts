import { attachXdp, inNamespace, type XdpAttachment } from '../../link/index.ts';
import {
  interfaceByName,
  tryInterfaceByName,
  parseIpAddress,
  RouteSocket,
  watchRoute,
  type RouteEvent,
  type RouteWatch,
} from '../../netlink/index.ts';
import type { BpfProgram } from '../../programs/index.ts';
import type { InterfaceConfiguration, SnifferMaps } from '../../sniffer/index.ts';
import type { NetworkNamespace } from '../../sys/index.ts';
import type { Output } from '../output/output.ts';
import type { LoadCommandOptions } from './options.ts';

/** An interface that the command attaches to. */
export interface Target extends InterfaceConfiguration {
  readonly index: number;
}

/** Looks every interface up before anything is loaded; a disabled one need not exist. @throws NotFoundError (INTERFACE_NOT_FOUND) */
export function findTargets(
  wanted: readonly InterfaceConfiguration[],
  netns: NetworkNamespace | undefined,
): Target[] {
  return inNamespace(netns, () => {
    const socket = RouteSocket.open();
    try {
      return wanted.flatMap((one) => {
        const found =
          one.mode === 'disabled' ? tryInterfaceByName(socket, one.name) : interfaceByName(socket, one.name);
        return found ? [{ ...one, index: found.index }] : [];
      });
    } finally {
      socket.close();
    }
  });
}

/** Attaches the program to every interface; all of them or none. */
export function attachAll(
  program: BpfProgram,
  {
    targets,
    options,
    netns,
  }: { targets: readonly Target[]; options: LoadCommandOptions; netns: NetworkNamespace | undefined },
): XdpAttachment[] {
  const attached: XdpAttachment[] = [];
  try {
    for (const target of targets) {
      attached.push(
        attachXdp(program, {
          interface: target.index,
          ...(options.mode && { modes: options.mode }),
          ...(options.via && { via: options.via }),
          ...(options.replace === true && { replace: true }),
          ...(netns && { netns }),
        }),
      );
    }
    return attached;
  } catch (error) {
    for (const attachment of attached) attachment.close();
    throw error;
  }
}

/** Reports an attachment: on standard output where lines are JSON, otherwise as a note. */
export function reportAttached(
  output: Output,
  { attachment, program }: { attachment: XdpAttachment; program: BpfProgram },
): void {
  const { target, ifindex, mode, via, refusals } = attachment;
  output.stream({
    json: () => ({
      type: 'attached',
      kind: 'xdp',
      program: program.name,
      target,
      ifindex,
      mode,
      via,
      program_id: program.id,
      link_id: attachment.id ?? null,
      ...(refusals.length > 0 && {
        refused: refusals.map((refusal) => ({
          mode: refusal.mode,
          reason: refusal.reason,
          errno: refusal.errnoName,
          obstacle: refusal.obstacle ?? null,
        })),
      }),
    }),
    text: () => `attached ${program.name} to ${target} (${mode} mode, by ${via}, program ${program.id})`,
  });
  for (const refusal of refusals)
    output.note(`note: ${refusal.mode} mode was refused on ${target}: ${refusal.reason}`);
  if (via === 'netlink') {
    output.note(
      `note: ${target} is attached by netlink: should this process be killed, it stays attached until "ts-xdp unload --iface ${target}"`,
    );
  }
}

/**
 * Follows what happens to the interfaces while programs are attached: renamed, down, up, deleted. Deleted ones are
 * forgotten; the callback hears when none is left.
 */
export function followInterfaces(
  context: {
    targets: readonly Target[];
    netns: NetworkNamespace | undefined;
    maps: SnifferMaps | undefined;
    output: Output;
  },
  onAllGone: () => void,
): RouteWatch {
  const states = new Map(context.targets.map(({ index, name }) => [index, { name, up: true }]));
  const { netns } = context;
  return watchRoute(
    { groups: ['link', 'ipv4-address', 'ipv6-address'], ...(netns && { netns }) },
    (event) => {
      followOne(event, { ...context, states });
      if (states.size === 0) onAllGone();
    },
  );
}

function followOne(
  event: RouteEvent,
  context: {
    maps: SnifferMaps | undefined;
    output: Output;
    states: Map<number, { name: string; up: boolean }>;
  },
): void {
  const { maps, output, states } = context;
  if (event.type === 'address') maps?.addLocalAddress(parseIpAddress(event.address.address));
  else if (event.type === 'address-removed') maps?.removeLocalAddress(parseIpAddress(event.address.address));
  else if (event.type === 'overflow')
    output.note('note: changes of interfaces came faster than they could be followed');
  else followLink(event, { maps, output, states });
}

function followLink(
  event: Extract<RouteEvent, { type: 'link' | 'link-removed' }>,
  context: {
    maps: SnifferMaps | undefined;
    output: Output;
    states: Map<number, { name: string; up: boolean }>;
  },
): void {
  const { maps, output, states } = context;
  const { index, name, up } = event.interface;
  const state = states.get(index);
  if (!state) return;
  if (event.type === 'link-removed') {
    states.delete(index);
    maps?.removeInterface(index);
    say(output, {
      change: 'removed',
      name: state.name,
      index,
      text: `${state.name} is gone; its program is no longer attached`,
    });
    return;
  }
  if (name !== state.name) {
    say(output, { change: 'renamed', name, index, text: `${state.name} is called ${name} now` });
    state.name = name;
    maps?.setName(index, name);
  }
  if (up !== state.up) {
    say(output, { change: up ? 'up' : 'down', name, index, text: `${name} is ${up ? 'up' : 'down'}` });
    state.up = up;
  }
}

function say(
  output: Output,
  { change, name, index, text }: { change: string; name: string; index: number; text: string },
): void {
  output.note(`note: ${text}`);
  if (output.json)
    output.stream({
      json: () => ({ type: 'interface', change, target: name, ifindex: index }),
      text: () => '',
    });
}
