import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isStale } from './stale.ts';

const OLDER_GLIBC = 'bench/load/older-glibc.c';

export interface CompiledPeer {
  /** The program, where it could be made. */
  readonly path?: string;
  /** Otherwise why there is none. */
  readonly missing?: string;
}

/**
 * Compiles a C program of a benchmark with `gcc -O2` against libbpf: the installed one, or the static one that lies below
 * `prefix`. A source that does not compile throws.
 */
export function compileWithLibbpf(
  root: string,
  source: string,
  { prefix }: { prefix?: string } = {},
): CompiledPeer {
  if (spawnSync('gcc', ['--version']).error) return { missing: 'there is no gcc' };
  const headers = ['bpf/libbpf.h', 'libelf.h', 'zlib.h'];
  const lacking = headers.filter((name) => !existsSync(`/usr/include/${name}`));
  if (lacking.length > 0) {
    return {
      missing: `there is no ${lacking.join(', ')}; on Debian: apt install libbpf-dev libelf-dev zlib1g-dev`,
    };
  }
  const path = join(root, 'build', source.replace(/\.c$/, ''));
  const inputs = [source, 'bpf/include', ...(prefix === undefined ? [] : [OLDER_GLIBC])];
  if (
    !isStale(
      path,
      inputs.map((input) => join(root, input)),
    )
  )
    return { path };
  mkdirSync(dirname(path), { recursive: true });
  const library = prefix === undefined ? ['-lbpf'] : staticLibrary(prefix);
  const headersOf = prefix === undefined ? [] : ['-I', join(prefix, 'include')];
  const common = ['-O2', '-Wall', ...headersOf, '-I', 'bpf/include'];
  const args = [...common, source, '-o', path, ...library, '-lelf', '-lz', '-ldl'];
  const { status, error, stderr } = spawnSync('gcc', args, { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Error(`Cannot compile ${source}: ${error?.message ?? stderr}`);
  return { path };
}

/** Debian keeps libraries in a folder for each architecture. */
function staticLibrary(prefix: string): string[] {
  const machine = { x64: 'x86_64', arm64: 'aarch64' }[process.arch as string] ?? process.arch;
  return [OLDER_GLIBC, join(prefix, `lib/${machine}-linux-gnu/libbpf.a`)];
}
