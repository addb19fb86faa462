import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { extname, join } from 'node:path';
import { createInterface } from 'node:readline';

const processes = join(import.meta.dirname, '../fixtures/processes');

/** A process that runs `test/fixtures/processes/<name>.ts`, talks in lines and is ended with the test at the latest. */
export class TypescriptProcess {
  readonly child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #exited: Promise<unknown[]>;

  constructor(name: string, args: readonly (string | number)[], options: { nodeOptions?: string[] } = {}) {
    // What makes this process understand TypeScript, without what tap observes processes with.
    const loaders = process.execArgv.filter((argument) => !/processinfo|mock/.test(argument));
    const script = join(processes, `${name}${extname(import.meta.filename)}`);
    const argv = [...loaders, ...(options.nodeOptions ?? []), script, ...args.map(String)];
    this.child = spawn(process.execPath, argv, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#exited = once(this.child, 'exit');
    if (!this.child.stdout) throw new Error('the process has no output');
    this.#lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
  }

  /** The next line; throws where the process ended instead. */
  async line(): Promise<string> {
    const next = await this.#lines.next();
    if (next.done === true) throw new Error(`the process ended: ${String(await this.#exited)}`);
    return next.value;
  }

  tell(line: string): void {
    this.child.stdin?.write(`${line}\n`);
  }

  /** Waits for the end; the exit code, or the signal that ended it. */
  async ended(): Promise<number | string> {
    const [code, signal] = await this.#exited;
    return (code ?? signal) as number | string;
  }

  async kill(): Promise<void> {
    this.child.kill('SIGCONT');
    this.child.kill('SIGKILL');
    await this.#exited;
  }
}
