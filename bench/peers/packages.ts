import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { Apt, completeFolder, unpack } from '../../scripts/kernels/index.ts';

/** It has releases of this year; Debian's own are years behind. */
const SUITE = 'sid';

/** What aya wants without its features; its package wants 278, for those features, their tests and Debian's tools. */
const CRATES = [
  ...[
    'ahash',
    'allocator-api2',
    'assert-matches',
    'aya',
    'aya-obj',
    'bitflags',
    'bytes',
    'cfg-if',
    'core-error',
  ],
  ...[
    'crc32fast',
    'equivalent',
    'foldhash',
    'hashbrown',
    'hashbrown-0.14',
    'indexmap',
    'libc',
    'log',
    'memchr',
  ],
  ...[
    'object',
    'once-cell',
    'proc-macro2',
    'quote',
    'syn-2',
    'thiserror-1',
    'thiserror-impl-1',
    'unicode-ident',
  ],
  ...['version-check', 'zerocopy'],
  // Never compiled, but cargo wants to know of them.
  ...['syn', 'zerocopy-derive'],
];

const PACKAGES = {
  cilium: ['golang-1.27-go', 'golang-1.27-src', 'golang-github-cilium-ebpf-dev', 'golang-golang-x-sys-dev'],
  aya: CRATES.map((name) => `librust-${name}-dev`),
} as const;

/** Somebody to compare with that comes from packages, which are unpacked in the cache and never installed. */
export type PackagedPeer = keyof typeof PACKAGES;

/** Where a peer's packages are, or would be. */
export function peerFolder(peer: PackagedPeer): string {
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  return join(cache, 'ts-xdp-bench', peer);
}

/** Downloads what is not there yet: 50 MB for cilium/ebpf and its Go, 3 MB for aya. @throws KernelRunFailure where there is no mirror */
export function fetchPeers(): void {
  for (const peer of Object.keys(PACKAGES) as PackagedPeer[]) {
    completeFolder(peerFolder(peer), (folder) => {
      const packages = mkdtempSync(`${folder}-packages-`);
      mkdirSync(folder, { recursive: true });
      const apt = new Apt('bench', [SUITE]);
      apt.update();
      apt.download(
        PACKAGES[peer].map((name) => `${name}/${SUITE}`),
        packages,
      );
      unpack(
        readdirSync(packages).map((file) => join(packages, file)),
        folder,
      );
      rmSync(packages, { recursive: true });
    });
  }
}
