import { clearScreenDown, cursorTo, moveCursor } from 'node:readline';
import type { REPLServer } from 'node:repl';
import { listInterfaces, RouteSocket } from '../netlink/index.ts';
import { inNamespace } from '../link/index.ts';
import { REPL_COMMANDS } from './commands.ts';
import { completeNames, type Completion } from './completion.ts';
import { startEvaluation } from './evaluation.ts';
import { historyPath, makeHistoryFolder } from './history.ts';
import { describeError, inspectValue } from './inspect-value.ts';
import type { Scope } from './scope.ts';
import type { Session } from './session.ts';
import { TsXdpError } from '../errors.ts';

export interface PromptOptions {
  readonly session: Session;
  readonly scope: Scope;
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
  /** @default false */
  readonly colors?: boolean;
  readonly environment: NodeJS.ProcessEnv;
}

/** Milliseconds in which lines gather before they are printed above the prompt, which is drawn anew each time. */
const GATHERING_TIME = 40;
/** More lines than a person can read in that time are counted instead of printed. */
const LINES_AT_ONCE = 100;

/** A prompt on a terminal, above which lines can be printed while somebody types. */
export class Prompt {
  readonly server: REPLServer;
  /** Resolves when the person has left: `.exit`, Ctrl-D, or Ctrl-C twice. */
  readonly left: Promise<void>;
  readonly #output: NodeJS.WritableStream;
  readonly #session: Session;
  #evaluating = false;
  #lines: string[] = [];
  #skipped = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: PromptOptions) {
    const { session, scope, input, output, colors = false } = options;
    this.#output = output;
    this.#session = session;
    this.server = startEvaluation({
      prompt: 'ts-xdp> ',
      input,
      output,
      terminal: true,
      useColors: colors,
      // Ctrl-C ends a loop or an await that somebody typed, instead of the session.
      breakEvalOnSigint: true,
      // It would show things by their fields, and evaluate before Enter what may reach the kernel.
      preview: false,
      writer: (value) =>
        isInterruption(value)
          ? 'Error: interrupted'
          : inspectValue(value, { object: session.object, colors }),
    });
    const { server } = this;
    this.#followEvaluation();
    this.#defineCommands();
    this.#extendCompletion(scope);
    // Node gives its modules global names (`events`, `stream`), which must not hide maps of these names.
    scope.refresh();
    this.left = new Promise((resolve) => {
      server.on('exit', resolve);
    });
    this.#keepHistory(options.environment);
  }

  /** Prints lines above the prompt; what is being typed stays as it is. Lines of a flood are counted instead. */
  print(line: () => string): void {
    if (this.#lines.length < LINES_AT_ONCE) this.#lines.push(line());
    else this.#skipped++;
    this.#timer ??= setTimeout(() => {
      this.#flush();
    }, GATHERING_TIME);
  }

  /** What something that was left running threw. */
  failure(error: unknown): void {
    const { object } = this.#session;
    this.print(
      () =>
        `Uncaught ${error instanceof TsXdpError ? describeError(error) : inspectValue(error, { object })}`,
    );
  }

  /** Prints what waits and ends the prompt. Idempotent. */
  close(): void {
    clearTimeout(this.#timer);
    this.#evaluating = true;
    this.#flush();
    this.server.close();
  }

  #flush(): void {
    this.#timer = undefined;
    // Whoever writes in .editor has no prompt that could be drawn anew; it is all printed afterwards.
    if (this.server.editorMode) {
      this.#timer = setTimeout(() => {
        this.#flush();
      }, GATHERING_TIME);
      return;
    }
    const lines = this.#lines.splice(0);
    if (this.#skipped > 0) lines.push(`… and ${String(this.#skipped)} more, too fast to print`);
    this.#skipped = 0;
    if (lines.length === 0) return;
    const text = `${lines.join('\n')}\n`;
    if (this.#evaluating) this.#output.write(text);
    else this.#printAbove(text);
  }

  #printAbove(text: string): void {
    const { rows } = this.server.getCursorPos();
    if (rows > 0) moveCursor(this.#output, 0, -rows);
    cursorTo(this.#output, 0);
    clearScreenDown(this.#output);
    this.#output.write(text);
    // Readline goes up by this many rows before it draws the line anew; here it starts on a fresh row. No public call
    // sets it, and it is wrong anyway after a pasted line that wraps.
    (this.server as unknown as { prevRows: number }).prevRows = 0;
    this.server.displayPrompt(true);
  }

  /** Between Enter and the next prompt there is no prompt to be drawn anew. */
  #followEvaluation(): void {
    const { server } = this;
    server.prependListener('line', () => {
      this.#evaluating = true;
    });
    const displayPrompt = server.displayPrompt.bind(server);
    server.displayPrompt = (preserveCursor) => {
      this.#evaluating = false;
      displayPrompt(preserveCursor);
    };
  }

  #defineCommands(): void {
    for (const { name, help, run } of REPL_COMMANDS) {
      this.server.defineCommand(name, {
        help,
        action: (argument) => {
          this.#output.write(`${this.#answer(() => run(this.#session, argument.trim()).text)}\n`);
          this.server.displayPrompt();
        },
      });
    }
  }

  #answer(run: () => string): string {
    try {
      return run();
    } catch (error) {
      if (error instanceof TsXdpError) return describeError(error);
      return inspectValue(error, { object: this.#session.object });
    }
  }

  #extendCompletion(scope: Scope): void {
    const { server } = this;
    const complete = server.completer as (
      line: string,
      done: (error: Error | null, found: Completion) => void,
    ) => void;
    const session = this.#session;
    const source = {
      members: (group: string) => scope.members(group as 'programs' | 'maps' | 'variables').keys(),
      interfaces: () => interfaceNames(session),
      attached: () => session.attachments.map(({ target }) => target),
    };
    Object.defineProperty(server, 'completer', {
      value: (line: string, done: (error: Error | null, found: Completion) => void): void => {
        const found = completeNames(line, source);
        if (found) done(null, found);
        else complete.call(server, line, done);
      },
      writable: true,
    });
  }

  #keepHistory(environment: NodeJS.ProcessEnv): void {
    const path = historyPath(environment);
    if (path === undefined) return;
    const complain = (error: Error): void => {
      this.print(() => `note: what you type is not kept: ${error.message}`);
    };
    try {
      makeHistoryFolder(path);
    } catch (error) {
      complain(error as Error);
      return;
    }
    this.server.setupHistory(path, (error) => {
      if (error) complain(error);
    });
  }
}

/** Where Node was when Ctrl-C came is of no interest. */
function isInterruption(value: unknown): boolean {
  return (
    value instanceof Error && (value as NodeJS.ErrnoException).code === 'ERR_SCRIPT_EXECUTION_INTERRUPTED'
  );
}

function interfaceNames({ netns }: Session): readonly string[] {
  return inNamespace(netns, () => {
    const socket = RouteSocket.open();
    try {
      return listInterfaces(socket).map(({ name }) => name);
    } finally {
      socket.close();
    }
  });
}
