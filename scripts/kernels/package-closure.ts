import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Locked {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

/** The folders `node_modules/…` that packages need to run, themselves among them, by the lock file. */
export function packageClosure(project: string, names: readonly string[]): string[] {
  const lock = JSON.parse(readFileSync(join(project, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, Locked>;
  };
  const found = new Set<string>();
  const add = (name: string, from: string): void => {
    const folder = resolveFolder(name, { from, packages: lock.packages });
    // Optional packages of other platforms are locked and not installed.
    if (folder === undefined || found.has(folder) || !existsSync(join(project, folder))) return;
    found.add(folder);
    const { dependencies, optionalDependencies, peerDependencies } = lock.packages[folder] ?? {};
    const needed = { ...dependencies, ...optionalDependencies, ...peerDependencies };
    for (const dependency of Object.keys(needed)) add(dependency, folder);
  };
  for (const name of names) add(name, '');
  return [...found];
}

/** Node's own search: in the importer's node_modules, then outwards. */
function resolveFolder(
  name: string,
  { from, packages }: { from: string; packages: Readonly<Record<string, Locked>> },
): string | undefined {
  for (let base = from; ; base = base.slice(0, Math.max(0, base.lastIndexOf('/node_modules/')))) {
    const folder = join(base, 'node_modules', name);
    if (Object.hasOwn(packages, folder)) return folder;
    if (base === '') return undefined;
  }
}
