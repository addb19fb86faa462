import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

/**
 * Where the lines typed at the prompt are kept, by the XDG base directory specification; undefined where
 * `NODE_REPL_HISTORY` is empty, which switches history off in Node's own REPL too.
 */
export function historyPath(environment: NodeJS.ProcessEnv): string | undefined {
  if (environment['NODE_REPL_HISTORY']?.trim() === '') return undefined;
  const state = environment['XDG_STATE_HOME'];
  // The specification has relative paths ignored.
  const folder = state?.startsWith('/') === true ? state : join(homedir(), '.local/state');
  return join(folder, 'ts-xdp', 'repl_history');
}

/** Makes the folder of the history, for its owner alone. Throws what the file system says. */
export function makeHistoryFolder(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
}
