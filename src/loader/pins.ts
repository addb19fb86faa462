import { mkdirSync, readdirSync, rmdirSync, unlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ArgumentError, NotFoundError, PinExistsError, SyscallError } from '../errors.ts';
import { forceDetach, openPinnedLink, readLinkInfo, type Link } from '../link/index.ts';
import { isOnFileSystem, systemKernel } from '../sys/index.ts';
import type { Collection } from './collection.ts';

const FOLDERS = { links: 'links', programs: 'programs', maps: 'maps' } as const;

/**
 * Pins links, programs and maps of a collection into a new directory of a bpf file system: `links/`, `programs/` and
 * `maps/` below it, each under its name. All of it or nothing.
 *
 * @throws PinExistsError where the directory is there already; ArgumentError where it is not in a bpf file system
 */
export function pinCollection(
  directory: string,
  { collection, links }: { collection: Collection; links: readonly Link[] },
): void {
  checkPinDirectory(directory);
  const pinned: string[] = [];
  try {
    makeDirectory(directory);
    pinned.push(directory);
    const groups = {
      maps: [...collection.maps].map(([name, map]) => [name, map] as const),
      programs: [...collection.programs].map(([name, program]) => [name, program] as const),
      links: links.map((link, index) => [linkName(links, index), link] as const),
    };
    for (const group of ['maps', 'programs', 'links'] as const) {
      if (groups[group].length === 0) continue;
      const folder = join(directory, FOLDERS[group]);
      makeDirectory(folder);
      pinned.push(folder);
      for (const [name, resource] of groups[group]) {
        const path = join(folder, pinName(name));
        resource.pin(path);
        pinned.push(path);
      }
    }
  } catch (error) {
    if (pinned.length > 0) removeTree(directory);
    throw error;
  }
}

/** Refuses a directory that cannot take pins, before anything is loaded. */
export function checkPinDirectory(directory: string): void {
  if (!isOnFileSystem(dirname(directory), 'bpf') && !isOnFileSystem(directory, 'bpf')) {
    throw new ArgumentError('pin', `Cannot pin to ${directory}: it is not in a bpf file system`, {
      hint: 'mount one: mount -t bpf bpf /sys/fs/bpf, and name a new directory below it',
    });
  }
  if (isOnFileSystem(directory, 'bpf')) {
    throw new PinExistsError(directory, { hint: `remove it with: ts-xdp unload ${directory}` });
  }
}

/** What was detached or removed below a directory. */
export interface RemovedPin {
  readonly kind: 'link' | 'program' | 'map' | 'pin';
  readonly path: string;
  readonly linkId?: number;
}

/**
 * Detaches every link that is pinned below a directory, removes all pins and the directory.
 *
 * @throws NotFoundError (PIN_NOT_FOUND); ArgumentError where the directory is not in a bpf file system
 */
export function unpinDirectory(directory: string): RemovedPin[] {
  if (!isOnFileSystem(directory, 'bpf')) {
    const listed = tryList(directory);
    if (listed) {
      throw new ArgumentError('directory', `Cannot unload ${directory}: it is not in a bpf file system`);
    }
    throw new NotFoundError(
      'PIN_NOT_FOUND',
      directory,
      `Cannot unload ${directory}: there is no such directory`,
    );
  }
  if (!tryList(directory)) {
    throw new ArgumentError('directory', `Cannot unload ${directory}: it is a pin, not a directory of pins`, {
      hint: `give the directory that --pin made, or remove the pin: rm ${directory}`,
    });
  }
  return removeTree(directory);
}

function removeTree(directory: string): RemovedPin[] {
  const removed: RemovedPin[] = [];
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) {
      removed.push(...removeTree(path));
      continue;
    }
    removed.push(removePin(path, entry.parentPath));
  }
  rmdirSync(directory);
  return removed;
}

function removePin(path: string, folder: string): RemovedPin {
  const group = folder.slice(folder.lastIndexOf('/') + 1);
  const kinds: Record<string, RemovedPin['kind']> = { links: 'link', programs: 'program', maps: 'map' };
  const kind = kinds[group] ?? 'pin';
  const linkId = kind === 'link' ? detachPinned(path) : undefined;
  unlinkSync(path);
  return { kind, path, ...(linkId !== undefined && { linkId }) };
}

function detachPinned(path: string): number {
  const kernel = systemKernel();
  const fd = openPinnedLink(path);
  try {
    const { id } = readLinkInfo(kernel, fd);
    // Somebody may hold the link by a descriptor; removing the pin alone would leave the program attached.
    detachUnlessUnsupported(() => {
      forceDetach(kernel, fd);
    });
    return id;
  } finally {
    fd.close();
  }
}

/** Link types without a detach operation go with their last reference. */
function detachUnlessUnsupported(detach: () => void): void {
  try {
    detach();
  } catch (error) {
    if (!(error instanceof SyscallError && error.errnoName === 'EOPNOTSUPP')) throw error;
  }
}

function tryList(directory: string): string[] | undefined {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') throw new PinExistsError(path);
    throw new ArgumentError('pin', `Cannot pin to ${path}: ${(cause as Error).message}`, { cause });
  }
}

/** `xdp_eth0`; of several on one target the later ones have a number. */
function linkName(links: readonly Link[], index: number): string {
  const name = ({ kind, target }: Link): string => pinName(`${kind}_${target}`);
  const names = links.slice(0, index + 1).map(name);
  const own = names[index] ?? '';
  const before = names.filter((one) => one === own).length;
  return before > 1 ? `${own}_${before}` : own;
}

/** A bpf file system takes no dots in names (bpf_lookup in kernel/bpf/inode.c), a name is not a path, and shells ask no quotes. */
function pinName(name: string): string {
  return name.replaceAll(/[()]/g, '').replaceAll(/[./ ]/g, '_').slice(0, 200);
}
