import { spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { CompiledPeer } from '../compile-c.ts';
import { isStale } from '../stale.ts';
import { peerFolder } from './packages.ts';

/** What the crates in Debian's unstable ask for: 1.MINOR. */
const OLDEST_MINOR = 85;

/**
 * Builds a Rust program of a benchmark with the machine's own Rust and the aya that `npm run bench -- peers` fetched. One that
 * does not build throws.
 */
export function compileWithAya(root: string, source: string): CompiledPeer {
  const folder = peerFolder('aya');
  const crates = join(folder, 'usr/share/cargo/registry');
  if (!existsSync(crates)) return { missing: 'aya is not in the cache; `npm run bench -- peers` fetches it' };
  const missing = whyNoRust();
  if (missing !== undefined) return { missing };
  const path = join(root, 'build', source);
  if (!isStale(path, [join(root, source)])) return { path };
  // Cargo writes its lock beside the manifest, and what it locks are the versions of the day.
  const workspace = join(root, 'build', `${source}-workspace`);
  mkdirSync(workspace, { recursive: true });
  cpSync(join(root, source), workspace, { recursive: true });
  const target = join(folder, 'build');
  const settings = [
    'source.crates-io.replace-with="debian"',
    `source.debian.directory=${JSON.stringify(crates)}`,
  ];
  const args = [...settings.flatMap((setting) => ['--config', setting]), 'build', '--release', '--offline'];
  const { status, error, stderr } = spawnSync('cargo', args, {
    cwd: workspace,
    env: { ...process.env, CARGO_TARGET_DIR: target },
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`Cannot build ${source}: ${error?.message ?? stderr}`);
  copyFileSync(join(target, 'release', basename(source)), path);
  return { path };
}

function whyNoRust(): string | undefined {
  const { error, stdout } = spawnSync('rustc', ['--version'], { encoding: 'utf8' });
  const hint = `aya wants 1.${String(OLDEST_MINOR)} or later; on Debian 12: apt install cargo-web`;
  if (error ?? spawnSync('cargo', ['--version']).error) return `there is no Rust with its cargo; ${hint}`;
  const minor = /^rustc 1\.(\d+)/.exec(stdout)?.[1];
  if (minor !== undefined && Number(minor) < OLDEST_MINOR) return `Rust is 1.${minor}; ${hint}`;
  return undefined;
}
