import { PassThrough, Writable } from 'node:stream';
import { start, type REPLServer, type ReplOptions } from 'node:repl';

/**
 * Node's own evaluation: top-level await, several lines to a statement, the value of the last expression. In the realm
 * of this process; see Scope for why.
 */
export function startEvaluation(options: ReplOptions): REPLServer {
  return start({ useGlobal: true, ...options });
}

/** What became of one line. */
export type Evaluated =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'error'; readonly error: unknown }
  /** A statement that the next line goes on with. */
  | { readonly kind: 'incomplete' }
  /** Text that a command of Node's REPL printed. */
  | { readonly kind: 'text'; readonly text: string }
  /** `.exit` */
  | { readonly kind: 'exit' };

/** Never typed and never printed, so that what Node's REPL writes can be told apart. */
const READY = '\u0000ready\u0000';
const VALUE = '\u0000value\u0000';
/** How REPL servers ask for the rest of a statement: `...` with dots for depth, a bar since Node 24. */
const CONTINUATION = /^(\.{3,}|\|) $/;
const UNKNOWN_COMMAND = 'Invalid REPL keyword\n';

/**
 * Evaluates lines one after the other, without a terminal. Given a pipe, Node's REPL does not wait for a promise
 * before the next line; so this one gets its lines one at a time, the next when it asks.
 */
export class LineEvaluation {
  readonly server: REPLServer;
  readonly #input = new PassThrough();
  /** What the server handed to its writer and has not printed yet. */
  readonly #values: unknown[] = [];
  #collected: Evaluated[] = [];
  #finish: (() => void) | undefined;

  constructor() {
    this.server = startEvaluation({
      prompt: READY,
      input: this.#input,
      output: new Writable({
        decodeStrings: false,
        write: (chunk: string, _encoding, done) => {
          this.#collect(chunk);
          done();
        },
      }),
      terminal: false,
      useColors: false,
      writer: (value) => {
        this.#values.push(value);
        return VALUE;
      },
    });
    this.server.on('exit', () => {
      this.#collected.push({ kind: 'exit' });
      this.#finish?.();
    });
  }

  /** Evaluates a line to its end, awaits included. A promise that a line gives as its value is not waited for. */
  async evaluate(line: string): Promise<readonly Evaluated[]> {
    this.#collected = [];
    const finished = new Promise<void>((resolve) => {
      this.#finish = resolve;
    });
    this.#input.write(`${line}\n`);
    await finished;
    this.#finish = undefined;
    return this.#collected;
  }

  close(): void {
    this.server.close();
  }

  #collect(chunk: string): void {
    if (chunk === READY) this.#finish?.();
    else if (CONTINUATION.test(chunk)) {
      this.#collected.push({ kind: 'incomplete' });
      this.#finish?.();
    } else if (chunk.includes(VALUE)) {
      const value = this.#values.splice(0).at(-1);
      // Errors are printed through the same writer, after this word.
      const thrown = /^Uncaught\b/m.test(chunk);
      this.#collected.push(thrown ? { kind: 'error', error: value } : { kind: 'value', value });
    } else if (chunk === UNKNOWN_COMMAND) {
      this.#collected.push({
        kind: 'error',
        error: new SyntaxError('there is no such command; .help lists them'),
      });
    } else if (chunk !== '') this.#collected.push({ kind: 'text', text: chunk });
  }
}
