import { statfsSync } from 'node:fs';
import { BPF_FS_MAGIC, CGROUP2_SUPER_MAGIC, TRACEFS_MAGIC } from '../uapi/index.ts';
import { checkCString } from './argument-checks.ts';
import { syscallError } from './errno.ts';
import { lastErrno, libc } from './libc.ts';
import { missingCapabilities } from './capabilities.ts';

const magic = { bpf: BPF_FS_MAGIC, tracefs: TRACEFS_MAGIC, cgroup2: CGROUP2_SUPER_MAGIC } as const;

/** File systems of the kernel that BPF needs. */
export type KernelFileSystem = keyof typeof magic;

/** Whether `path` lies in a mounted file system of that type; false where the path does not exist. */
export function isOnFileSystem(path: string, type: KernelFileSystem): boolean {
  try {
    return statfsSync(path).type === magic[type];
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EACCES') return false;
    throw error;
  }
}

/** mount(2) of a kernel file system at a directory that exists. Throws {@link PermissionError} or {@link SyscallError}. */
export function mountKernelFileSystem(type: KernelFileSystem, target: string): void {
  checkCString('target', target);
  if (libc().mount(type, target, type, 0, '') < 0) throw mountError('mount', `mount ${type} at ${target}`);
}

/** umount2(2). */
export function unmount(target: string): void {
  checkCString('target', target);
  if (libc().umount2(target, 0) < 0) throw mountError('umount2', `unmount ${target}`);
}

function mountError(call: string, doing: string): Error {
  return syscallError({ call, errno: lastErrno(), doing, missing: missingCapabilities(['CAP_SYS_ADMIN']) });
}
