import type { Output } from './output/output.ts';

/** One option of a command, as data: help, parsing and defaults come from it. */
export interface OptionDeclaration {
  /** As commander writes it: `--iface <name>`. */
  readonly flags: string;
  readonly description: string;
  /** May be given several times; its value is an array. */
  readonly repeatable?: boolean;
  readonly choices?: readonly string[];
  /** Turns the text into a value. @throws UsageError */
  readonly parse?: (text: string) => unknown;
  readonly default?: unknown;
  /** The default as the help shows it. @default as JSON */
  readonly defaultText?: string;
}

export interface ArgumentDeclaration {
  /** `<object>` is required, `[object]` optional, `[files...]` a list. */
  readonly name: string;
  readonly description: string;
}

/** What the command line said, before the command gives it its types. */
export interface CommandInput {
  readonly arguments: readonly unknown[];
  readonly options: Readonly<Record<string, unknown>>;
}

/** A command as data. What it does is imported when it is chosen, so that the others cost nothing. */
export interface CommandDeclaration {
  readonly name: string;
  /** Other names for the same: `list` for `show`. */
  readonly aliases?: readonly string[];
  readonly summary: string;
  readonly arguments?: readonly ArgumentDeclaration[];
  readonly options?: readonly OptionDeclaration[];
  readonly examples?: readonly string[];
  /** Standard output is not for lines: it carries a binary stream, or belongs to a prompt. */
  readonly silent?: (input: CommandInput) => boolean;
  /** The object file that it works on, which errors about its contents are told with. */
  readonly object?: (input: CommandInput) => string | undefined;
  readonly load: () => Promise<RunCommand>;
}

/** Commands about one thing under its name: `ts-xdp prog show`, `ts-xdp prog dump`. */
export interface CommandGroup {
  readonly name: string;
  readonly summary: string;
  readonly commands: readonly CommandDeclaration[];
}

/** What the help lists: a command, or those about one thing. */
export type CommandEntry = CommandDeclaration | CommandGroup;

/** What a command does. Returns the exit code. */
export type RunCommand = (input: CommandInput, output: Output, services: CommandServices) => Promise<number>;

/** What few commands need of the command line itself. */
export interface CommandServices {
  readonly runLine: RunLine;
}

/** Parses words as those after `ts-xdp` and gives what they mean to `execute`. @throws UsageError, what `execute` throws */
export type RunLine = (
  words: readonly string[],
  execute: (declaration: CommandDeclaration, input: CommandInput, services: CommandServices) => Promise<void>,
) => Promise<void>;
