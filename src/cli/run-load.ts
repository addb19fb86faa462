import { runCommandLine } from './command-line.ts';
import { loadCommand } from './commands/load.ts';

/** The same as run.ts for a command line that begins with `load`, and reaches no other command: see joined-load.ts. */
export function run(given: readonly string[]): Promise<number> {
  return runCommandLine(given, () => Promise.resolve([loadCommand]));
}
