import { AttachError, NetlinkError } from '../errors.ts';
import { RouteSocket, setXdpProgram, type NetworkInterface } from '../netlink/index.ts';
import { BpfProgram } from '../programs/index.ts';
import { errnoName } from '../sys/index.ts';
import { findXdpLink, openLinkById, tryUpdateLink } from './bpf-link.ts';
import { XdpLink, XdpNetlinkAttachment, type XdpAttachment, type XdpFacts } from './xdp-attachment.ts';
import { XDP_MODES, type XdpMode } from './xdp-mode.ts';

/** The program that is attached to an interface. */
export interface OccupiedXdp {
  readonly mode: XdpMode;
  readonly programId: number;
}

export function currentProgram(device: NetworkInterface): OccupiedXdp | undefined {
  for (const mode of XDP_MODES) {
    const programId = device.xdp.programs[mode];
    if (programId !== undefined) return { mode, programId };
  }
  return undefined;
}

/**
 * Puts a program in the place of the one that is attached, and of no other.
 *
 * @throws AttachError (ATTACH_CHANGED) where it is no longer the one that was seen
 */
export function replaceCurrent(
  program: BpfProgram,
  { device, occupied }: { device: NetworkInterface; occupied: OccupiedXdp },
): XdpAttachment {
  const previous = BpfProgram.fromId(occupied.programId);
  try {
    const facts = { target: device.name, ifindex: device.index, mode: occupied.mode, refusals: [] };
    const linkId = findXdpLink(device.index, occupied.programId);
    return linkId === undefined
      ? replaceByNetlink(program, { facts, previous })
      : replaceUnderLink(program, { facts, previous, linkId });
  } finally {
    previous.close();
  }
}

function replaceUnderLink(
  program: BpfProgram,
  { facts, previous, linkId }: { facts: XdpFacts; previous: BpfProgram; linkId: number },
): XdpAttachment {
  const fd = openLinkById(linkId);
  let kept: BpfProgram | undefined;
  try {
    kept = previous.duplicate();
    const result = tryUpdateLink(program.kernel, { link: fd, program: program.fd, expected: previous.fd });
    if (result < 0) throw changed(facts.target, errnoName(-result));
    return new XdpLink(fd, { ...facts, program, previous: kept });
  } catch (error) {
    kept?.close();
    fd.close();
    throw error;
  }
}

function replaceByNetlink(
  program: BpfProgram,
  { facts, previous }: { facts: XdpFacts; previous: BpfProgram },
): XdpAttachment {
  // The attachment's own, opened in the interface's namespace: closing it later must reach the same place.
  const socket = RouteSocket.open();
  try {
    setXdpProgram(socket, {
      ifindex: facts.ifindex,
      name: facts.target,
      mode: facts.mode,
      programFd: program.fd.value,
      expectedFd: previous.fd.value,
    });
    return new XdpNetlinkAttachment(socket, { ...facts, program });
  } catch (error) {
    socket.close();
    const isOther = error instanceof NetlinkError && error.errnoName === 'EEXIST';
    throw isOther ? changed(facts.target, error.errnoName) : error;
  }
}

/** `netns` is what the interface's namespace was asked for by; undefined for that of the process. */
export function alreadyAttached(
  device: NetworkInterface,
  { occupied, netns }: { occupied: OccupiedXdp | undefined; netns?: string | undefined },
): AttachError {
  const what = occupied ? `program ${occupied.programId} (${occupied.mode})` : 'another XDP program';
  const place = netns === undefined ? '' : ` --netns ${netns}`;
  return new AttachError(
    'ALREADY_ATTACHED',
    device.name,
    `Cannot attach to ${device.name}: ${what} is attached there already`,
    {
      programId: occupied?.programId,
      hint: `take its place with --replace, or detach it: ts-xdp unload --iface ${device.name}${place}`,
    },
  );
}

function changed(target: string, errnoText: string): AttachError {
  return new AttachError(
    'ATTACH_CHANGED',
    target,
    `Cannot replace the program on ${target}: it is no longer the one that was there (${errnoText})`,
    { hint: 'try again' },
  );
}
