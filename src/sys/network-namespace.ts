import { closeSync, constants, existsSync, fstatSync, openSync, writeSync } from 'node:fs';
import { ArgumentError, NotFoundError } from '../errors.ts';
import { missingCapabilities } from './capabilities.ts';
import { syscallError } from './errno.ts';
import { Fd } from './fd.ts';
import { lastErrno, libc } from './libc.ts';
import { systemKernel } from './system-kernel.ts';

const CLONE_NEWNET = 0x4000_0000;
/** <linux/nsfs.h>: which kind of namespace a descriptor is. */
const NS_GET_NSTYPE = 0xb703;

/** Where iproute2 mounts named namespaces. */
const directories = ['/run/netns', '/var/run/netns'] as const;

/** An open network namespace, which lives at least as long as this handle. */
export class NetworkNamespace {
  /** As it was asked for: `blue`, `/proc/42/ns/net`. */
  readonly name: string;
  /** Tells namespaces apart: two handles are on the same one exactly when this is equal. */
  readonly inode: number;
  readonly fd: Fd;

  private constructor(name: string, inode: number, fd: Fd) {
    this.name = name;
    this.inode = inode;
    this.fd = fd;
  }

  /**
   * Opens a namespace by name (as `ip netns add` makes them), by the id of a process that is in it (a number, or
   * digits that are no name), or by a path with a slash.
   *
   * Throws {@link NotFoundError} (`NETNS_NOT_FOUND`), {@link ArgumentError} where the path is something else, and
   * {@link PermissionError}.
   */
  static open(reference: string | number): NetworkNamespace {
    const name = String(reference);
    return NetworkNamespace.#openPath(findPath(reference), name);
  }

  /** The one this thread is in. */
  static current(): NetworkNamespace {
    return NetworkNamespace.#openPath('/proc/thread-self/ns/net', 'the current network namespace');
  }

  static #openPath(path: string, name: string): NetworkNamespace {
    const number = openFile(path, name);
    const kind = libc().ioctlNumber(number, NS_GET_NSTYPE, 0);
    if (kind !== CLONE_NEWNET) {
      closeSync(number);
      throw new ArgumentError('netns', `Cannot use ${path} as a network namespace: it is something else`);
    }
    const { ino } = fstatSync(number);
    return new NetworkNamespace(name, ino, new Fd(systemKernel(), number, `network namespace ${name}`));
  }

  close(): void {
    this.fd.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function findPath(reference: string | number): string {
  const name = String(reference);
  if (typeof reference === 'string') {
    if (name.includes('/')) return name;
    if (name === '' || name === '.' || name === '..' || name.includes('\0')) {
      throw new ArgumentError(
        'netns',
        `Cannot open network namespace ${JSON.stringify(name)}: this is no name`,
      );
    }
    const named = directories.map((directory) => `${directory}/${name}`).find((path) => existsSync(path));
    if (named !== undefined) return named;
  }
  if (/^[1-9]\d*$/.test(name)) return `/proc/${name}/ns/net`;
  throw notFound(name);
}

function openFile(path: string, name: string): number {
  try {
    // Not blocking, should the path be a named pipe.
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    const { code, errno } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') throw notFound(name);
    if (errno === undefined) throw error;
    throw syscallError({
      call: 'open',
      errno,
      doing: `open network namespace ${name}`,
      missing: missingCapabilities(['CAP_SYS_PTRACE']),
    });
  }
}

function notFound(name: string): NotFoundError {
  return new NotFoundError(
    'NETNS_NOT_FOUND',
    name,
    `Cannot open network namespace ${name}: there is none of that name or process id`,
    {
      hint: 'List the named ones with "ip netns list".',
    },
  );
}

/**
 * Runs `action` with this thread in another network namespace, and comes back whatever happens. Only what is
 * synchronous is in there: sockets opened inside stay inside, while timers, promises and Node's own file and DNS
 * calls never were. Needs CAP_SYS_ADMIN.
 *
 * Throws {@link ArgumentError} where `action` returns a promise. Should the way back fail, the process is aborted:
 * everything it did from then on would happen in the wrong network.
 */
export function withNetworkNamespace<Result>(namespace: NetworkNamespace, action: () => Result): Result {
  const home = NetworkNamespace.current();
  try {
    if (home.inode === namespace.inode) return refusePromise(action());
    enter(namespace);
    try {
      return refusePromise(action());
    } finally {
      if (libc().setns(home.fd.value, CLONE_NEWNET) < 0) {
        writeSync(
          2,
          'ts-xdp: Cannot return to the network namespace that the process started in; aborting\n',
        );
        process.abort();
      }
    }
  } finally {
    home.close();
  }
}

function enter(namespace: NetworkNamespace): void {
  if (libc().setns(namespace.fd.value, CLONE_NEWNET) === 0) return;
  throw syscallError({
    call: 'setns',
    errno: lastErrno(),
    doing: `enter network namespace ${namespace.name}`,
    missing: missingCapabilities(['CAP_SYS_ADMIN']),
  });
}

function refusePromise<Result>(result: Result): Result {
  if (result instanceof Promise) {
    // Nobody else will see how it ends.
    result.catch(() => undefined);
    throw new ArgumentError(
      'action',
      'Cannot run an asynchronous action in another network namespace: only its first part would be there',
    );
  }
  return result;
}
