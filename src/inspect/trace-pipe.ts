import { closeSync, constants, openSync, readSync } from 'node:fs';
import { FileError, PermissionError } from '../errors.ts';
import { watchReadable, type ReadableWatch } from '../sys/index.ts';

/** Where tracefs is mounted, on its own or below debugfs. */
const PATHS = ['/sys/kernel/tracing/trace_pipe', '/sys/kernel/debug/tracing/trace_pipe'];
const BUFFER_SIZE = 64 * 1024;
/** Reads handled before the event loop gets its turn. */
const BATCH = 16;

/**
 * Follows the kernel's trace pipe, where `bpf_printk` writes: lines of every program of this machine. Reading takes
 * them away from other readers of the pipe.
 */
export class TracePipe {
  readonly #fd: number;
  readonly #watch: ReadableWatch;
  readonly #onLine: (line: string) => void;
  readonly #buffer = Buffer.alloc(BUFFER_SIZE);
  #rest = '';
  #closed = false;

  private constructor(fd: number, onLine: (line: string) => void) {
    this.#fd = fd;
    this.#onLine = onLine;
    this.#watch = watchReadable(fd, {
      onReadable: () => {
        this.#read();
      },
      onError(error) {
        throw error;
      },
    });
  }

  /** @throws FileError where tracefs is not mounted, PermissionError */
  static open(onLine: (line: string) => void): TracePipe {
    return new TracePipe(openFirst(), onLine);
  }

  /** Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#watch.close();
    closeSync(this.#fd);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #read(): void {
    for (let turn = 0; turn < BATCH && !this.#closed; turn++) {
      const length = readAvailable(this.#fd, this.#buffer);
      if (length === 0) return;
      const lines = (this.#rest + this.#buffer.toString('utf8', 0, length)).split('\n');
      this.#rest = lines.pop() ?? '';
      for (const line of lines) this.#onLine(line.trim());
    }
  }
}

function openFirst(): number {
  for (const path of PATHS) {
    try {
      return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      if (code === 'EACCES' || code === 'EPERM') {
        throw new PermissionError('open', code, [], `Cannot read ${path}: ${code}`, { cause });
      }
      if (code !== 'ENOENT')
        throw new FileError('FILE_UNREADABLE', path, `Cannot read ${path}: ${String(code)}`, { cause });
    }
  }
  throw new FileError(
    'FILE_NOT_FOUND',
    PATHS[0] ?? '',
    'Cannot read the trace pipe: tracefs is not mounted',
    {
      hint: 'mount it: mount -t tracefs nodev /sys/kernel/tracing',
    },
  );
}

function readAvailable(fd: number, buffer: Buffer): number {
  try {
    return readSync(fd, buffer);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return 0;
    throw error;
  }
}
