import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const folder = join(
  process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'),
  'ts-xdp-conformance/6.12/objects',
);

/** The compiled BPF programs of the kernel's selftests; none where they were not built on this machine. */
export function conformanceObjects(): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith('.o'))
    .sort()
    .map((name) => join(folder, name));
}

/** Why tests over them must skip; false where they need not. */
export function whyNoConformanceObjects(): string | false {
  return conformanceObjects().length > 0 ? false : 'the objects of the kernel’s selftests are not built';
}
