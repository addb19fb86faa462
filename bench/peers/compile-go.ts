import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { CompiledPeer } from '../compile-c.ts';
import { isStale } from '../stale.ts';
import { peerFolder } from './packages.ts';

/** Builds a Go program of a benchmark with the cilium/ebpf that `npm run bench -- peers` fetched. One that does not build throws. */
export function compileWithCilium(root: string, source: string): CompiledPeer {
  const folder = peerFolder('cilium');
  const library = join(folder, 'usr/share/gocode');
  const compiler = join(folder, 'usr/lib/go-1.27');
  if (!existsSync(library) || !existsSync(compiler))
    return { missing: 'cilium/ebpf is not in the cache; `npm run bench -- peers` fetches it' };
  const path = join(root, 'build', source);
  if (!isStale(path, [join(root, source)])) return { path };
  mkdirSync(dirname(path), { recursive: true });
  const env = {
    PATH: process.env['PATH'],
    GOROOT: compiler,
    GOPATH: library,
    GOCACHE: join(folder, 'build'),
    // The library comes as Debian's package, without the module cache that Go looks for otherwise.
    GO111MODULE: 'off',
    GOTOOLCHAIN: 'local',
    CGO_ENABLED: '0',
  };
  const { status, error, stderr } = spawnSync(join(compiler, 'bin/go'), ['build', '-o', path, '.'], {
    cwd: join(root, source),
    env,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`Cannot build ${source}: ${error?.message ?? stderr}`);
  return { path };
}
