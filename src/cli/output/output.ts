import type { Json } from './error-report.ts';

/** Bytes that may wait for a slow reader of standard output before lines are dropped. */
const WAITING_LIMIT = 4 * 1024 * 1024;

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
  #onClosed: (() => void)[] = [];

  constructor(options: OutputOptions) {
    this.json = options.json;
    this.silent = options.silent ?? false;
    process.stdout.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      this.#closed = true;
      for (const hook of this.#onClosed.splice(0)) hook();
    });
  }

  /** Lines dropped because standard output was too slow. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Whether standard output was closed by its reader. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Calls back once when standard output is closed by its reader. */
  onClosed(hook: () => void): void {
    this.#onClosed.push(hook);
  }

  /** A result: one JSON object on a line, or its text. Never dropped. */
  result(document: Json, text: string): void {
    if (this.json) this.#write(`${JSON.stringify(document)}\n`);
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

  /** Resolves when everything written has left this process. */
  async flush(): Promise<void> {
    if (this.#closed || process.stdout.writableLength === 0) return;
    await new Promise<void>((resolve) => {
      process.stdout.write('', () => {
        resolve();
      });
      this.onClosed(resolve);
    });
  }

  #write(text: string): void {
    if (!this.#closed && !this.silent) process.stdout.write(text);
  }
}
