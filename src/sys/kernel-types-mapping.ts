import { closeSync, fstatSync, openSync } from 'node:fs';
import { errno, syscallError } from './errno.ts';
import { foreign, lastErrno, libc } from './libc.ts';

const PROT_READ = 1;
// btf_sysfs_vmlinux_mmap (kernel/bpf/sysfs_btf.c) refuses mappings that may be shared or written to.
const MAP_PRIVATE = 2;

/** kernfs answers ENODEV for a file that cannot be mapped, which the kernel's BTF is since Linux 6.16. */
const CANNOT_BE_MAPPED: readonly number[] = [errno.ENODEV, errno.EINVAL];

/**
 * The pages of /sys/kernel/btf/vmlinux themselves, without a copy. Undefined where the file cannot be mapped: before
 * Linux 6.16. They stay mapped for good, as the kernel's BTF never changes and costs no memory of this process. A store
 * into them ends the process, so they must not leave the library.
 *
 * @throws SyscallError, and the errors of node:fs where the file cannot be opened
 */
export function mapKernelTypes(path: string): Uint8Array<ArrayBuffer> | undefined {
  const fd = openSync(path, 'r');
  try {
    const { size } = fstatSync(fd);
    const address = libc().mmap(0, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (address !== -1) return new Uint8Array(foreign().view(BigInt(address), size));
    const failed = lastErrno();
    if (CANNOT_BE_MAPPED.includes(failed)) return undefined;
    throw syscallError({ call: 'mmap', errno: failed, doing: `map ${path}` });
  } finally {
    closeSync(fd);
  }
}
