import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** What a reader says of one run. */
export interface ReaderAnswer {
  readonly events: number;
  /** Over four fields of every event, in their order. 32 bits. */
  readonly checksum: number;
  /** Spent on draining; filling is not in it. */
  readonly nanoseconds: number;
}

/** A program that fills a ring of its own and drains it, once for each line it is sent. */
export class ReaderProcess {
  readonly name: string;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  #complaint = '';

  constructor(name: string, [command, ...args]: readonly [string, ...string[]]) {
    this.name = name;
    this.#child = spawn(command, args, { stdio: 'pipe' });
    this.#child.on('error', (error) => {
      this.#complaint += error.message;
    });
    // A reader that has ended says so by its answer that does not come.
    this.#child.stdin.on('error', (error) => {
      this.#complaint += error.message;
    });
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#complaint += text;
    });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /** One run of as many events, at most `chunk` of them in the ring at a time. */
  run(options: { events: number; chunk: number }): Promise<ReaderAnswer> {
    return this.ask(`${String(options.events)} ${String(options.chunk)}`);
  }

  /** Sends a line and waits for the answer. */
  async ask(question: string): Promise<ReaderAnswer> {
    this.#child.stdin.write(`${question}\n`);
    return await this.answer();
  }

  /** Waits for a line. */
  async answer(): Promise<ReaderAnswer> {
    const line = await this.#lines.next();
    if (line.done === true) throw new Error(`Cannot measure ${this.name}: ${this.#complaint.trim()}`);
    return JSON.parse(line.value) as ReaderAnswer;
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'close');
    this.#child.stdin.end();
    await ended;
  }
}
