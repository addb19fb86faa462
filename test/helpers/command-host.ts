/**
 * Runs command lines one after the other in one process that stays, in place of one process for each, which takes half a
 * second of two cores. What a command leaves open is not closed by its end here.
 */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import type { CliResult, JsonLine } from './cli.ts';
import { patience } from './patience.ts';

const END = '\0end\0';
const LONGEST = 30_000;

class CommandHost {
  readonly #child: ChildProcess;
  #before: Promise<unknown> = Promise.resolve();
  #stdout = '';
  #stderr = '';
  #code: number | undefined;
  #settle: () => void = () => undefined;

  constructor() {
    const { PATH = '' } = process.env;
    this.#child = fork(join(import.meta.dirname, 'command-host-main.js'), {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: { PATH, HOME: '/nonexistent', LANG: 'C.UTF-8' },
      execArgv: [],
    });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
      this.#settle();
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
      this.#settle();
    });
    this.#child.on('message', (code: number) => {
      this.#code = code;
      this.#settle();
    });
    this.#child.on('exit', () => {
      this.#settle();
    });
  }

  /** Commands given while one runs wait for it. */
  run(args: readonly string[]): Promise<CliResult> {
    const result = this.#before.then(() => this.#runNow(args));
    this.#before = result.catch(() => undefined);
    return result;
  }

  /** It keeps the test's process only while a command runs. */
  #keep(kept: boolean): void {
    const { channel, stdout, stderr } = this.#child;
    for (const handle of [this.#child, channel, stdout as Socket | null, stderr as Socket | null]) {
      if (kept) handle?.ref();
      else handle?.unref();
    }
  }

  async #runNow(args: readonly string[]): Promise<CliResult> {
    [this.#stdout, this.#stderr, this.#code] = ['', '', undefined];
    this.#keep(true);
    this.#child.send(args);
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), LONGEST * patience);
    await new Promise<void>((resolve, reject) => {
      this.#settle = () => {
        const { exitCode, signalCode } = this.#child;
        if (exitCode !== null || signalCode !== null)
          reject(new Error(`${args.join(' ')} ended the process; it said\n${this.#stdout}\n${this.#stderr}`));
        else if (this.#code !== undefined && this.#stdout.endsWith(END) && this.#stderr.endsWith(END))
          resolve();
      };
      this.#settle();
    }).finally(() => {
      clearTimeout(timer);
      this.#settle = () => undefined;
      this.#keep(false);
    });
    return resultOf(this.#code, {
      stdout: this.#stdout.slice(0, -END.length),
      stderr: this.#stderr.slice(0, -END.length),
    });
  }
}

function resultOf(
  code: number | undefined,
  { stdout, stderr }: Pick<CliResult, 'stdout' | 'stderr'>,
): CliResult {
  const parse = (): JsonLine[] =>
    stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as JsonLine]));
  return {
    code: code ?? null,
    signal: null,
    stdout,
    stderr,
    get lines() {
      return parse();
    },
  };
}

let host: CommandHost | undefined;

/** Before a test counts its own open descriptors, so that the pipes to the host are among them. */
export function startCommandHost(): CommandHost {
  host ??= new CommandHost();
  return host;
}

/** For commands that end by themselves and need nothing else of their process. */
export function runHosted(args: readonly string[]): Promise<CliResult> {
  return startCommandHost().run(args);
}
