import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { requireCompiled } from './compile-cache.ts';
import type * as runLoad from './run-load.ts';

/** `load` without the other commands. */
export interface JoinedLoad extends Pick<typeof runLoad, 'run'> {
  /** Keeps what was compiled for the next run. */
  keep(): void;
}

/**
 * `load` in one CommonJS file of its own, as scripts/join-modules.mjs makes it beside this module: it is the command that
 * people wait for, and Node needs a fifth less processor time up to "attached" for it than for a few dozen ES modules that
 * all commands share. Undefined for what tsc has written, where nothing is joined.
 */
export function joinedLoad(): JoinedLoad | undefined {
  const path = fileURLToPath(new URL('load.cjs', import.meta.url));
  if (!existsSync(path)) return undefined;
  const { exports, keep } = requireCompiled(path);
  return { run: (exports as typeof runLoad).run, keep };
}
