import { readdirSync, type Dirent } from 'node:fs';
import { join } from 'node:path';
import { openCgroup, queryHook } from '../../link/index.ts';
import { AttachType, type AttachTypeName } from '../../programs/index.ts';
import type { Kernel } from '../../sys/index.ts';
import { BPF_F_QUERY_EFFECTIVE } from '../../uapi/index.ts';

/** A program of a cgroup. */
export interface CgroupProgram {
  readonly programId: number;
  readonly attachType: AttachTypeName;
  /** What cgroups below may do: `BPF_F_ALLOW_MULTI`, `BPF_F_ALLOW_OVERRIDE` or 0. */
  readonly attachFlags: number;
}

/** A cgroup with programs. */
export interface CgroupHooks {
  readonly directory: string;
  readonly programs: readonly CgroupProgram[];
}

/** Which programs of a cgroup are asked for. */
export interface CgroupQuery {
  /** Also those that are attached above and run here too. @default false */
  readonly effective?: boolean;
}

const TYPES = (Object.entries(AttachType) as [AttachTypeName, number][])
  .filter(([name]) => name.startsWith('cgroup_') || name === 'lsm_cgroup')
  .sort(([, one], [, other]) => one - other);

/**
 * The programs of a cgroup: its directory, or its path below the root of cgroup v2. Needs CAP_NET_ADMIN. Linux 4.15.
 *
 * @throws NotFoundError (CGROUP_NOT_FOUND), PermissionError, SyscallError
 */
export function inspectCgroup(
  kernel: Kernel,
  path: string,
  { effective = false }: CgroupQuery = {},
): CgroupHooks {
  const { directory, fd } = openCgroup(kernel, path);
  try {
    const programs = TYPES.flatMap(([attachType, number]) => {
      // The kernel knows no effective list of LSM programs (__cgroup_bpf_query() of kernel/bpf/cgroup.c).
      if (effective && attachType === 'lsm_cgroup') return [];
      const answer = queryHook(kernel, {
        place: { fd: fd.value },
        attachType: number,
        flags: effective ? BPF_F_QUERY_EFFECTIVE : 0,
        doing: `list the programs of cgroup ${directory}`,
      });
      const attachFlags = answer?.attachFlags ?? 0;
      return (answer?.programs ?? []).map(({ programId }) => ({ programId, attachType, attachFlags }));
    });
    return { directory, programs };
  } finally {
    fd.close();
  }
}

/** The cgroups from one downwards that have programs, each before those below it. @throws as {@link inspectCgroup} */
export function inspectCgroupTree(kernel: Kernel, root: string, query: CgroupQuery = {}): CgroupHooks[] {
  const own = inspectCgroup(kernel, root, query);
  const below = directoriesIn(own.directory).flatMap((name) => {
    try {
      return inspectCgroupTree(kernel, join(own.directory, name), query);
    } catch (error) {
      // Removed since it was listed.
      if ((error as { code?: string }).code === 'CGROUP_NOT_FOUND') return [];
      throw error;
    }
  });
  return [...(own.programs.length > 0 ? [own] : []), ...below];
}

function directoriesIn(directory: string): string[] {
  let entries: Dirent[];
  try {
    entries = readdirSync(directory, { withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}
