import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type * as commander from 'commander';
import type {
  CommandDeclaration,
  CommandEntry,
  CommandGroup,
  CommandInput,
  OptionDeclaration,
  RunLine,
} from './command.ts';
import { withoutHabits } from './bpftool-habits.ts';
import { ExitCode, exitCodeOf, UsageError } from './exit-code.ts';
import { errorDocument, errorText } from './output/error-report.ts';
import { Output } from './output/output.ts';

type Command = commander.Command;
type Option = commander.Option;

// By require: importing a CommonJS package scans its source for exports first, 3 ms before every command.
const { Command, CommanderError, InvalidArgumentError, Option } = createRequire(import.meta.url)(
  'commander',
) as typeof commander;

/** The commands that a command line may mean: one, or all of them for help and suggestions. */
export type CommandsFor = (argv: readonly string[]) => Promise<readonly CommandEntry[]>;

/** Runs one command line and returns its exit code. Nothing it throws gets out. */
export async function runCommandLine(given: readonly string[], commandsFor: CommandsFor): Promise<number> {
  const runLine = lineRunner(commandsFor);
  const argv = withoutHabits(given);
  const json = wantsJson(argv);
  const verbose = argv.includes('--verbose') || argv.includes('-v');
  let output: Output | undefined;
  let object: string | undefined;
  let exitCode: number = ExitCode.Done;
  const program = makeProgram(argv, {
    commands: await commandsFor(argv),
    execute: async (declaration, input) => {
      output = new Output({ json, silent: declaration.silent?.(input) ?? false });
      object = declaration.object?.(input);
      const command = await declaration.load();
      exitCode = await command(input, output, { runLine });
    },
  });
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    output ??= new Output({ json });
    exitCode = report(error, { output, verbose, object });
  }
  return finish(output ?? new Output({ json }), exitCode);
}

function wantsJson(argv: readonly string[]): boolean {
  return argv.includes('--json') || argv.includes('-j');
}

function lineRunner(commandsFor: CommandsFor): RunLine {
  return async function runLine(words, execute) {
    try {
      const argv = withoutHabits(words);
      const program = makeProgram(argv, {
        commands: await commandsFor(argv),
        execute: (declaration, input) => execute(declaration, input, { runLine }),
      });
      await program.parseAsync(argv, { from: 'user' });
    } catch (error) {
      if (!(error instanceof CommanderError)) throw error;
      if (error.exitCode !== 0) throw new UsageError(error.message.replace(/^error: /, ''));
    }
  };
}

/** Waits for standard output; a command whose results cannot be written has failed. */
async function finish(output: Output, exitCode: number): Promise<number> {
  const delivered = await output.flush();
  if (output.failure) process.stderr.write(errorText(output.failure, { verbose: false }));
  const failed = !delivered || output.failure !== undefined;
  return exitCode === ExitCode.Done && failed ? ExitCode.Failed : exitCode;
}

function report(
  error: unknown,
  { output, verbose, object }: { output: Output; verbose: boolean; object: string | undefined },
): number {
  if (error instanceof CommanderError) {
    // Help and version come as errors with exit code 0; everything else is a command line that does not parse.
    if (error.exitCode === 0) return ExitCode.Done;
    if (output.json) {
      const message = error.message.replace(/^error: /, '');
      output.result(errorDocument(new UsageError(message)), '');
    }
    return ExitCode.Usage;
  }
  if (error === output.failure) return ExitCode.Failed;
  // Where standard output carries something else, or nothing any more, JSON has no place there.
  if (output.json && !output.silent && !output.closed) output.result(errorDocument(error, { object }), '');
  else process.stderr.write(errorText(error, { verbose, object }));
  return exitCodeOf(error);
}

type Execute = (declaration: CommandDeclaration, input: CommandInput) => Promise<void>;

function makeProgram(
  argv: readonly string[],
  { commands, execute }: { commands: readonly CommandEntry[]; execute: Execute },
): Command {
  const program = new Command('ts-xdp')
    .description('Load, attach and stream eBPF programs: raw bpf(2), mmap and netlink, no libbpf.')
    .version(readVersion())
    .exitOverride()
    .showHelpAfterError('(--help shows what there is)');
  for (const entry of commands) {
    program.addCommand('commands' in entry ? makeGroup(entry, execute) : makeCommand(entry, execute));
  }
  if (wantsJson(argv)) silence(program);
  return program;
}

/** What commander says of a line that does not parse is in the JSON document. */
function silence(command: Command): void {
  command.configureOutput({ outputError: () => undefined }).showHelpAfterError(false);
  for (const inside of command.commands) silence(inside);
}

function makeGroup({ name, summary, commands }: CommandGroup, execute: Execute): Command {
  const group = new Command(name)
    .description(summary)
    .exitOverride()
    .showHelpAfterError('(--help shows what there is)');
  for (const declaration of commands) group.addCommand(makeCommand(declaration, execute));
  return group;
}

function makeCommand(declaration: CommandDeclaration, execute: Execute): Command {
  const command = new Command(declaration.name)
    .description(declaration.summary)
    .aliases(declaration.aliases ?? [])
    .exitOverride();
  for (const { name, description } of declaration.arguments ?? []) command.argument(name, description);
  // Not by commander's default, which the help would show as `[]`.
  const lists: Record<string, unknown[]> = {};
  for (const given of declaration.options ?? []) {
    const option = makeOption(given);
    command.addOption(option);
    if (given.repeatable === true) lists[option.attributeName()] = [];
  }
  command.option('-j, --json', 'print JSON: one document, or one object per line where the command streams');
  // A command may say itself what more it prints.
  if (!command.options.some(({ long }) => long === '--verbose'))
    command.option('--verbose', 'print the whole verifier log, and stacks of internal errors');
  if (declaration.examples)
    command.addHelpText(
      'after',
      `\nExamples:\n${declaration.examples.map((line) => `  ${line}\n`).join('')}`,
    );
  command.action(async (...args: unknown[]) => {
    const given = args.slice(0, declaration.arguments?.length ?? 0);
    await execute(declaration, { arguments: given, options: { ...lists, ...command.opts() } });
  });
  return command;
}

function makeOption(declaration: OptionDeclaration): Option {
  const option = new Option(declaration.flags, declaration.description);
  const { parse, repeatable, choices } = declaration;
  if (choices) option.choices(choices);
  if (declaration.default !== undefined) option.default(declaration.default, declaration.defaultText);
  if (parse || repeatable === true) {
    option.argParser((text: string, before: unknown) => {
      const value = parse ? parseOrRefuse(parse, text) : text;
      return repeatable === true ? [...((before as unknown[] | undefined) ?? []), value] : value;
    });
  }
  if (option.required) refuseOptions(option);
  return option;
}

/** commander takes whatever follows for the value of an option, another option too: `--target --json`. */
function refuseOptions(option: Option): void {
  const { parseArg } = option;
  option.argParser((text: string, before: unknown) => {
    if (text.startsWith('--'))
      throw new InvalidArgumentError('A value is wanted, and this is another option');
    return parseArg ? parseArg.call(option, text, before) : text;
  });
}

function parseOrRefuse(parse: (text: string) => unknown, text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof UsageError) throw new InvalidArgumentError(error.message);
    throw error;
  }
}

function readVersion(): string {
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return manifest.version;
}
