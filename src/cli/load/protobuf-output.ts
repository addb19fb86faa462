import { createWriteStream, type WriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { FileError } from '../../errors.ts';
import { createSecurityEventEncoder, type CapturedEvent } from '../../sniffer/index.ts';
import type { WallClock } from '../../sys/index.ts';

/** Bytes that may wait for a slow disk or reader before events are dropped. */
const WAITING_LIMIT = 4 * 1024 * 1024;

/** Where the sniffer's events go in their wire form. */
export interface ProtobufOutput {
  write(event: CapturedEvent): void;
  /** Events that were dropped because the file or its reader was too slow. */
  readonly dropped: number;
  /** Resolves when everything is in the file. Standard output is flushed by whoever owns it. */
  close(): Promise<void>;
}

/**
 * Opens the file, or standard output for `-`. Later failures, such as a full disk, go to `onError`.
 *
 * @throws FileError
 */
export async function openProtobufOutput(
  path: string,
  { clock, onError }: { clock: WallClock; onError: (error: FileError) => void },
): Promise<ProtobufOutput> {
  const encoder = await createSecurityEventEncoder({ wallClock: clock });
  const file = path === '-' ? undefined : await openFile(path);
  file?.on('error', (error) => {
    onError(writeError(path, error));
  });
  const stream = file ?? process.stdout;
  let dropped = 0;
  return {
    write(event) {
      if (stream.writableLength > WAITING_LIMIT) dropped++;
      else if (stream.writable) stream.write(encoder.encodeDelimited(event));
    },
    get dropped() {
      return dropped;
    },
    async close() {
      if (!file || file.destroyed) return;
      await new Promise<void>((resolve, reject) => {
        file.once('error', (error) => {
          reject(writeError(path, error));
        });
        file.end(resolve);
      });
    },
  };
}

async function openFile(path: string): Promise<WriteStream> {
  try {
    const handle = await open(path, 'w');
    return createWriteStream(path, { fd: handle });
  } catch (cause) {
    throw writeError(path, cause as NodeJS.ErrnoException);
  }
}

function writeError(path: string, cause: NodeJS.ErrnoException): FileError {
  return new FileError('FILE_UNREADABLE', path, `Cannot write to ${path}: ${cause.code ?? cause.message}`, {
    cause,
  });
}
