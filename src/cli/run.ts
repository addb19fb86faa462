import { runCommandLine } from './command-line.ts';
import { commandsFor } from './commands.ts';

/** Runs one command line and returns its exit code. Nothing it throws gets out. */
export function run(given: readonly string[]): Promise<number> {
  return runCommandLine(given, commandsFor);
}
