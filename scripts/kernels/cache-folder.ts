import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** `$XDG_CACHE_HOME/ts-xdp-kernels/…`, made where it is missing. What is in it may be deleted at any time. */
export function cacheFolder(...parts: readonly string[]): string {
  const root = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  const folder = join(root, 'ts-xdp-kernels', ...parts);
  mkdirSync(folder, { recursive: true });
  return folder;
}
