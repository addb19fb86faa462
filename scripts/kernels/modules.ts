import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';

export interface KernelModule {
  readonly name: string;
  readonly contents: Uint8Array;
}

/**
 * Modules and those they depend on, in the order to load them. A name without a file is built in: the packages of
 * newer kernels have no list of those.
 */
export function modulesToLoad(folder: string, names: readonly string[]): KernelModule[] {
  const files = moduleFiles(folder);
  const loaded = new Map<string, KernelModule>();
  const load = (name: string): void => {
    const file = files.get(name);
    if (file === undefined || loaded.has(name)) return;
    const contents = readModule(file);
    for (const dependency of dependenciesOf(contents)) load(dependency);
    loaded.set(name, { name, contents });
  };
  for (const name of names) load(name);
  return [...loaded.values()];
}

/** By the name that the kernel knows: files may have dashes in place of underscores. */
function moduleFiles(folder: string): Map<string, string> {
  const files = new Map<string, string>();
  for (const path of readdirSync(join(folder, 'kernel'), { recursive: true, encoding: 'utf8' })) {
    const name = /^(.+)\.ko(?:\.xz)?$/.exec(basename(path))?.[1];
    if (name !== undefined) files.set(name.replaceAll('-', '_'), join(folder, 'kernel', path));
  }
  return files;
}

function readModule(file: string): Uint8Array {
  if (!file.endsWith('.xz')) return readFileSync(file);
  return execFileSync('xz', ['--decompress', '--stdout', file], { maxBuffer: 1 << 28 });
}

/** From the section .modinfo, which is strings `key=value` that end in NUL; depmod reads the same. */
function dependenciesOf(contents: Uint8Array): string[] {
  const list = /\0depends=([^\0]*)\0/.exec(
    Buffer.from(contents.buffer, contents.byteOffset, contents.length).toString('latin1'),
  );
  return (list?.[1] ?? '')
    .split(',')
    .filter((name) => name !== '')
    .map((name) => name.replaceAll('-', '_'));
}
