import { createWriteStream, type WriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { FileError } from '../../errors.ts';
import { createSecurityEventEncoder, type CapturedEvent, type WallClock } from '../../sniffer/index.ts';

/** Bytes that may wait for a slow disk or reader before events are dropped. */
const WAITING_LIMIT = 4 * 1024 * 1024;

/** Where the sniffer's events go in their wire form. */
export interface ProtobufOutput {
  write(event: CapturedEvent): void;
  /** Events that were dropped because the file or its reader was too slow. */
  readonly dropped: number;
  /** Resolves when everything is written. */
  close(): Promise<void>;
}

/** Opens the file, or standard output for `-`. @throws FileError */
export async function openProtobufOutput(path: string, clock: WallClock): Promise<ProtobufOutput> {
  const encoder = await createSecurityEventEncoder({ wallClock: clock });
  const stream: NodeJS.WriteStream | WriteStream = path === '-' ? process.stdout : await openFile(path);
  let dropped = 0;
  return {
    write(event) {
      if (stream.writableLength > WAITING_LIMIT) dropped++;
      else stream.write(encoder.encodeDelimited(event));
    },
    get dropped() {
      return dropped;
    },
    async close() {
      await new Promise<void>((resolve) => {
        if (path === '-')
          stream.write('', () => {
            resolve();
          });
        else stream.end(resolve);
      });
    },
  };
}

async function openFile(path: string): Promise<WriteStream> {
  try {
    const handle = await open(path, 'w');
    return createWriteStream(path, { fd: handle });
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new FileError('FILE_UNREADABLE', path, `Cannot write to ${path}: ${code}`, { cause });
  }
}
