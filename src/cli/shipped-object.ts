import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Where the objects of this package are: beside `dist/`, and beside `src/`. */
const FOLDER = new URL('../../bpf/', import.meta.url);

/**
 * The path of an object. A bare name that is no file in the current folder may be one that comes with this package.
 */
export function resolveObject(name: string): { path: string; shipped: boolean } {
  if (name.includes('/') || existsSync(name)) return { path: name, shipped: false };
  const path = shippedObject(name);
  return existsSync(path) ? { path, shipped: true } : { path: name, shipped: false };
}

/** The path of an object that comes with this package, whatever is in the current folder. */
export function shippedObject(name: string): string {
  return fileURLToPath(new URL(encodeURIComponent(name), FOLDER));
}
