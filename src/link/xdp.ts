import type {
  SyscallError} from '../errors.ts';
import {
  ArgumentError,
  AttachError,
  NetlinkError,
  UnsupportedFeatureError,
  type TsXdpError,
} from '../errors.ts';
import {
  interfaceByIndex,
  interfaceByName,
  RouteSocket,
  setXdpProgram,
  type NetworkInterface,
} from '../netlink/index.ts';
import { BpfProgram } from '../programs/index.ts';
import type { NetworkNamespace} from '../sys/index.ts';
import { bpfError, errnoName, Fd, tryBpf, withNetworkNamespace } from '../sys/index.ts';
import { BPF_LINK_TYPE_XDP, BPF_PROG_TYPE_XDP, BPF_XDP, bpf_attr_link_create } from '../uapi/index.ts';
import { eachLink, openLinkById, tryUpdateLink } from './bpf-link.ts';
import { XdpLink, XdpNetlinkAttachment, type XdpAttachment, type XdpVia } from './xdp-attachment.ts';
import { XDP_MODE_FLAGS, type XdpMode } from './xdp-mode.ts';
import { classifyRefusal, OBSTACLE_HINTS, refusalOf, type XdpRefusal } from './xdp-refusal.ts';

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
   * attachment then ends with that process.
   * @default false
   */
  readonly replace?: boolean;
  /** The namespace that the interface is in. @default the current one */
  readonly netns?: NetworkNamespace;
}

interface Attempt {
  readonly program: BpfProgram;
  readonly device: NetworkInterface;
  readonly mode: XdpMode;
  readonly refusals: readonly XdpRefusal[];
}

/** Errors after which another mode may still work. */
const MODE_REFUSED = new Set(['EOPNOTSUPP', 'ENOTSUPP', 'ERANGE', 'EINVAL', 'ENOMEM', 'E2BIG', 'ENOSPC']);

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
  const modes = options.modes ?? ['native', 'generic'];
  if (modes.length === 0) throw new ArgumentError('modes', 'Cannot attach: the list of modes is empty');
  return inNamespace(options.netns, () => attachHere(program, { ...options, modes }));
}

/** Runs an action where the interface is; without a namespace right here. */
export function inNamespace<Result>(netns: NetworkNamespace | undefined, action: () => Result): Result {
  return netns ? withNetworkNamespace(netns, action) : action();
}

function attachHere(program: BpfProgram, options: XdpOptions & { modes: readonly XdpMode[] }): XdpAttachment {
  const socket = RouteSocket.open();
  try {
    const device = findDevice(socket, options.interface);
    const occupied = currentProgram(device);
    if (occupied && options.replace === true) return replaceCurrent(program, { device, occupied });
    if (occupied) throw alreadyAttached(device, occupied);
    return attachInSomeMode(program, { device, socket, modes: options.modes, via: options.via });
  } finally {
    socket.close();
  }
}

function findDevice(socket: RouteSocket, reference: string | number): NetworkInterface {
  return typeof reference === 'number'
    ? interfaceByIndex(socket, reference)
    : interfaceByName(socket, reference);
}

function attachInSomeMode(
  program: BpfProgram,
  context: {
    device: NetworkInterface;
    socket: RouteSocket;
    modes: readonly XdpMode[];
    via: XdpVia | undefined;
  },
): XdpAttachment {
  const { device, socket, modes, via } = context;
  const refusals: XdpRefusal[] = [];
  for (const mode of modes) {
    const attempt = { program, device, mode, refusals: [...refusals] };
    const outcome = via === 'netlink' ? attachByNetlink(attempt) : attachByLink(attempt, { socket, via });
    if ('mode' in outcome && 'close' in outcome) return outcome;
    refusals.push(outcome);
  }
  throw refusedEverywhere(device, refusals);
}

function attachByLink(
  attempt: Attempt,
  { socket, via }: { socket: RouteSocket; via: XdpVia | undefined },
): XdpAttachment | XdpRefusal {
  const { program, device, mode, refusals } = attempt;
  const { kernel } = program;
  const call = {
    command: 'BPF_LINK_CREATE',
    attribute: bpf_attr_link_create,
    fields: {
      prog_fd: program.fd.value,
      target_ifindex: device.index,
      attach_type: BPF_XDP,
      flags: XDP_MODE_FLAGS[mode],
    },
    doing: `attach ${program.name} to ${device.name}`,
    needed: ['CAP_NET_ADMIN'],
  } as const;
  const result = tryBpf(kernel, call);
  if (result >= 0) {
    const fd = new Fd(kernel, result, `XDP link on ${device.name}`);
    return new XdpLink(fd, { program, target: device.name, ifindex: device.index, mode, refusals });
  }
  const name = errnoName(-result);
  if (name === 'EBUSY' || name === 'EEXIST') throw alreadyAttached(device, undefined);
  if (!MODE_REFUSED.has(name)) throw bpfError(call, result);
  return explainByNetlink(attempt, { socket, via, errnoName: name });
}

/**
 * Asks netlink, which answers with a text, why a link was refused. Should netlink succeed, the kernel has XDP but no
 * links for it: then the attachment stays where the caller left the way open, and is taken back where not.
 */
