import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface CompiledPeer {
  /** The program, where it could be made. */
  readonly path?: string;
  /** Otherwise why there is none. */
  readonly missing?: string;
}

/** Compiles a C program of a benchmark with `gcc -O2` against libbpf. A source that does not compile throws. */
export function compileWithLibbpf(root: string, source: string): CompiledPeer {
  if (spawnSync('gcc', ['--version']).error) return { missing: 'there is no gcc' };
  const headers = ['bpf/libbpf.h', 'libelf.h', 'zlib.h'];
  const lacking = headers.filter((name) => !existsSync(`/usr/include/${name}`));
  if (lacking.length > 0) {
    return {
      missing: `there is no ${lacking.join(', ')}; on Debian: apt install libbpf-dev libelf-dev zlib1g-dev`,
    };
  }
  const path = join(root, 'build', source.replace(/\.c$/, ''));
  mkdirSync(dirname(path), { recursive: true });
  const args = ['-O2', '-Wall', '-I', 'bpf/include', source, '-o', path, '-lbpf', '-lelf', '-lz'];
  const { status, error, stderr } = spawnSync('gcc', args, { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Error(`Cannot compile ${source}: ${error?.message ?? stderr}`);
  return { path };
}
