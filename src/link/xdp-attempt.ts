import { NetlinkError } from '../errors.ts';
import { Feature, unsupportedFeature } from '../features/index.ts';
import { RouteSocket, setXdpProgram, type NetworkInterface } from '../netlink/index.ts';
import type { BpfProgram } from '../programs/index.ts';
import { bpfError, errnoName, Fd, tryBpf } from '../sys/index.ts';
import { BPF_XDP, bpf_attr_link_create } from '../uapi/index.ts';
import { XdpLink, XdpNetlinkAttachment, type XdpAttachment, type XdpVia } from './xdp-attachment.ts';
import { XDP_MODE_FLAGS, type XdpMode } from './xdp-mode.ts';
import { alreadyAttached } from './xdp-occupied.ts';
import { classifyRefusal, refusalOf, type XdpRefusal } from './xdp-refusal.ts';

/** One try: a program, an interface, a mode, and what was refused before. */
export interface XdpAttempt {
  readonly program: BpfProgram;
  readonly device: NetworkInterface;
  readonly mode: XdpMode;
  readonly refusals: readonly XdpRefusal[];
  /** What the namespace of the interface was asked for by; undefined for that of the process. */
  readonly netns: string | undefined;
}

/** Errors after which another mode may still work. */
const MODE_REFUSED = new Set(['EOPNOTSUPP', 'ENOTSUPP', 'ERANGE', 'EINVAL', 'ENOMEM', 'E2BIG', 'ENOSPC']);

/** One mode by bpf_link. A refusal is a value, since another mode may work. */
export function attachByLink(
  attempt: XdpAttempt,
  { socket, via }: { socket: RouteSocket; via: XdpVia | undefined },
): XdpAttachment | XdpRefusal {
  const { program, device, mode, refusals, netns } = attempt;
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
  if (name === 'EBUSY' || name === 'EEXIST') throw alreadyAttached(device, { occupied: undefined, netns });
  if (!MODE_REFUSED.has(name)) throw bpfError(call, result);
  return explainByNetlink(attempt, { socket, via, errnoName: name });
}

/**
 * Asks netlink, which answers with a text, why a link was refused. Should netlink succeed, the kernel has XDP but no
 * links for it: then the attachment stays where the caller left the way open, and is taken back where not.
 */
function explainByNetlink(
  attempt: XdpAttempt,
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
    throw unsupportedFeature(Feature.XdpLink, {
      doing: `attach ${program.name} to ${device.name} by link`,
      hint: 'attach it by netlink: --via netlink',
    });
  }
  return attachByNetlink(attempt);
}

/** One mode by netlink. */
export function attachByNetlink(attempt: XdpAttempt): XdpAttachment | XdpRefusal {
  const { program, device, mode, refusals, netns } = attempt;
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
    if (error.errnoName === 'EBUSY' || error.errnoName === 'EEXIST')
      throw alreadyAttached(device, { occupied: undefined, netns });
    if (!MODE_REFUSED.has(error.errnoName)) throw error;
    return refusalOf(error, { mode, via: 'netlink' });
  }
}
