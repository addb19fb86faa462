import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Apt, unpack } from './apt.ts';
import { cacheFolder } from './cache-folder.ts';
import { KERNELS } from './catalogue.ts';
import type { KernelName, KernelSource } from './catalogue.ts';
import { completeFolder } from './complete-folder.ts';
import { KernelRunFailure } from './failure.ts';

export interface KernelFiles {
  /** `6.12.117+deb13-cloud-amd64`. */
  readonly release: string;
  readonly image: string;
  /** `/lib/modules/RELEASE` of it. */
  readonly modules: string;
  /** How it was built, `/boot/config-RELEASE`. */
  readonly configuration: string;
}

/** Downloads the kernels that the cache lacks; their files, in the same order. */
export function fetchKernels(names: readonly KernelName[]): KernelFiles[] {
  const missing = KERNELS.filter(({ kernel }) => names.includes(kernel) && !existsSync(folderOf(kernel)));
  if (missing.length > 0) {
    const apt = new Apt('kernels', [...new Set(missing.map(({ suite }) => suite))]);
    apt.update();
    const available = apt.search('^linux-.*-cloud-amd64$');
    for (const source of missing) fetchKernel(source, { apt, available });
  }
  return names.map(filesOf);
}

function folderOf(kernel: string): string {
  return join(cacheFolder('kernels'), kernel);
}

function fetchKernel(source: KernelSource, { apt, available }: { apt: Apt; available: string[] }): void {
  completeFolder(folderOf(source.kernel), (unfinished) => {
    const packages = join(unfinished, 'packages');
    mkdirSync(packages);
    const names = source.packages.map((pattern) => newest(source, { pattern, available }));
    apt.download(names, packages);
    unpack(
      readdirSync(packages).map((file) => join(packages, file)),
      unfinished,
    );
  });
}

function newest(
  { kernel, suite }: KernelSource,
  { pattern, available }: { pattern: RegExp; available: readonly string[] },
): string {
  const byVersion = new Intl.Collator('en', { numeric: true });
  const found = available.filter((name) => pattern.test(name)).sort((a, b) => byVersion.compare(a, b));
  const last = found.at(-1);
  if (last === undefined) {
    throw new KernelRunFailure(
      `Cannot find Linux ${kernel}: the mirror's ${suite} has no package like ${pattern.source}`,
    );
  }
  return last;
}

function filesOf(kernel: KernelName): KernelFiles {
  const folder = folderOf(kernel);
  // Packages since trixie have /usr merged.
  const all = ['lib/modules', 'usr/lib/modules']
    .map((path) => join(folder, path))
    .find((path) => existsSync(path));
  const release = all === undefined ? undefined : readdirSync(all)[0];
  if (all === undefined || release === undefined) {
    throw new KernelRunFailure(
      `Cannot boot Linux ${kernel}: ${folder} has no modules; delete it and try again`,
    );
  }
  const find = (name: string): string => {
    const places = [`boot/${name}-${release}`, `usr/lib/modules/${release}/${name}`];
    const path = places.map((place) => join(folder, place)).find((place) => existsSync(place));
    if (path !== undefined) return path;
    throw new KernelRunFailure(
      `Cannot boot Linux ${kernel}: ${folder} has no ${name}; delete it and try again`,
    );
  };
  return {
    release,
    image: find('vmlinuz'),
    modules: join(all, release),
    configuration: find('config'),
  };
}
