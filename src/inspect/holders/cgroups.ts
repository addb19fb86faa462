import { closeSync, constants, openSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { queryHook } from '../../link/index.ts';
import { AttachType, type AttachTypeName } from '../../programs/index.ts';
import type { Kernel } from '../../sys/index.ts';
import * as uapi from '../../uapi/index.ts';
import { unlessGone } from '../unless-gone.ts';
import type { CgroupHolder } from './holder.ts';
import type { Search } from './search.ts';

/** Which attach types of a cgroup a program of a type can have; the others need not be asked about. */
const attachTypes: Readonly<Partial<Record<number, readonly AttachTypeName[]>>> = {
  [uapi.BPF_PROG_TYPE_CGROUP_SKB]: ['cgroup_inet_ingress', 'cgroup_inet_egress'],
  [uapi.BPF_PROG_TYPE_CGROUP_SOCK]: [
    'cgroup_inet_sock_create',
    'cgroup_inet_sock_release',
    'cgroup_inet4_post_bind',
    'cgroup_inet6_post_bind',
  ],
  [uapi.BPF_PROG_TYPE_CGROUP_SOCK_ADDR]: [
    ...(['cgroup_inet4_bind', 'cgroup_inet6_bind', 'cgroup_inet4_connect', 'cgroup_inet6_connect'] as const),
    ...([
      'cgroup_udp4_sendmsg',
      'cgroup_udp6_sendmsg',
      'cgroup_udp4_recvmsg',
      'cgroup_udp6_recvmsg',
    ] as const),
    ...(['cgroup_inet4_getpeername', 'cgroup_inet6_getpeername'] as const),
    ...(['cgroup_inet4_getsockname', 'cgroup_inet6_getsockname'] as const),
    ...(['cgroup_unix_connect', 'cgroup_unix_sendmsg', 'cgroup_unix_recvmsg'] as const),
    ...(['cgroup_unix_getpeername', 'cgroup_unix_getsockname'] as const),
  ],
  [uapi.BPF_PROG_TYPE_CGROUP_SOCKOPT]: ['cgroup_getsockopt', 'cgroup_setsockopt'],
  [uapi.BPF_PROG_TYPE_CGROUP_SYSCTL]: ['cgroup_sysctl'],
  [uapi.BPF_PROG_TYPE_CGROUP_DEVICE]: ['cgroup_device'],
  [uapi.BPF_PROG_TYPE_SOCK_OPS]: ['cgroup_sock_ops'],
  [uapi.BPF_PROG_TYPE_LSM]: ['lsm_cgroup'],
};

/** The cgroups of version 2 that a program is attached to. Those that no directory shows any more let go of it. */
export function cgroupHolders(search: Search): CgroupHolder[] {
  const { held, type = 0, kernel, links } = search;
  const types = held.kind === 'program' ? (attachTypes[type] ?? []) : [];
  if (types.length === 0) return [];
  return cgroupDirectories(search).flatMap((path) =>
    typesAttached(kernel, { path, types, programId: held.id }).map((attachType): CgroupHolder => {
      const cgroupId = unlessGone(() => statSync(path, { bigint: true }).ino);
      const link = links.find(
        (info) =>
          info.kind === 'cgroup' &&
          info.programId === held.id &&
          info.attachType === attachType &&
          info.cgroupId === cgroupId,
      );
      return { kind: 'cgroup', path, attachType, linkId: link?.id };
    }),
  );
}

function typesAttached(
  kernel: Kernel,
  { path, types, programId }: { path: string; types: readonly AttachTypeName[]; programId: number },
): AttachTypeName[] {
  const fd = unlessGone(() => openSync(path, constants.O_RDONLY | constants.O_DIRECTORY));
  if (fd === undefined) return [];
  try {
    return types.filter((name) => {
      const doing = `list the programs of cgroup ${path}`;
      const answer = queryHook(kernel, { place: { fd }, attachType: AttachType[name], doing });
      return answer?.programs.some((program) => program.programId === programId) ?? false;
    });
  } finally {
    closeSync(fd);
  }
}

/** Every cgroup below the widest mount of the hierarchy, of which there is one in a machine. */
function cgroupDirectories({ mounts }: Search): string[] {
  const [widest] = mounts
    .filter(({ type }) => type === 'cgroup2')
    .sort((one, other) => one.root.length - other.root.length);
  return widest === undefined ? [] : directoriesFrom(widest.path);
}

function directoriesFrom(directory: string): string[] {
  const entries = unlessGone(() => readdirSync(directory, { withFileTypes: true })) ?? [];
  const below = entries.filter((entry) => entry.isDirectory());
  return [directory, ...below.flatMap(({ name }) => directoriesFrom(join(directory, name)))];
}
