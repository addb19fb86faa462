/** Runs `ts-xdp repl` as a child process: with a script on standard input, or on a terminal of its own. */
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { join } from 'node:path';
import { pause } from '../helpers/cli.ts';
import { Screen } from './screen.ts';
import { projectRoot as root } from '../helpers/project-root.ts';

const main = join(root, 'dist/cli/main.js');

export const sniffer = join(root, 'bpf/sniffer.bpf.o');
export const noTerminal =
  spawnSync('script', ['--version']).status === 0 ? false : 'script(1) of util-linux is not installed';

export interface ReplResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The test runner puts loaders of its own into every child: these listen for signals, and write as whoever they are. */
const node = ['env', '-u', 'NODE_OPTIONS', process.execPath, main, 'repl'];
const environment = { PATH: process.env['PATH'], HOME: '/nonexistent', LANG: 'C.UTF-8', TERM: 'xterm' };

/** A REPL that gets its lines one by one. */
export class ReplProcess {
  readonly child: ChildProcessWithoutNullStreams;
  readonly ended: Promise<ReplResult>;
  stdout = '';
  stderr = '';

  constructor(args: readonly string[], prefix: readonly string[] = []) {
    const [command = '', ...rest] = [...prefix, ...node, ...args];
    this.child = spawn(command, rest, { env: environment, cwd: '/' });
    this.child.stdout.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    this.child.stderr.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 30_000);
    this.ended = new Promise((resolve) => {
      this.child.on('close', (code) => {
        clearTimeout(timer);
        resolve({ code, stdout: this.stdout, stderr: this.stderr });
      });
    });
  }

  type(text: string): void {
    this.child.stdin.write(text);
  }

  async until(condition: (repl: this) => boolean): Promise<void> {
    await waitFor(
      () => condition(this),
      () => `${this.stdout}\n${this.stderr}`,
    );
  }

  end(): Promise<ReplResult> {
    this.child.stdin.end();
    return this.ended;
  }
}

export function runScriptLines(
  lines: readonly string[],
  { args = [], prefix = [] }: { args?: readonly string[]; prefix?: readonly string[] } = {},
): Promise<ReplResult> {
  const repl = new ReplProcess(args, prefix);
  repl.type(lines.map((line) => `${line}\n`).join(''));
  return repl.end();
}

/** A REPL on a terminal, whose screen can be looked at. */
export class TerminalRepl {
  readonly screen = new Screen(COLUMNS);
  readonly ended: Promise<number | null>;
  readonly #child: ChildProcessWithoutNullStreams;

  constructor(args: readonly string[], variables: Record<string, string> = {}) {
    const quoted = [...node, ...args].map((word) => `'${word}'`).join(' ');
    const command = `stty rows 50 cols ${String(COLUMNS)}; exec ${quoted}`;
    this.#child = spawn('script', ['-qec', command, '/dev/null'], {
      env: { ...environment, NODE_REPL_HISTORY: '', NO_COLOR: '1', SHELL: '/bin/sh', ...variables },
      cwd: '/',
    });
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.screen.write(text);
    });
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 30_000);
    this.ended = new Promise((resolve) => {
      this.#child.on('close', (code) => {
        clearTimeout(timer);
        resolve(code);
      });
    });
  }

  /** Ends it, should the test not have come to that. */
  close(): void {
    this.#child.kill('SIGKILL');
  }

  /** Types keys one by one: what comes at once counts as pasted, and Tab is then no key. */
  async type(text: string): Promise<void> {
    for (const key of text) {
      this.#child.stdin.write(key);
      await pause(15);
    }
  }

  paste(text: string): void {
    this.#child.stdin.write(text);
  }

  /** Waits until the last row of the screen is this, without the blanks after it. */
  async lastRow(wanted: string): Promise<void> {
    await waitFor(
      () => this.screen.rows.at(-1) === wanted.trimEnd(),
      () => this.screen.rows.join('\n'),
    );
  }

  async shows(pattern: RegExp): Promise<string> {
    let found: string | undefined;
    await waitFor(
      () => (found = this.screen.rows.find((row) => pattern.test(row))) !== undefined,
      () => this.screen.rows.join('\n'),
    );
    return found ?? '';
  }
}

const COLUMNS = 120;

async function waitFor(condition: () => boolean, describe: () => string): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`Waited in vain; there is\n${describe()}`);
    await pause(5);
  }
}
