import { closeSync, constants, openSync, unlinkSync } from 'node:fs';
import { FileError, SyscallError } from '../../errors.ts';
import { forceDetach, openLinkById } from '../../link/index.ts';
import { BpfMap } from '../../maps/index.ts';
import { deleteBpfFilter, RouteSocket, setXdpProgram } from '../../netlink/index.ts';
import { AttachType } from '../../programs/index.ts';
import { callBpf, withNetworkNamespace, type Fd, type Kernel } from '../../sys/index.ts';
import { bpf_attr_prog_attach } from '../../uapi/index.ts';
import type {
  CgroupHolder,
  Holder,
  MapHolder,
  NetnsHolder,
  TcHolder,
  TcxHolder,
  XdpHolder,
} from './holder.ts';
import { openNamespace, type NamespaceReference } from './network-namespaces.ts';

/** Slots that hold nothing else than what is taken away with them. */
const emptied: readonly string[] = ['prog_array', 'array_of_maps', 'hash_of_maps'];

/**
 * Takes one hold away: removes a pin, detaches a link, XDP, a filter, a program of a cgroup, or deletes a slot. False for what
 * is not taken: processes, programs, and what a link of its own holds. `held` is a descriptor of what is held.
 *
 * @throws PermissionError, NetlinkError, SyscallError, FileError
 */
export function releaseHolder(holder: Holder, { kernel, held }: { kernel: Kernel; held: Fd }): boolean {
  switch (holder.kind) {
    case 'pin':
      return removePin(holder.path);
    case 'link':
      return holder.role === 'attached' && detachLink(kernel, holder.linkId);
    case 'xdp':
      return holder.linkId === undefined && detachXdp(holder, held);
    case 'tc':
      return inNamespaceOf(holder.netns, (socket) => deleteFilter(socket, holder));
    case 'tcx':
    case 'netkit':
    case 'netns':
    case 'cgroup':
      return detachProgram(kernel, { holder, held });
    case 'map':
      return emptySlot(kernel, holder);
    case 'process':
    case 'program':
    case 'perf_event':
      return false;
  }
}

function removePin(path: string): boolean {
  try {
    unlinkSync(path);
    return true;
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') return true;
    throw new FileError(
      'FILE_UNREADABLE',
      path,
      `Cannot remove the pin ${path}: ${code ?? 'unknown error'}`,
      {
        cause,
      },
    );
  }
}

/** `BPF_LINK_DETACH`, Linux 5.9; false for kinds that the kernel does not detach so: tracing, perf events. */
export function detachLink(kernel: Kernel, id: number): boolean {
  try {
    using fd = openLinkById(id, kernel);
    forceDetach(kernel, fd);
    return true;
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    if (error.errnoName === 'ENOENT') return true;
    if (error.errnoName === 'EOPNOTSUPP' || error.errnoName === 'EINVAL') return false;
    throw error;
  }
}

/** This program and no other. */
function detachXdp({ netns, ifindex, interface: name, mode }: XdpHolder, held: Fd): boolean {
  return inNamespaceOf(netns, (socket) => {
    setXdpProgram(socket, { ifindex, name, mode, programFd: -1, expectedFd: held.value });
    return true;
  });
}

function deleteFilter(socket: RouteSocket, holder: TcHolder): boolean {
  // Gone in the meantime is as good as deleted.
  deleteBpfFilter(socket, holder);
  return true;
}

/** `BPF_PROG_DETACH` by what it is attached to. */
function detachProgram(
  kernel: Kernel,
  { holder, held }: { holder: TcxHolder | NetnsHolder | CgroupHolder; held: Fd },
): boolean {
  const { attachType } = holder;
  if (holder.kind === 'cgroup') {
    if (holder.linkId !== undefined) return false;
    const directory = openSync(holder.path, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      return detachFrom(kernel, { target: { target_fd: directory }, attachType, held });
    } finally {
      closeSync(directory);
    }
  }
  const netns = openNamespace(holder.netns);
  if (netns === undefined) return true;
  try {
    const target =
      holder.kind === 'netns' ? { target_fd: netns.fd.value } : { target_ifindex: holder.ifindex };
    return withNetworkNamespace(netns, () => detachFrom(kernel, { target, attachType, held }));
  } finally {
    netns.close();
  }
}

function detachFrom(
  kernel: Kernel,
  facts: {
    target: { target_fd: number } | { target_ifindex: number };
    attachType: string;
    held: Fd;
  },
): boolean {
  callBpf(kernel, {
    command: 'BPF_PROG_DETACH',
    attribute: bpf_attr_prog_attach,
    fields: {
      ...facts.target,
      attach_bpf_fd: facts.held.value,
      attach_type: AttachType[facts.attachType as keyof typeof AttachType],
    },
    doing: `detach ${facts.held.description}`,
    needed: ['CAP_NET_ADMIN'],
  });
  return true;
}

function emptySlot(kernel: Kernel, { mapId, key, type }: MapHolder): boolean {
  if (key === undefined || !emptied.includes(type)) return false;
  using map = BpfMap.fromId(mapId, { kernel });
  map.deleteBytes(key);
  return true;
}

/** True, too, where the namespace is gone, and everything in it. */
function inNamespaceOf(reference: NamespaceReference, action: (socket: RouteSocket) => boolean): boolean {
  const netns = openNamespace(reference);
  if (netns === undefined) return true;
  try {
    return withNetworkNamespace(netns, () => {
      using socket = RouteSocket.open();
      return action(socket);
    });
  } finally {
    netns.close();
  }
}
