import { SyscallError } from '../errors.ts';
import {
  bpfError,
  errno,
  objectIds,
  openBpf,
  openIfThere,
  openPin,
  readInfo,
  systemKernel,
  tryBpf,
  type Fd,
  type Kernel,
} from '../sys/index.ts';
import * as uapi from '../uapi/index.ts';
import { linkInfo } from './link-info.ts';
import {
  BPF_F_REPLACE,
  bpf_attr_get_id,
  bpf_attr_link_detach,
  bpf_attr_link_update,
  bpf_link_info,
} from '../uapi/index.ts';

/** Asks the kernel about a link. Linux 5.8. */
export function readLinkInfo(kernel: Kernel, fd: Fd): bpf_link_info {
  return readInfo(kernel, { fd, descriptor: bpf_link_info });
}

/**
 * What a link is attached to, as a number that the kernel sets to 0 once it is detached. Undefined for links that end with
 * their holders alone (struct bpf_link_ops without `detach`), and for netfilter, which does not tell.
 */
export function linkPlace(info: bpf_link_info): number | bigint | undefined {
  switch (info.type) {
    case uapi.BPF_LINK_TYPE_XDP:
      return info.xdp.ifindex;
    case uapi.BPF_LINK_TYPE_TCX:
      return info.tcx.ifindex;
    case uapi.BPF_LINK_TYPE_NETKIT:
      return info.netkit.ifindex;
    case uapi.BPF_LINK_TYPE_CGROUP:
      return info.cgroup.cgroup_id;
    case uapi.BPF_LINK_TYPE_NETNS:
      return info.netns.netns_ino;
    case uapi.BPF_LINK_TYPE_SOCKMAP:
      return info.sockmap.map_id;
    case uapi.BPF_LINK_TYPE_STRUCT_OPS:
      return info.struct_ops.map_id;
    default:
      return undefined;
  }
}

/**
 * Puts another program under a link, without a moment in which none is attached (`BPF_LINK_UPDATE`, Linux 5.7).
 * Returns the negated errno: -EPERM where `expected` is given and another program is there.
 */
export function tryUpdateLink(
  kernel: Kernel,
  { link, program, expected }: { link: Fd; program: Fd; expected: Fd | undefined },
): number {
  return tryBpf(kernel, {
    command: 'BPF_LINK_UPDATE',
    attribute: bpf_attr_link_update,
    fields: {
      link_fd: link.value,
      new_prog_fd: program.value,
      ...(expected && { flags: BPF_F_REPLACE, old_prog_fd: expected.value }),
    },
    doing: `replace the program of ${link.description}`,
  });
}

/**
 * Takes the program away although others may hold the link (`BPF_LINK_DETACH`, Linux 5.9).
 *
 * @throws SyscallError: EOPNOTSUPP for the types that end with their last holder alone, which it says
 */
export function forceDetach(kernel: Kernel, link: Fd): void {
  const call = {
    command: 'BPF_LINK_DETACH',
    attribute: bpf_attr_link_detach,
    fields: { link_fd: link.value },
    doing: `detach ${link.description}`,
  } as const;
  const result = tryBpf(kernel, call);
  if (result === -errno.EOPNOTSUPP) {
    const why = `the kernel detaches no links of type ${linkInfo(kernel, link).kind}, which end with their last holder`;
    throw new SyscallError(
      'bpf(BPF_LINK_DETACH)',
      errno.EOPNOTSUPP,
      'EOPNOTSUPP',
      `Cannot ${call.doing}: ${why}`,
      {
        hint: 'ts-xdp who link tells its holders; ts-xdp unload link removes its pins',
      },
    );
  }
  if (result < 0) throw bpfError(call, result);
}

export function openLinkById(id: number, kernel: Kernel = systemKernel()): Fd {
  return openBpf(kernel, {
    command: 'BPF_LINK_GET_FD_BY_ID',
    attribute: bpf_attr_get_id,
    fields: { link_id: id },
    doing: `open link ${id}`,
    description: `link ${id}`,
  });
}

export function openPinnedLink(path: string, kernel: Kernel = systemKernel()): Fd {
  return openPin(kernel, { path, what: 'link' });
}

/**
 * Every link of this kernel, opened one after the other and closed again when the loop goes on. Needs
 * CAP_SYS_ADMIN. Links that vanish meanwhile are passed over.
 */
export function* eachLink(
  kernel: Kernel = systemKernel(),
): Generator<{ fd: Fd; info: bpf_link_info }, undefined> {
  for (const id of objectIds(kernel, 'link')) {
    const fd = openIfThere(kernel, 'link', id);
    if (!fd) continue;
    try {
      yield { fd, info: readLinkInfo(kernel, fd) };
    } finally {
      fd.close();
    }
  }
}

/** The id of the bpf_link that holds a program on an interface; undefined where netlink does. */
export function findXdpLink(ifindex: number, programId: number): number | undefined {
  for (const { info } of eachLink()) {
    if (info.type === uapi.BPF_LINK_TYPE_XDP && info.prog_id === programId && info.xdp.ifindex === ifindex)
      return info.id;
  }
  return undefined;
}
