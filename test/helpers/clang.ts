/**
 * clang, or what it made elsewhere: a guest with another kernel has no compiler. A machine that has one keeps what tests
 * compile where `TS_XDP_KEEP_COMPILED` says, and the guest finds it where `TS_XDP_COMPILED` does.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const { TS_XDP_COMPILED: compiled, TS_XDP_KEEP_COMPILED: keep } = process.env;

/** Whether everything that is compiled was so before, elsewhere. */
export const isGuest = compiled !== undefined;

/** Why tests that compile must skip on this machine; false where they need not. */
export function whyNoClang(): string | false {
  if (isGuest) return false;
  return spawnSync('clang', ['--version']).status === 0 ? false : 'clang is not installed';
}

/** Compiles one source. `options` are those that make a difference, `folders` are where headers are looked for. */
export function runClang(
  source: string,
  facts: {
    readonly output: string;
    readonly options: readonly string[];
    readonly folders?: readonly string[];
    /** @default 'clang' */
    readonly clang?: string;
    /** An executable, and not an object. @default false */
    readonly linked?: boolean;
  },
): void {
  const { output, options, folders = [], clang = 'clang', linked = false } = facts;
  const key = createHash('sha256')
    .update(JSON.stringify([clang, options]))
    .update(readFileSync(source))
    .digest('hex');
  if (compiled !== undefined) {
    const path = join(compiled, key);
    if (!existsSync(path))
      throw new Error(`Cannot compile ${source}: it was not compiled before, for this guest`);
    copyFileSync(path, output);
    return;
  }
  execFileSync(clang, [...options, ...folders, ...(linked ? [] : ['-c']), source, '-o', output], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (keep === undefined) return;
  mkdirSync(keep, { recursive: true });
  copyFileSync(output, join(keep, key));
}
