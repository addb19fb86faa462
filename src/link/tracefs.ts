import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FileError, NotFoundError } from '../errors.ts';
import { errno, isOnFileSystem, missingCapabilities, permissionError, syscallError } from '../sys/index.ts';

const places = ['/sys/kernel/tracing', '/sys/kernel/debug/tracing'] as const;

/** Where tracefs is mounted. @throws FileError (FILE_NOT_FOUND) with how to mount it */
export function findTracefs(doing: string): string {
  const place = places.find((path) => isOnFileSystem(path, 'tracefs'));
  if (place !== undefined) return place;
  throw new FileError('FILE_NOT_FOUND', places[0], `Cannot ${doing}: tracefs is not mounted`, {
    hint: `mount it: mount -t tracefs nodev ${places[0]}`,
  });
}

/**
 * Reads a file below tracefs; undefined where it is not there.
 *
 * @throws PermissionError naming CAP_DAC_READ_SEARCH where only the file's owner may, FileError
 */
export function readTracefs(file: string, doing: string): string | undefined {
  const path = join(findTracefs(doing), file);
  try {
    return readFileSync(path, 'latin1');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    // Of files alone that need more than their mode says: lockdown forbids the list of functions to everybody.
    if (code === 'EPERM') {
      const needed = ['CAP_DAC_READ_SEARCH'] as const;
      throw permissionError({ call: `open(${path})`, errno: errno.EPERM, doing, needed });
    }
    if (code === 'EACCES')
      throw tracefsRefusal(doing, { call: `open(${path})`, needed: 'CAP_DAC_READ_SEARCH' });
    const message = `Cannot ${doing}: ${path} cannot be read (${code ?? 'unknown'})`;
    throw new FileError('FILE_UNREADABLE', path, message, { cause });
  }
}

/** tracefs is root's alone unless it is mounted with other ids or another mode (fs/tracefs/inode.c). */
export function tracefsRefusal(
  doing: string,
  { call, needed }: { call: string; needed: 'CAP_DAC_READ_SEARCH' | 'CAP_DAC_OVERRIDE' },
): Error {
  const missing = missingCapabilities([needed]);
  return syscallError({
    call,
    errno: errno.EACCES,
    doing,
    missing,
    ...(missing.length > 0 && {
      hint: `tracefs is for root alone: mount it with gid= and mode= of a group, run it as root, or give the process ${needed}`,
    }),
  });
}

/** The number by which perf_event_open(2) knows a tracepoint: `sched`, `sched_switch`. */
export function tracepointId(group: string, { event, doing }: { event: string; doing: string }): bigint {
  const text = readTracefs(join('events', group, event, 'id'), doing);
  if (text !== undefined) return parseTracepointId(text, { group, event, doing });
  const name = `${group}/${event}`;
  throw new NotFoundError(
    'TRACEPOINT_NOT_FOUND',
    name,
    `Cannot ${doing}: this kernel has no tracepoint ${name}`,
  );
}

/** @throws FileError for a text that is no number of an event */
export function parseTracepointId(
  text: string,
  { group, event, doing }: { group: string; event: string; doing: string },
): bigint {
  const number = text.trim();
  if (/^\d{1,10}$/.test(number)) return BigInt(number);
  const file = join('events', group, event, 'id');
  throw new FileError(
    'FILE_UNREADABLE',
    file,
    `Cannot ${doing}: ${file} of tracefs says ${JSON.stringify(number)}`,
  );
}
