import { spawnSync } from 'node:child_process';
import { KernelRunFailure } from './failure.ts';

/** Beside what is unpacked into the cache, the packages that making images takes. */
const TOOLS = [
  { command: 'mke2fs', package: 'e2fsprogs' },
  { command: 'debugfs', package: 'e2fsprogs' },
  { command: 'xz', package: 'xz-utils' },
  { command: 'setpriv', package: 'util-linux' },
  { command: 'ip', package: 'iproute2' },
] as const;

const isThere = (command: string): boolean => spawnSync('sh', ['-c', `command -v ${command}`]).status === 0;

/** Installs with apt where this is root; elsewhere throws, saying what to install. */
export function installKernelTools(): void {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new KernelRunFailure('Cannot boot kernels: their packages are for x86-64, and this machine is not');
  }
  const lacking = (): string[] => [
    ...new Set(TOOLS.filter(({ command }) => !isThere(command)).map((tool) => tool.package)),
  ];
  const missing = lacking();
  if (missing.length === 0) return;
  if (process.getuid?.() === 0 && isThere('apt-get')) {
    console.log(`installing ${missing.join(' ')}`);
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    for (const args of [['update'], ['install', '-y', '--no-install-recommends', ...missing]]) {
      spawnSync('apt-get', ['-qq', ...args], { env, stdio: ['ignore', 'ignore', 'inherit'] });
    }
  }
  const left = lacking();
  if (left.length > 0) throw new KernelRunFailure(`Cannot boot kernels: install ${left.join(' ')}`);
}
