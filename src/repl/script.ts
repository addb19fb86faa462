import { createInterface } from 'node:readline';
import { REPL_COMMANDS } from './commands.ts';
import { LineEvaluation, type Evaluated } from './evaluation.ts';
import { inspectValue } from './inspect-value.ts';
import { jsonValue } from './json-value.ts';
import type { ReplOutput } from './output.ts';
import type { Scope } from './scope.ts';
import type { Session } from './session.ts';

export interface ScriptOptions {
  readonly session: Session;
  readonly scope: Scope;
  readonly input: NodeJS.ReadableStream;
  readonly output: ReplOutput;
  /** Ends the script before its end. */
  readonly signal: AbortSignal;
}

/**
 * Evaluates lines of standard input in order, each when the one before has come to its end, promises included, and
 * prints each result on a line. A line that fails does not stop the ones after it. Returns how many failed.
 */
export async function runScript({ session, scope, input, output, signal }: ScriptOptions): Promise<number> {
  const evaluation = new LineEvaluation();
  // Node gives its modules global names (`events`, `stream`), which must not hide maps of these names.
  scope.refresh();
  const printer = new ResultPrinter(session, output);
  defineCommands(evaluation, { session, printer });
  const aborted = new Promise<'aborted'>((resolve) => {
    signal.addEventListener('abort', () => {
      resolve('aborted');
    });
  });
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY, signal });
  let pending = false;
  try {
    for await (const line of lines) {
      printer.line++;
      const outcome = await Promise.race([runLine(line, { evaluation, printer }), aborted]);
      if (outcome === 'exit' || outcome === 'aborted') return printer.failures;
      pending = outcome === 'incomplete';
    }
    if (pending && !signal.aborted) printer.failure(new SyntaxError('Unexpected end of input'));
    return printer.failures;
  } finally {
    lines.close();
    evaluation.close();
  }
}

async function runLine(
  line: string,
  { evaluation, printer }: { evaluation: LineEvaluation; printer: ResultPrinter },
): Promise<'done' | 'incomplete' | 'exit'> {
  for (const one of await evaluation.evaluate(line)) {
    if (one.kind === 'exit' || one.kind === 'incomplete') return one.kind;
    await print(one, printer);
  }
  return 'done';
}

async function print(
  evaluated: Exclude<Evaluated, { kind: 'exit' | 'incomplete' }>,
  printer: ResultPrinter,
): Promise<void> {
  if (evaluated.kind === 'error') printer.failure(evaluated.error);
  else if (evaluated.kind === 'text') printer.answer({ json: evaluated.text, text: evaluated.text });
  else {
    try {
      printer.value(await evaluated.value);
    } catch (error) {
      printer.failure(error);
    }
  }
}

function defineCommands(
  { server }: LineEvaluation,
  { session, printer }: { session: Session; printer: ResultPrinter },
): void {
  for (const { name, help, run } of REPL_COMMANDS) {
    server.defineCommand(name, {
      help,
      action: (argument) => {
        try {
          printer.answer(run(session, argument.trim()));
        } catch (error) {
          printer.failure(error);
        }
        server.displayPrompt();
      },
    });
  }
}

class ResultPrinter {
  line = 0;
  failures = 0;
  readonly #session: Session;
  readonly #output: ReplOutput;

  constructor(session: Session, output: ReplOutput) {
    this.#session = session;
    this.#output = output;
  }

  value(value: unknown): void {
    const { object } = this.#session;
    if (this.#output.json) this.#result(jsonValue(value, object), '');
    // Most lines that have no value are there for their effect.
    else if (value !== undefined) this.#result(null, inspectValue(value, { object, oneLine: true }));
  }

  answer({ json, text }: { json: ReturnType<typeof jsonValue>; text: string }): void {
    this.#result(json, text);
  }

  failure(error: unknown): void {
    this.failures++;
    this.#output.failure(error, { line: this.line });
  }

  #result(json: ReturnType<typeof jsonValue>, text: string): void {
    this.#output.result({ type: 'result', value: json }, text);
  }
}