function explainByNetlink(
  attempt: Attempt,
  { socket, via, errnoName: name }: { socket: RouteSocket; via: XdpVia | undefined; errnoName: string },
): XdpAttachment | XdpRefusal {
  const { program, device, mode } = attempt;
  try {
    setXdpProgram(socket, { ifindex: device.index, name: device.name, mode, programFd: program.fd.value });
  } catch (error) {
    if (!(error instanceof NetlinkError)) throw error;
    return refusalOf(error, { mode, via: 'link', errnoName: name });
  }
  setXdpProgram(socket, {
    ifindex: device.index,
    name: device.name,
    mode,
    programFd: -1,
    expectedFd: program.fd.value,
  });
  if (name !== 'EINVAL') {
    return {
      mode,
      via: 'link',
      errnoName: name,
      reason: name,
      obstacle: classifyRefusal({ errnoName: name, text: undefined }),
    };
  }
  if (via === 'link') {
    throw new UnsupportedFeatureError(
      'XDP bpf_link',
      '5.9',
      `Cannot attach ${program.name} to ${device.name} by link: this kernel has no bpf_link for XDP (since Linux 5.9)`,
      {
        hint: 'attach it by netlink: --via netlink',
      },
    );
  }
  return attachByNetlink(attempt);
}

function attachByNetlink(attempt: Attempt): XdpAttachment | XdpRefusal {
  const { program, device, mode, refusals } = attempt;
  // The attachment's own, opened in the interface's namespace: closing it later must reach the same place.
  const socket = RouteSocket.open();
  try {
    setXdpProgram(socket, { ifindex: device.index, name: device.name, mode, programFd: program.fd.value });
    return new XdpNetlinkAttachment(socket, {
      program,
      target: device.name,
      ifindex: device.index,
      mode,
      refusals,
    });
  } catch (error) {
    socket.close();
    if (!(error instanceof NetlinkError)) throw error;
    if (error.errnoName === 'EBUSY' || error.errnoName === 'EEXIST') throw alreadyAttached(device, undefined);
    if (!MODE_REFUSED.has(error.errnoName)) throw error;
    return refusalOf(error, { mode, via: 'netlink' });
  }
}

interface Occupied {
  readonly mode: XdpMode;
  readonly programId: number;
}

function currentProgram(device: NetworkInterface): Occupied | undefined {
  for (const mode of ['native', 'generic', 'offload'] as const) {
    const programId = device.xdp.programs[mode];
    if (programId !== undefined) return { mode, programId };
  }
  return undefined;
}

function replaceCurrent(
  program: BpfProgram,
  { device, occupied }: { device: NetworkInterface; occupied: Occupied },
): XdpAttachment {
  const previous = BpfProgram.fromId(occupied.programId);
  const facts = { program, target: device.name, ifindex: device.index, mode: occupied.mode, refusals: [] };
  const linkId = findXdpLink(device.index, occupied.programId);
  if (linkId !== undefined) {
    const fd = openLinkById(linkId);
    const result = tryUpdateLink(program.kernel, { link: fd, program: program.fd, expected: previous.fd });
    if (result >= 0) return new XdpLink(fd, { ...facts, previous });
    fd.close();
    previous.close();
    throw changed(device, errnoName(-result));
  }
  const socket = RouteSocket.open();
  try {
    const request = {
      ifindex: device.index,
      name: device.name,
      mode: occupied.mode,
      programFd: program.fd.value,
    };
    setXdpProgram(socket, { ...request, expectedFd: previous.fd.value });
    return new XdpNetlinkAttachment(socket, facts);
  } catch (error) {
    socket.close();
    throw error instanceof NetlinkError && error.errnoName === 'EEXIST' ? changed(device, 'EEXIST') : error;
  } finally {
    previous.close();
  }
}

/** The id of the bpf_link that holds a program on an interface; undefined where netlink does. */
export function findXdpLink(ifindex: number, programId: number): number | undefined {
  for (const { info } of eachLink()) {
    if (info.type === BPF_LINK_TYPE_XDP && info.prog_id === programId && info.xdp.ifindex === ifindex)
      return info.id;
  }
  return undefined;
}

function alreadyAttached(device: NetworkInterface, occupied: Occupied | undefined): AttachError {
  const what = occupied ? `program ${occupied.programId} (${occupied.mode})` : 'another XDP program';
  return new AttachError(
    'ALREADY_ATTACHED',
    device.name,
    `Cannot attach to ${device.name}: ${what} is attached there already`,
    {
      programId: occupied?.programId,
      hint: `take its place with --replace, or detach it: ts-xdp unload --iface ${device.name}`,
    },
  );
}

function changed(device: NetworkInterface, errnoText: string): AttachError {
  return new AttachError(
    'ATTACH_CHANGED',
    device.name,
    `Cannot replace the program on ${device.name}: it is no longer the one that was there (${errnoText})`,
    { hint: 'try again' },
  );
}

function refusedEverywhere(
  device: NetworkInterface,
  refusals: readonly XdpRefusal[],
): TsXdpError | SyscallError {
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
