import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The checkout, for tests that run as they are and for compiled ones, which lie deeper. */
export const projectRoot = findRoot(import.meta.dirname);

/** A file or folder of the checkout: `inProject('test/fixtures/core')`. */
export function inProject(path: string): string {
  return join(projectRoot, path);
}

function findRoot(folder: string): string {
  if (existsSync(join(folder, 'package.json'))) return folder;
  if (dirname(folder) === folder) throw new Error('the tests lie outside of the project');
  return findRoot(dirname(folder));
}
