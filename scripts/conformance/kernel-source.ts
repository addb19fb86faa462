import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Apt, completeFolder, unpack } from '../kernels/index.ts';
import { ConformanceFailure } from './failure.ts';
import { runCommand } from './run-command.ts';

/** Where Debian has the sources of kernels: the packages of stable releases, then of the next one. */
const SUITES = ['bookworm', 'trixie', 'sid'];
/** Of 90,000 files the selftests need these. */
const PARTS = ['tools', 'include/uapi'];

/** The tools/ of a kernel's source, from the cache or downloaded. */
export function fetchKernelSource(version: string, folder: string): string {
  return completeFolder(join(folder, 'source'), (source) => {
    mkdirSync(source, { recursive: true });
    const packages = mkdtempSync(join(folder, '.packages-'));
    try {
      const name = `linux-source-${version}`;
      const apt = new Apt('conformance-source', SUITES);
      apt.update();
      if (!apt.search(`^${name}$`).includes(name)) {
        throw new ConformanceFailure(
          `Cannot find ${name}: Debian's ${SUITES.join(', ')} have no such package`,
        );
      }
      apt.download([name], packages);
      unpack(
        readdirSync(packages).map((file) => join(packages, file)),
        packages,
      );
      const archive = join(packages, 'usr/src', `${name}.tar.xz`);
      const parts = PARTS.map((part) => `${name}/${part}`);
      runCommand(
        'tar',
        ['-C', source, '--strip-components=1', '-xf', archive, ...parts],
        `unpack ${archive}`,
      );
    } finally {
      rmSync(packages, { recursive: true });
    }
  });
}
