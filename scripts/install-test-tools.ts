/**
 * Makes sure that what the tests compare with is there: clang, libbpf's headers, iproute2, tcpdump, bpftool.
 *
 * Installs them with apt where this is root on Debian or Ubuntu; elsewhere it says what to install. It never fails:
 * a test that lacks a tool skips and says so.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

interface Tool {
  /** The Debian package. */
  readonly package: string;
  readonly isThere: () => boolean;
  readonly wantedFor: string;
}

const onPath = (command: string): boolean => spawnSync('sh', ['-c', `command -v ${command}`]).status === 0;

const TOOLS: readonly Tool[] = [
  { package: 'clang', isThere: () => onPath('clang'), wantedFor: 'compiling BPF objects' },
  { package: 'llvm', isThere: () => onPath('llvm-strip'), wantedFor: 'stripping and comparing objects' },
  {
    package: 'libbpf-dev',
    isThere: () => existsSync('/usr/include/bpf/bpf_helpers.h'),
    wantedFor: 'BPF headers, and libbpf to compare with',
  },
  {
    package: 'gcc',
    isThere: () => onPath('gcc'),
    wantedFor: 'the C side of comparisons',
  },
  {
    package: 'libc6-dev',
    isThere: () => existsSync('/usr/include/stdio.h'),
    wantedFor: 'the C side of comparisons',
  },
  {
    package: 'libelf-dev',
    isThere: () => existsSync('/usr/include/libelf.h'),
    wantedFor: 'libbpf in C',
  },
  { package: 'iproute2', isThere: () => onPath('ip') && onPath('tc'), wantedFor: 'network namespaces' },
  { package: 'tcpdump', isThere: () => onPath('tcpdump'), wantedFor: 'comparing captures' },
  { package: 'bpftool', isThere: () => onPath('bpftool'), wantedFor: 'comparing what is in the kernel' },
  { package: 'xdp-tools', isThere: () => onPath('xdp-loader'), wantedFor: 'comparing XDP dispatchers' },
  { package: 'util-linux', isThere: () => onPath('setpriv'), wantedFor: 'running with fewer capabilities' },
];

function isDebian(): boolean {
  if (!existsSync('/etc/os-release')) return false;
  return /^ID(_LIKE)?=.*(debian|ubuntu)/m.test(readFileSync('/etc/os-release', 'utf8'));
}

function aptGet(...args: string[]): boolean {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  return spawnSync('apt-get', ['-qq', ...args], { env, stdio: ['ignore', 'ignore', 'inherit'] }).status === 0;
}

function install(packages: readonly string[]): void {
  if (process.getuid?.() !== 0 || !isDebian()) return;
  console.log(`installing ${packages.join(' ')}`);
  if (!aptGet('update')) console.log('apt-get update failed; trying with the lists that are there');
  // One by one: a package that this release does not have must not keep the others away.
  if (!aptGet('install', '-y', '--no-install-recommends', ...packages)) {
    for (const name of packages) aptGet('install', '-y', '--no-install-recommends', name);
  }
}

const missing = TOOLS.filter((tool) => !tool.isThere());
if (missing.length > 0) install(missing.map((tool) => tool.package));
for (const tool of TOOLS.filter((candidate) => !candidate.isThere())) {
  console.log(
    `missing: ${tool.package} (${tool.wantedFor}); tests that need it are skipped. Install it and run again.`,
  );
}
