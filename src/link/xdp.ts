import { ArgumentError, AttachError, ClosedError } from '../errors.ts';
import { RouteSocket, type NetworkInterface } from '../netlink/index.ts';
import type { BpfProgram } from '../programs/index.ts';
import type { NetworkNamespace } from '../sys/index.ts';
import { BPF_PROG_TYPE_XDP } from '../uapi/index.ts';
import { findInterface, inNamespace } from './interface-target.ts';
import type { XdpAttachment, XdpVia } from './xdp-attachment.ts';
import { attachByLink, attachByNetlink } from './xdp-attempt.ts';
import { XDP_MODES, type XdpMode } from './xdp-mode.ts';
import { alreadyAttached, currentProgram, replaceCurrent } from './xdp-occupied.ts';
import { OBSTACLE_HINTS, type XdpRefusal } from './xdp-refusal.ts';

/** Options of {@link attachXdp}. */
export interface XdpOptions {
  /** Name, alternative name or index of a network interface. */
  readonly interface: string | number;
  /**
   * Modes to try, the best first. The one that won is in the attachment's `mode`, what was refused in `refusals`.
   * @default ['native', 'generic']
   */
  readonly modes?: readonly XdpMode[];
  /**
   * `link` (Linux 5.9) detaches with the process; `netlink` stays attached until it is detached.
   * @default link, and netlink where the kernel has no bpf_link for XDP
   */
  readonly via?: XdpVia;
  /**
   * Take the place of the program that is attached now. Nothing else is replaced: should another program get there
   * first, attaching fails with ATTACH_CHANGED.
   *
   * A program held by a bpf_link of another process is exchanged under that link, and put back on close; the
   * attachment then ends with that process. What takes a place is held as the one before was, in the same mode,
   * whatever `via` and `modes` say.
   * @default false
   */
  readonly replace?: boolean;
  /** The namespace that the interface is in. @default the current one */
  readonly netns?: NetworkNamespace;
}

/**
 * Attaches an XDP program to a network interface.
 *
 * Needs CAP_NET_ADMIN in the interface's namespace. Native mode needs the driver's support (Linux 4.8), generic
 * mode Linux 4.12.
 *
 * @throws NotFoundError (INTERFACE_NOT_FOUND); AttachError: ALREADY_ATTACHED where a program is there and `replace`
 * was not asked for, ATTACH_REFUSED with what stands in the way where every mode is refused; PermissionError;
 * UnsupportedFeatureError for `via: 'link'` on a kernel before 5.9
 *
 * @example
 * using attachment = attachXdp(collection.program('xdp_sniffer_enhanced'), { interface: 'eth0' });
 * console.log(attachment.mode, attachment.via);
 */
export function attachXdp(program: BpfProgram, options: XdpOptions): XdpAttachment {
  if (program.type !== BPF_PROG_TYPE_XDP) {
    throw new ArgumentError(
      'program',
      `Cannot attach ${program.name} to an interface: it is not an XDP program`,
    );
  }
  if (program.closed) throw new ClosedError(program.fd.description);
  const modes = options.modes ?? ['native', 'generic'];
  if (modes.length === 0) throw new ArgumentError('modes', 'Cannot attach: the list of modes is empty');
  const unknown = modes.find((mode) => !XDP_MODES.includes(mode));
  if (unknown !== undefined) {
    throw new ArgumentError('modes', `Cannot attach: there is no mode ${unknown}`, {
      hint: `the modes are ${XDP_MODES.join(', ')}`,
    });
  }
  return inNamespace(options.netns, () => attachHere(program, { ...options, modes }));
}

function attachHere(program: BpfProgram, options: XdpOptions & { modes: readonly XdpMode[] }): XdpAttachment {
  const socket = RouteSocket.open();
  try {
    const device = findInterface(socket, options.interface);
    const occupied = currentProgram(device);
    if (occupied && options.replace === true) return replaceCurrent(program, { device, occupied });
    const netns = options.netns?.name;
    if (occupied) throw alreadyAttached(device, { occupied, netns });
    return attachInSomeMode(program, { device, socket, netns, modes: options.modes, via: options.via });
  } finally {
    socket.close();
  }
}

function attachInSomeMode(
  program: BpfProgram,
  context: {
    device: NetworkInterface;
    socket: RouteSocket;
    modes: readonly XdpMode[];
    via: XdpVia | undefined;
    netns: string | undefined;
  },
): XdpAttachment {
  const { device, socket, modes, via, netns } = context;
  const refusals: XdpRefusal[] = [];
  for (const mode of modes) {
    const attempt = { program, device, mode, netns, refusals: [...refusals] };
    const outcome = via === 'netlink' ? attachByNetlink(attempt) : attachByLink(attempt, { socket, via });
    if ('mode' in outcome && 'close' in outcome) return outcome;
    refusals.push(outcome);
  }
  throw refusedEverywhere(device, refusals);
}

function refusedEverywhere(device: NetworkInterface, refusals: readonly XdpRefusal[]): AttachError {
  const obstacle = refusals.find((refusal) => refusal.obstacle !== undefined)?.obstacle;
  const reasons = refusals.map(({ mode, reason, errnoName: name }) =>
    reason === name ? `${mode}: ${name}` : `${mode}: ${reason} (${name})`,
  );
  return new AttachError(
    'ATTACH_REFUSED',
    device.name,
    `Cannot attach to ${device.name}: ${reasons.join('; ')}`,
    {
      obstacle,
      tried: refusals.map(({ mode }) => mode),
      hint: obstacle && OBSTACLE_HINTS[obstacle].replace('NAME', device.name),
    },
  );
}
