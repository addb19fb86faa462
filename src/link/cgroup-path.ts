import { closeSync, constants, existsSync, openSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { FileError, NotFoundError } from '../errors.ts';
import { Fd, isOnFileSystem, type Kernel } from '../sys/index.ts';

/**
 * Where cgroup v2 is mounted: /sys/fs/cgroup on most machines, /sys/fs/cgroup/unified beside version 1, or anywhere.
 *
 * @throws FileError (FILE_NOT_FOUND) where it is not
 */
export function findCgroupMount(mountInfo = readFileSync('/proc/self/mountinfo', 'utf8')): string {
  for (const line of mountInfo.split('\n')) {
    // "36 25 0:31 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw": the fields after the dash say the type.
    const [before = '', after = ''] = line.split(' - ', 2);
    if (!after.startsWith('cgroup2 ')) continue;
    const mountPoint = before.split(' ')[4];
    if (mountPoint !== undefined) return unescapeMount(mountPoint);
  }
  throw new FileError(
    'FILE_NOT_FOUND',
    '/sys/fs/cgroup',
    'Cannot find the cgroups: cgroup v2 is not mounted',
    {
      hint: 'mount it: mount -t cgroup2 none /sys/fs/cgroup',
    },
  );
}

/** Spaces and the like are octal there (mangle() in fs/seq_file.c). */
function unescapeMount(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

/**
 * Opens a cgroup: the path of its directory, or its path below the root of the hierarchy as /proc/PID/cgroup tells
 * it, `/` for the root itself.
 *
 * @throws NotFoundError (CGROUP_NOT_FOUND), FileError where cgroup v2 is not mounted
 */
export function openCgroup(kernel: Kernel, path: string): { readonly directory: string; readonly fd: Fd } {
  const directory = resolve(resolveCgroup(path));
  let number: number;
  try {
    number = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (cause) {
    throw notFound(
      path,
      `${directory} cannot be opened (${(cause as NodeJS.ErrnoException).code ?? 'unknown'})`,
    );
  }
  try {
    return { directory, fd: new Fd(kernel, number, `cgroup ${directory}`) };
  } catch (error) {
    closeSync(number);
    throw error;
  }
}

function resolveCgroup(path: string): string {
  if (path !== '/' && path.startsWith('/') && isOnFileSystem(path, 'cgroup2')) return path;
  const mount = findCgroupMount();
  const below = join(mount, path);
  if (existsSync(below) && isOnFileSystem(below, 'cgroup2')) return below;
  const why = existsSync(path)
    ? `${path} is in another file system, and there is no ${below}`
    : `there is neither ${path} nor ${below}`;
  throw notFound(path, why);
}

function notFound(path: string, why: string): NotFoundError {
  return new NotFoundError('CGROUP_NOT_FOUND', path, `Cannot open cgroup ${path}: ${why}`);
}
