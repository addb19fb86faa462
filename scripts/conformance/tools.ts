import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { ConformanceFailure } from './failure.ts';
import { runCommand } from './run-command.ts';

interface Tool {
  /** The Debian package. */
  readonly package: string;
  /** A command, or the path of a file. */
  readonly needs: string;
}

/** The kernel's own choice: the selftests of one release are written for the clang of its time. */
export const CLANG = 'clang-19';

const COMPILING: readonly Tool[] = [
  { package: CLANG, needs: CLANG },
  { package: 'linux-libc-dev', needs: '/usr/include/linux/bpf.h' },
  { package: 'xz-utils', needs: 'xz' },
];
const REFERENCE: readonly Tool[] = [
  { package: 'gcc', needs: 'gcc' },
  { package: 'libc6-dev', needs: '/usr/include/stdio.h' },
  { package: 'libelf-dev', needs: '/usr/include/libelf.h' },
  { package: 'zlib1g-dev', needs: '/usr/include/zlib.h' },
];

const isThere = ({ needs }: Tool): boolean =>
  needs.startsWith('/') ? existsSync(needs) : spawnSync('sh', ['-c', `command -v ${needs}`]).status === 0;

/** `Debian clang version 19.1.7`. */
export function clangVersion(): string {
  const text = runCommand(CLANG, ['--version'], `ask ${CLANG} for its version`);
  return /^.*clang version [\d.]+/.exec(text)?.[0] ?? CLANG;
}

/** Installs with apt where this is root; elsewhere throws, saying what to install. */
export function installTools({ compiling }: { compiling: boolean }): void {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new ConformanceFailure(
      'Cannot compare with libbpf: its package is for x86-64, and this machine is not',
    );
  }
  const tools = [...REFERENCE, ...(compiling ? COMPILING : [])];
  const lacking = (): string[] => tools.filter((tool) => !isThere(tool)).map((tool) => tool.package);
  const missing = lacking();
  if (missing.length === 0) return;
  if (process.getuid?.() === 0) {
    process.stderr.write(`installing ${missing.join(' ')}\n`);
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    for (const args of [['update'], ['install', '-y', '--no-install-recommends', ...missing]]) {
      spawnSync('apt-get', ['-qq', ...args], { env, stdio: ['ignore', 'ignore', 'inherit'] });
    }
  }
  const left = lacking();
  if (left.length > 0) throw new ConformanceFailure(`Cannot compare with libbpf: install ${left.join(' ')}`);
}
