/** Runs commands in this process, which starts faster than a process of their own: what they print, as JSON and as text. */
import type { CommandGroup } from '../../src/cli/command.ts';
import { jsonText } from '../../src/cli/output/json-text.ts';
import { Output } from '../../src/cli/output/output.ts';
import type { Document } from './bpftool.ts';

// Every output listens for the end of standard output, and here are many.
process.stdout.setMaxListeners(0);

/** Keeps what a command prints. */
export class CapturedOutput extends Output {
  readonly results: { document: Document; text: string }[] = [];
  readonly notes: string[] = [];

  override result(document: Parameters<Output['result']>[0], text: string): void {
    this.results.push({ document: JSON.parse(jsonText(document)) as Document, text });
  }

  override stream(line: { json: () => Parameters<Output['result']>[0]; text: () => string }): boolean {
    this.result(line.json(), line.text());
    return true;
  }

  override note(text: string): void {
    this.notes.push(text);
  }
}

export interface CommandResult {
  /** The last, which most commands print alone. */
  readonly document: Document;
  readonly text: string;
  readonly results: readonly { document: Document; text: string }[];
  readonly notes: readonly string[];
  readonly exitCode: number;
}

/** `words` are the action and what follows it, `options` what commander makes of options. Throws what the command throws. */
export async function runCommand(
  group: CommandGroup,
  words: readonly string[],
  options: Record<string, unknown> = {},
): Promise<CommandResult> {
  const [action = '', ...rest] = words;
  const command = group.commands.find(
    ({ name, aliases = [] }) => name === action || aliases.includes(action),
  );
  if (!command) throw new Error(`There is no ${group.name} ${action}`);
  const output = new CapturedOutput({ json: options['json'] !== false });
  const run = await command.load();
  const services = { runLine: () => Promise.reject(new Error('a batch needs the command line')) };
  const exitCode = await run(
    { arguments: argumentsOf(command.arguments ?? [], rest), options },
    output,
    services,
  );
  const last = output.results.at(-1) ?? { document: null, text: '' };
  return { ...last, results: output.results, notes: output.notes, exitCode };
}

/** As commander gives them: the last one may take all that is left. */
function argumentsOf(declared: readonly { name: string }[], words: readonly string[]): unknown[] {
  return declared.map(({ name }, index) => (name.includes('...') ? words.slice(index) : words[index]));
}
