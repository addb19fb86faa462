import { SyscallError } from '../../errors.ts';
import { linkInfo, type LinkInfo } from '../../link/index.ts';
import { errno, readInfo, type Kernel } from '../../sys/index.ts';
import { bpf_prog_info } from '../../uapi/index.ts';
import { mapObjects, openIfThere } from '../objects/index.ts';
import { descriptorsOf } from './descriptors.ts';
import type { Holder, LinkHolder } from './holder.ts';
import { findLinkPlaces } from './link-places.ts';
import type { SeenPin } from './pins.ts';
import type { Search } from './search.ts';

/** Every bpf_link; none on kernels before 5.8, which give them no ids. @throws PermissionError, SyscallError */
export function listLinks(kernel: Kernel): LinkInfo[] {
  try {
    return mapObjects(kernel, 'link', (fd) => linkInfo(kernel, fd));
  } catch (error) {
    if (error instanceof SyscallError && error.errno === errno.EINVAL) return [];
    throw error;
  }
}

/** Links whose program or target it is, with what holds each. */
export function linkHolders(search: Search, pins: readonly SeenPin[]): LinkHolder[] {
  const found = search.links.flatMap((info) => {
    const role = roleOf(info, search);
    return role === undefined ? [] : [{ info, role }];
  });
  const { kernel, networkNamespaces: namespaces } = search;
  const places = findLinkPlaces(
    kernel,
    found.map(({ info }) => info),
    { namespaces },
  );
  return found.map(({ info, role }) => ({
    kind: 'link',
    linkId: info.id,
    info,
    role,
    place: places.get(info.id),
    holders: holdersOfLink(search, info.id, pins),
  }));
}

/** Descriptors and pins: nothing else holds a link. */
// The three are what there is to know; the ids of a search are not the link's.
export function holdersOfLink(search: Search, id: number, pins: readonly SeenPin[]): Holder[] {
  const held = { kind: 'link', id } as const;
  const pinned = pins.filter((pin) => pin.kind === 'link' && pin.id === id);
  return [
    ...descriptorsOf(held, search.processes),
    ...pinned.map(({ path }): Holder => ({ kind: 'pin', path })),
  ];
}

function roleOf(info: LinkInfo, { kernel, held }: Search): LinkHolder['role'] | undefined {
  if (held.kind === 'program') {
    if (info.programId === held.id) return 'attached';
    return info.kind === 'tracing' && info.targetObjectId === held.id && isOfProgram(kernel, info)
      ? 'target'
      : undefined;
  }
  const usesMap = info.kind === 'struct_ops' || info.kind === 'iter' || info.kind === 'sockmap';
  return held.kind === 'map' && usesMap && info.mapId === held.id ? 'target' : undefined;
}

/**
 * Whether the target's id is a program's: for functions of the kernel it is that of a BTF (bpf_trampoline_unpack_key() of
 * include/linux/bpf.h). The program that traces another was verified against the other's BTF.
 */
function isOfProgram(kernel: Kernel, { programId, targetObjectId }: LinkInfo & { kind: 'tracing' }): boolean {
  const tracing = programFacts(kernel, programId);
  const target = programFacts(kernel, targetObjectId);
  return tracing !== undefined && target !== undefined && tracing.attach_btf_obj_id === target.btf_id;
}

function programFacts(kernel: Kernel, id: number): bpf_prog_info | undefined {
  const fd = openIfThere(kernel, 'program', id);
  try {
    return fd && readInfo(kernel, { fd, descriptor: bpf_prog_info });
  } finally {
    fd?.close();
  }
}
