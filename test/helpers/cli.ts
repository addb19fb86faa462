/** Runs the built command line in processes of its own, as a person does. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { patience } from './patience.ts';
import { projectRoot } from './project-root.ts';

export { projectRoot };

/** The built command line. */
export const cliMain = join(projectRoot, 'dist/cli/main.js');

export const notRoot = process.getuid?.() === 0 ? false : 'loading BPF programs needs root';

/** One line of `--json`; what is in it depends on `type`. */
export interface JsonLine {
  readonly type?: string;
  readonly error?: { readonly code: string; readonly message: string; readonly [fact: string]: unknown };
  readonly data?: Record<string, unknown>;
  readonly [field: string]: unknown;
}

export interface CliOptions {
  /** What starts it: `['setpriv', …]`, which must end in exec so that the process id stays. */
  readonly prefix?: readonly string[];
  readonly cwd?: string;
  /** How it is started. @default the build of this checkout, with this Node */
  readonly command?: readonly string[];
  readonly environment?: Record<string, string>;
  /** A descriptor instead of a pipe that is read. */
  readonly stdout?: number | 'unread pipe';
  /** Whether `write()` gives it a standard input. @default false */
  readonly input?: boolean;
  /** Killed after this many milliseconds (times the patience), so that a hanging test says what it had. @default 30000 */
  readonly timeout?: number;
}

export interface CliResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Standard output as JSON lines; only for `--json`. */
  readonly lines: readonly JsonLine[];
}

const POLL = 5;

/** A command that is running. */
export class Cli {
  readonly ended: Promise<CliResult>;
  readonly #child: ChildProcess;
  #stdout = '';
  #stderr = '';

  constructor(args: readonly string[], options: CliOptions = {}) {
    const { prefix = [], stdout = 'pipe' } = options;
    const { PATH = '' } = process.env;
    // `env -i`, because the test runner gives every child a loader by NODE_OPTIONS, which costs time and may fail.
    const variables = Object.entries({ PATH, HOME: '/nonexistent', LANG: 'C.UTF-8', ...options.environment });
    const clean = ['env', '-i', ...variables.map(([name, value]) => `${name}=${value}`)];
    const started = options.command ?? [process.execPath, cliMain];
    const [command = '', ...rest] = [...prefix, ...clean, ...started, ...args];
    this.#child = spawn(command, rest, {
      stdio: [options.input === true ? 'pipe' : 'ignore', stdout === 'unread pipe' ? 'pipe' : stdout, 'pipe'],
      ...(options.cwd !== undefined && { cwd: options.cwd }),
    });
    if (stdout === 'pipe') this.#child.stdout?.setEncoding('utf8').on('data', this.#addOutput);
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), (options.timeout ?? 30_000) * patience);
    this.ended = new Promise((resolve, reject) => {
      this.#child.on('error', reject);
      this.#child.on('close', (code, signal) => {
        clearTimeout(timer);
        resolve(this.#result(code, signal));
      });
      // An unread pipe never closes by itself.
      if (stdout === 'unread pipe') this.#child.on('exit', () => this.#child.stdout?.destroy());
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** The complete JSON lines so far. */
  get lines(): JsonLine[] {
    const complete = this.#stdout.slice(0, this.#stdout.lastIndexOf('\n') + 1);
    return complete.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as JsonLine]));
  }

  get events(): JsonLine[] {
    return this.lines.filter(({ type }) => type === 'event');
  }

  /** Waits until `condition` gives something; fails with everything the command said when it ended or 10 s passed. */
  async until<Value>(condition: (cli: this) => Value | undefined | false): Promise<Value> {
    const deadline = performance.now() + 10_000 * patience;
    for (;;) {
      const over = this.#child.exitCode !== null || this.#child.signalCode !== null;
      const late = performance.now() > deadline;
      const value = condition(this);
      if (value !== undefined && value !== false) return value;
      if (over || late) {
        const state = over ? `ended with ${String(this.#child.exitCode)}` : 'is still running';
        throw new Error(`The command ${state}; it said\n${this.#stdout}\n${this.#stderr}`);
      }
      await pause(POLL);
    }
  }

  line(type: string): Promise<JsonLine> {
    return this.until(({ lines }) => lines.find((line) => line.type === type));
  }

  /** Waits until it listens: from then on no packet is missed, and signals end it in order. */
  async attached(): Promise<JsonLine> {
    return this.until(({ lines }) => lines.find(({ type }) => type === 'attached'));
  }

  /** Waits until standard error has the text. */
  async said(text: string): Promise<void> {
    await this.until(({ stderr }) => stderr.includes(text));
  }

  /** Lines of standard input; only with `input`. */
  write(...lines: readonly string[]): void {
    this.#child.stdin?.write(lines.map((line) => `${line}\n`).join(''));
  }

  endInput(): void {
    this.#child.stdin?.end();
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Reads what waited in the pipe, and everything that comes. */
  read(): void {
    this.#child.stdout?.setEncoding('utf8').on('data', this.#addOutput);
  }

  /** Closes the reading end of its standard output. */
  closeOutput(): void {
    this.#child.stdout?.destroy();
  }

  async stop(name: NodeJS.Signals = 'SIGTERM'): Promise<CliResult> {
    this.signal(name);
    return this.ended;
  }

  /** Resident memory in KiB. */
  get residentMemory(): number {
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${String(this.pid)}/status`, 'utf8'))?.[1]);
  }

  readonly #addOutput = (text: string): void => {
    this.#stdout += text;
  };

  #result(code: number | null, signal: NodeJS.Signals | null): CliResult {
    const [stdout, stderr] = [this.#stdout, this.#stderr];
    const parse = (): JsonLine[] => this.lines;
    return {
      code,
      signal,
      stdout,
      stderr,
      get lines() {
        return parse();
      },
    };
  }
}

/** Runs a command to its end. */
export function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  return new Cli(args, options).ended;
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** The last line of a stream. */
export function summaryOf({ lines }: Pick<CliResult, 'lines'>): JsonLine {
  const last = lines.at(-1);
  if (last?.type !== 'summary') throw new Error(`No summary at the end but ${JSON.stringify(last)}`);
  return last;
}

/** What a stack trace looks like: no message for a person has one. */
export const STACK = /^\s+at .*:\d+:\d+\)?$/m;
