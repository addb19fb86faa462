import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FileError, NotFoundError } from '../errors.ts';
import { isOnFileSystem } from '../sys/index.ts';

const places = ['/sys/kernel/tracing', '/sys/kernel/debug/tracing'] as const;

/** Where tracefs is mounted. @throws FileError (FILE_NOT_FOUND) with how to mount it */
export function findTracefs(doing: string): string {
  const place = places.find((path) => isOnFileSystem(path, 'tracefs'));
  if (place !== undefined) return place;
  throw new FileError('FILE_NOT_FOUND', places[0], `Cannot ${doing}: tracefs is not mounted`, {
    hint: `mount it: mount -t tracefs nodev ${places[0]}`,
  });
}

/** The number by which perf_event_open(2) knows a tracepoint: `sched`, `sched_switch`. */
export function tracepointId(group: string, { event, doing }: { event: string; doing: string }): bigint {
  const path = join(findTracefs(doing), 'events', group, event, 'id');
  let text: string;
  try {
    text = readFileSync(path, 'latin1');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const name = `${group}/${event}`;
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw new NotFoundError(
        'TRACEPOINT_NOT_FOUND',
        name,
        `Cannot ${doing}: this kernel has no tracepoint ${name}`,
      );
    }
    throw new FileError(
      'FILE_UNREADABLE',
      path,
      `Cannot ${doing}: ${path} cannot be read (${code ?? 'unknown'})`,
      {
        cause,
      },
    );
  }
  return BigInt(text.trim());
}
