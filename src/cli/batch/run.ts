import { readFileSync } from 'node:fs';
import { FileError } from '../../errors.ts';
import type { RunLine } from '../command.ts';
import { ExitCode, exitCodeOf, UsageError } from '../exit-code.ts';
import { errorDocument, errorText, type Json } from '../output/error-report.ts';
import { Output } from '../output/output.ts';

/** What a batch gathers of a command instead of printing it. */
class LineOutput extends Output {
  #documents: Json[] = [];
  readonly #output: Output;

  constructor(output: Output) {
    super({ json: output.json });
    this.#output = output;
  }

  /** What was printed since the last time: one document as it is, none or several as a list. */
  take(): Json {
    const documents = this.#documents;
    this.#documents = [];
    const [only] = documents;
    return documents.length === 1 && only !== undefined ? only : documents;
  }

  override result(document: Json, text: string): void {
    if (this.json) this.#documents.push(document);
    else this.#output.result(document, text);
  }

  override stream(line: { json: () => Json; text: () => string }): boolean {
    if (!this.json) return this.#output.stream(line);
    this.#documents.push(line.json());
    return true;
  }
}

/**
 * Runs the command lines of a file, or of standard input for `-`, one after the other, until one fails. With `--json` one
 * array says what each printed, as bpftool does; the last is then the error.
 */
export async function runBatch(
  path: string,
  { runLine, output }: { runLine: RunLine; output: Output },
): Promise<number> {
  const results: Json[] = [];
  const own = new LineOutput(output);
  let exitCode: number = ExitCode.Done;
  for (const { words, number } of commandLines(read(path))) {
    try {
      if (words[0] === 'batch') throw new UsageError('batch does not run another batch');
      await runLine(words, async (declaration, input, services) => {
        const command = await declaration.load();
        exitCode = await command(input, own, services);
      });
      results.push({ command: words, output: own.take() });
    } catch (error) {
      exitCode = exitCodeOf(error);
      results.push({ command: words, output: errorDocument(error) });
      const place = `line ${number} of ${path === '-' ? 'standard input' : path}`;
      output.note(`${errorText(error, { verbose: false })}batch: stopped at ${place}: ${words.join(' ')}`);
    }
    if (exitCode !== ExitCode.Done) break;
  }
  if (output.json) output.result(results, '');
  await output.flush();
  return exitCode;
}

function read(path: string): string {
  try {
    return readFileSync(path === '-' ? 0 : path, 'utf8');
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
    const missing = code === 'ENOENT';
    throw new FileError(
      missing ? 'FILE_NOT_FOUND' : 'FILE_UNREADABLE',
      path,
      `Cannot open ${path}: ${missing ? 'no such file' : code}`,
      { cause },
    );
  }
}

/**
 * The lines that are commands, cut into words at spaces; quotes keep words together, a `#` begins a comment and a `\` at the
 * end goes on in the next line.
 */
export function commandLines(text: string): { words: string[]; number: number }[] {
  const lines: { words: string[]; number: number }[] = [];
  let pending = '';
  let first = 0;
  for (const [index, line] of text.split('\n').entries()) {
    if (pending === '') first = index + 1;
    if (line.endsWith('\\')) {
      pending += `${line.slice(0, -1)} `;
      continue;
    }
    const words = wordsOf(pending + line, first);
    pending = '';
    if (words[0] === 'ts-xdp' || words[0] === 'bpftool') words.shift();
    if (words.length > 0) lines.push({ words, number: first });
  }
  return lines;
}

function wordsOf(line: string, number: number): string[] {
  const words: string[] = [];
  const pattern = /\s*(?:#.*$|((?:"[^"]*"|'[^']*'|[^\s"'])+))/gy;
  for (const end = line.trimEnd().length; pattern.lastIndex < end;) {
    const match = pattern.exec(line);
    if (!match) throw new UsageError(`line ${number} of the batch has a quote that does not end`);
    const [, word] = match;
    if (word === undefined) break;
    words.push(word.replace(/"([^"]*)"|'([^']*)'/g, '$1$2'));
  }
  return words;
}
