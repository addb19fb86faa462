import { FileError } from '../../errors.ts';
import type { Json } from './error-report.ts';
import { jsonText } from './json-text.ts';

/** Bytes that may wait for a slow reader of standard output before lines are dropped. */
const WAITING_LIMIT = 4 * 1024 * 1024;
/** Milliseconds that the end of a command waits for a reader of standard output to take what is left. */
const LONGEST_FLUSH = 3000;

export interface OutputOptions {
  readonly json: boolean;
  /** Standard output belongs to somebody else, such as a binary stream: nothing is printed there. */
  readonly silent?: boolean;
}

/**
 * Where a command prints. Results go to standard output, as text or as JSON; everything else to standard error.
 *
 * A reader that is slow makes lines wait, up to a limit; then streamed lines are dropped and counted, so that memory
 * stays bounded. A reader that went away (EPIPE) ends the stream quietly.
 */
export class Output {
  readonly json: boolean;
  readonly silent: boolean;
  #dropped = 0;
  #closed = false;
  #gaveUp = false;
  #failure: FileError | undefined;
  #onClosed: ((failure: FileError | undefined) => void)[] = [];

  constructor(options: OutputOptions) {
    this.json = options.json;
    this.silent = options.silent ?? false;
    process.stdout.on('error', (error: NodeJS.ErrnoException) => {
      this.#close(error.code === 'EPIPE' ? undefined : error);
    });
  }

  /** Lines dropped because standard output was too slow. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Whether nothing more can be written to standard output. */
  get closed(): boolean {
    return this.#closed;
  }

  /** What became of writing, other than that the reader went away: a full disk. */
  get failure(): FileError | undefined {
    return this.#failure;
  }

  /** Calls back once when nothing more can be written: the reader went away or, with the error, writing failed. */
  onClosed(hook: (failure: FileError | undefined) => void): void {
    this.#onClosed.push(hook);
  }

  /** A result: one JSON object on a line, or its text. Never dropped. */
  result(document: Json, text: string): void {
    if (this.json) this.#write(`${jsonText(document)}\n`);
    else if (text !== '') this.#write(text.endsWith('\n') ? text : `${text}\n`);
  }

  /** One line of a stream; false where it was dropped. Either side is made only when it is printed. */
  stream(line: { json: () => Json; text: () => string }): boolean {
    if (this.#closed || this.silent) return true;
    if (process.stdout.writableLength > WAITING_LIMIT) {
      this.#dropped++;
      return false;
    }
    this.#write(`${this.json ? JSON.stringify(line.json()) : line.text()}\n`);
    return true;
  }

  /** A message for the person at the terminal. */
  note(text: string): void {
    process.stderr.write(`${text}\n`);
  }

  /**
   * Resolves when everything written has left this process, with true. A reader that does not take it in time is told
   * of, and what is left is given up: nothing may hold up a signal for ever.
   */
  async flush(): Promise<boolean> {
    // What a file refuses, a full disk, is written by now, and told only in the next turn of the event loop.
    if (!this.#closed) await new Promise((resolve) => setImmediate(resolve));
    if (this.#closed || process.stdout.writableLength === 0) return !this.#gaveUp;
    const inTime = await new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => {
        resolve(false);
      }, LONGEST_FLUSH);
      const done = (): void => {
        clearTimeout(timer);
        resolve(true);
      };
      process.stdout.write('', done);
      this.onClosed(done);
    });
    if (!inTime) {
      const left = process.stdout.writableLength;
      this.#closed = true;
      this.#gaveUp = true;
      this.note(`note: standard output is not being read; ${left} bytes were not written`);
    }
    return inTime;
  }

  #close(error: NodeJS.ErrnoException | undefined): void {
    if (this.#closed) return;
    this.#closed = true;
    if (error) {
      const what = 'standard output';
      const why = error.code ?? error.message;
      this.#failure = new FileError('FILE_UNREADABLE', what, `Cannot write to ${what}: ${why}`, {
        cause: error,
      });
    }
    for (const hook of this.#onClosed.splice(0)) hook(this.#failure);
  }

  #write(text: string): void {
    if (!this.#closed && !this.silent) process.stdout.write(text);
  }
}
