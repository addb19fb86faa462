import { closeSync, constants, openSync } from 'node:fs';
import { FileError, PermissionError, SyscallError, UnsupportedFeatureError } from '../errors.ts';
import { bpf_attr_token_create } from '../uapi/index.ts';
import { checkCString } from './argument-checks.ts';
import { bpfError, tryBpf } from './bpf.ts';
import { errno, errnoName } from './errno.ts';
import { Fd } from './fd.ts';
import type { Kernel } from './kernel.ts';
import { isOnFileSystem } from './mount.ts';
import { systemKernel } from './system-kernel.ts';

/**
 * Permission to use some of bpf(2) in a user namespace, given by who mounted the bpf file system with `delegate_cmds`,
 * `delegate_maps`, `delegate_progs` and `delegate_attachs`. Linux 6.9.
 *
 * It owns its descriptor; what was made with it stays when it is closed.
 */
export class BpfToken {
  /** The root of the bpf file system that it comes from. */
  readonly path: string;
  readonly fd: Fd;

  private constructor(path: string, fd: Fd) {
    this.path = path;
    this.fd = fd;
  }

  /**
   * Creates a token from the root of a bpf file system that was mounted in this user namespace.
   *
   * @throws FileError where the path is no such place; PermissionError; UnsupportedFeatureError before Linux 6.9;
   * SyscallError with ENOENT where the mount delegates nothing, EOPNOTSUPP in the first user namespace
   */
  static create(path: string, facts: { kernel?: Kernel } = {}): BpfToken {
    const kernel = facts.kernel ?? systemKernel();
    checkCString('path', path);
    const directory = openDirectory(path);
    try {
      const result = tryCreate(kernel, directory);
      if (result < 0) throw refusal(kernel, { path, result });
      return new BpfToken(path, new Fd(kernel, result, `BPF token of ${path}`));
    } finally {
      closeSync(directory);
    }
  }

  get closed(): boolean {
    return this.fd.closed;
  }

  /** Idempotent. */
  close(): void {
    this.fd.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function tryCreate(kernel: Kernel, directory: number): number {
  return tryBpf(kernel, {
    command: 'BPF_TOKEN_CREATE',
    attribute: bpf_attr_token_create,
    fields: { bpffs_fd: directory >>> 0 },
    doing: 'create a BPF token',
  });
}

function openDirectory(path: string): number {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'EIO';
    const absent = code === 'ENOENT' || code === 'ENOTDIR';
    throw new FileError(
      absent ? 'FILE_NOT_FOUND' : 'FILE_UNREADABLE',
      path,
      `Cannot create a BPF token from ${path}: ${absent ? 'there is no such directory' : code}`,
      { cause },
    );
  }
}

/** What bpf_token_create() in kernel/bpf/token.c means by its errno. */
function refusal(kernel: Kernel, { path, result }: { path: string; result: number }): Error {
  const doing = `create a BPF token from ${path}`;
  const call = 'bpf(BPF_TOKEN_CREATE)';
  const failed = (why: string, hint?: string): SyscallError =>
    new SyscallError(call, -result, errnoName(result), `Cannot ${doing}: ${why}`, { hint });
  switch (-result) {
    case errno.EINVAL:
      return notARoot(kernel, { path, doing });
    case errno.ENOENT:
      return failed(
        'the mount delegates nothing',
        'mount it with delegate_cmds, delegate_maps and delegate_progs',
      );
    case errno.EOPNOTSUPP:
      return failed('this is the first user namespace, where capabilities count and no token is needed');
    case errno.EPERM:
      return new PermissionError(
        call,
        'EPERM',
        [],
        `Cannot ${doing}: it was mounted in another user namespace, or CAP_BPF is missing in this one`,
      );
    default:
      return bpfError({ command: 'BPF_TOKEN_CREATE', doing }, result);
  }
}

function notARoot(kernel: Kernel, { path, doing }: { path: string; doing: string }): Error {
  // A kernel that knows the command looks at the descriptor before anything else.
  if (tryCreate(kernel, -1) === -errno.EINVAL) {
    return new UnsupportedFeatureError(
      'token',
      '6.9',
      `Cannot ${doing}: this kernel has no BPF token (since Linux 6.9)`,
    );
  }
  const why = isOnFileSystem(path, 'bpf')
    ? 'it is not the root of its bpf file system'
    : 'it is not in a bpf file system';
  return new FileError('FILE_UNREADABLE', path, `Cannot ${doing}: ${why}`);
}
