import { readlinkSync, unlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { FileError, NotFoundError, PinExistsError } from '../errors.ts';
import { bpf_attr_obj, bpf_link_info, bpf_map_info, bpf_prog_info } from '../uapi/index.ts';
import { checkCString } from './argument-checks.ts';
import { bpfError, tryBpf } from './bpf.ts';
import type { BpfCall } from './bpf.ts';
import { errno } from './errno.ts';
import { Fd } from './fd.ts';
import type { Kernel } from './kernel.ts';
import { isOnFileSystem } from './mount.ts';
import { readInfo } from './object-info.ts';

/** What can be pinned. */
export type PinnedKind = 'map' | 'program' | 'link';

/** What /proc/self/fd calls the three kinds (anon_inode_getfd() and friends in kernel/bpf/syscall.c). */
const inodeNames: Readonly<Record<string, PinnedKind>> = {
  'anon_inode:bpf-map': 'map',
  'anon_inode:bpf-prog': 'program',
  'anon_inode:bpf_link': 'link',
  'anon_inode:bpf-link': 'link',
};

/**
 * Pins what `fd` stands for to a new file in a bpf file system; it then lives until the file is removed.
 *
 * Throws {@link PinExistsError}, {@link FileError} where the directory is missing or of another file system, and
 * {@link PermissionError}.
 */
export function pinDescriptor(kernel: Kernel, pin: { readonly fd: Fd; readonly path: string }): void {
  const { fd, path } = pin;
  const call = pathCall('BPF_OBJ_PIN', {
    kernel,
    path,
    fd: fd.value,
    doing: `pin ${fd.description} to ${path}`,
  });
  const result = tryBpf(kernel, call);
  if (result >= 0) return;
  if (result === -errno.EEXIST)
    throw new PinExistsError(path, { hint: 'Remove the file to unpin what is there.' });
  if (result === -errno.ENOENT) {
    throw new FileError(
      'FILE_NOT_FOUND',
      dirname(path),
      `Cannot ${call.doing}: ${dirname(path)} does not exist`,
    );
  }
  // The kernel answers EPERM for another file system and for a name with a dot (bpf_lookup() in kernel/bpf/inode.c).
  if (result === -errno.EPERM && !isOnFileSystem(dirname(path), 'bpf')) {
    throw new FileError(
      'FILE_UNREADABLE',
      path,
      `Cannot ${call.doing}: ${dirname(path)} is not in a bpf file system`,
      {
        hint: 'Mount one: mount -t bpf bpf /sys/fs/bpf',
      },
    );
  }
  throw bpfError(call, result);
}

/**
 * Removes a pin of what `fd` stands for, and no other file: what is pinned there is compared by its id first (Linux 4.13).
 *
 * Throws {@link NotFoundError} (`PIN_NOT_FOUND`) where nothing is pinned there, or something else, and {@link FileError} where
 * the file cannot be removed.
 */
export function unpinDescriptor(
  kernel: Kernel,
  pin: { readonly fd: Fd; readonly path: string; readonly what: PinnedKind },
): void {
  const { fd, path, what } = pin;
  const own = idOf(kernel, { fd, what });
  const pinned = openPin(kernel, { path, what });
  const doing = `unpin ${fd.description} from ${path}`;
  try {
    const found = idOf(kernel, { fd: pinned, what });
    if (found !== own) {
      const why = `${what} ${String(found)} is pinned there, and this is ${what} ${String(own)}`;
      throw new NotFoundError('PIN_NOT_FOUND', path, `Cannot ${doing}: ${why}`);
    }
  } finally {
    pinned.close();
  }
  try {
    unlinkSync(path);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'it cannot be removed';
    throw new FileError('FILE_UNREADABLE', path, `Cannot ${doing}: ${code}`, { cause });
  }
}

function idOf(kernel: Kernel, { fd, what }: { fd: Fd; what: PinnedKind }): number {
  switch (what) {
    case 'map':
      return readInfo(kernel, { fd, descriptor: bpf_map_info }).id;
    case 'program':
      return readInfo(kernel, { fd, descriptor: bpf_prog_info }).id;
    case 'link':
      return readInfo(kernel, { fd, descriptor: bpf_link_info }).id;
  }
}

/**
 * Opens what is pinned at `path`.
 *
 * Throws {@link NotFoundError} (`PIN_NOT_FOUND`) where nothing is pinned there, or something of another kind.
 */
export function openPin(kernel: Kernel, pin: { readonly path: string; readonly what: PinnedKind }): Fd {
  const { path, what } = pin;
  const fd = openPinIfThere(kernel, pin);
  if (fd) return fd;
  throw new NotFoundError('PIN_NOT_FOUND', path, `Cannot open pinned ${what} ${path}: there is no such file`);
}

/** The same, but undefined where there is no such file. */
export function openPinIfThere(
  kernel: Kernel,
  pin: { readonly path: string; readonly what: PinnedKind },
): Fd | undefined {
  const { path, what } = pin;
  const doing = `open pinned ${what} ${path}`;
  const call = pathCall('BPF_OBJ_GET', { kernel, path, fd: 0, doing });
  const number = tryBpf(kernel, call);
  if (number === -errno.ENOENT) return undefined;
  if (number === -errno.EACCES && !isOnFileSystem(path, 'bpf')) {
    throw new NotFoundError('PIN_NOT_FOUND', path, `Cannot ${doing}: the file is not in a bpf file system`);
  }
  if (number < 0) throw bpfError(call, number);
  const fd = new Fd(kernel, number, `pinned ${what} ${path}`);
  const found = kindOf(number);
  if (found === undefined || found === what) return fd;
  fd.close();
  throw new NotFoundError('PIN_NOT_FOUND', path, `Cannot ${doing}: a ${found} is pinned there`);
}

/** Whatever is pinned at `path`, and what it is; undefined where that is nothing of BPF. Needs /proc. */
export function openAnyPin(
  kernel: Kernel,
  path: string,
): { readonly fd: Fd; readonly kind: PinnedKind } | undefined {
  const call = pathCall('BPF_OBJ_GET', { kernel, path, fd: 0, doing: `open what is pinned at ${path}` });
  const number = tryBpf(kernel, call);
  const isNone: readonly number[] = [errno.ENOENT, errno.EACCES, errno.EPERM, errno.EINVAL];
  if (isNone.includes(-number)) return undefined;
  if (number < 0) throw bpfError(call, number);
  const fd = new Fd(kernel, number, `what is pinned at ${path}`);
  const kind = kindOf(number);
  if (kind !== undefined) return { fd, kind };
  fd.close();
  return undefined;
}

function pathCall(
  command: 'BPF_OBJ_PIN' | 'BPF_OBJ_GET',
  facts: { kernel: Kernel; path: string; fd: number; doing: string },
): BpfCall<bpf_attr_obj> {
  checkCString('path', facts.path);
  const pathname = new TextEncoder().encode(`${facts.path}\0`);
  return {
    command,
    attribute: bpf_attr_obj,
    fields: { pathname: facts.kernel.addressOf(pathname), bpf_fd: facts.fd },
    keep: [pathname],
    doing: facts.doing,
    needed: ['CAP_BPF'],
  };
}

/** Undefined where /proc is not mounted. */
function kindOf(fd: number): PinnedKind | undefined {
  try {
    return inodeNames[readlinkSync(`/proc/self/fd/${String(fd)}`)];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    return undefined;
  }
}
