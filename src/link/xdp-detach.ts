import { NetlinkError } from '../errors.ts';
import { interfaceByIndex, interfaceByName, RouteSocket, setXdpProgram } from '../netlink/index.ts';
import { BpfProgram } from '../programs/index.ts';
import { systemKernel, type NetworkNamespace } from '../sys/index.ts';
import { findXdpLink, forceDetach, openLinkById } from './bpf-link.ts';
import { inNamespace } from './interface-target.ts';
import type { XdpVia } from './xdp-attachment.ts';
import { XDP_MODES, type XdpMode } from './xdp-mode.ts';
import { BPF_OBJ_NAME_LEN } from '../uapi/index.ts';

/** A program that was taken off an interface. */
export interface DetachedXdp {
  readonly target: string;
  readonly ifindex: number;
  readonly mode: XdpMode;
  readonly via: XdpVia;
  readonly programId: number;
  readonly linkId: number | undefined;
}

/**
 * Takes every XDP program off an interface, whoever attached it and however. Nothing is taken that got there in the
 * meantime.
 *
 * Needs CAP_SYS_ADMIN besides CAP_NET_ADMIN, to find the links of other processes.
 *
 * @throws NotFoundError (INTERFACE_NOT_FOUND), PermissionError, NetlinkError
 */
export function detachXdp(
  target: string | number,
  options: {
    readonly netns?: NetworkNamespace;
    /** Only this one: its id, or its name as far as the kernel keeps it (15 characters). @default every one */
    readonly program?: string | number;
  } = {},
): DetachedXdp[] {
  return inNamespace(options.netns, () => {
    const socket = RouteSocket.open();
    try {
      const device =
        typeof target === 'number' ? interfaceByIndex(socket, target) : interfaceByName(socket, target);
      const detached: DetachedXdp[] = [];
      for (const mode of XDP_MODES) {
        const programId = device.xdp.programs[mode];
        if (programId === undefined || !isWanted(programId, options.program)) continue;
        const linkId = detachOne(socket, { ifindex: device.index, name: device.name, mode, programId });
        const via = linkId === undefined ? 'netlink' : 'link';
        detached.push({ target: device.name, ifindex: device.index, mode, via, programId, linkId });
      }
      return detached;
    } finally {
      socket.close();
    }
  });
}

function isWanted(programId: number, wanted: string | number | undefined): boolean {
  if (typeof wanted !== 'string') return wanted === undefined || wanted === programId;
  using program = BpfProgram.fromId(programId);
  return program.name === wanted.slice(0, BPF_OBJ_NAME_LEN - 1);
}

/** Returns the id of the link, where one held the program. */
function detachOne(
  socket: RouteSocket,
  { ifindex, name, mode, programId }: { ifindex: number; name: string; mode: XdpMode; programId: number },
): number | undefined {
  const program = BpfProgram.fromId(programId);
  try {
    setXdpProgram(socket, { ifindex, name, mode, programFd: -1, expectedFd: program.fd.value });
    return undefined;
  } catch (error) {
    // Netlink may not take away what a bpf_link holds: "Can't replace active BPF XDP link" (dev_xdp_attach).
    if (!(error instanceof NetlinkError && error.errnoName === 'EBUSY')) throw error;
    const linkId = findXdpLink(ifindex, programId);
    if (linkId === undefined) throw error;
    const link = openLinkById(linkId);
    try {
      forceDetach(systemKernel(), link);
    } finally {
      link.close();
    }
    return linkId;
  } finally {
    program.close();
  }
}
