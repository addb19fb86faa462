import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type * as runLoad from './run-load.ts';

/**
 * `load` in one CommonJS file of its own, as scripts/join-modules.mjs makes it beside this module: it is the command that
 * people wait for, and Node needs a fifth less processor time up to "attached" for it than for a few dozen ES modules that
 * all commands share. Undefined for what tsc has written, where nothing is joined.
 */
export function joinedLoad(): typeof runLoad | undefined {
  const path = fileURLToPath(new URL('load.cjs', import.meta.url));
  if (!existsSync(path)) return undefined;
  return createRequire(import.meta.url)(path) as typeof runLoad;
}
