import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { compileBpf } from '../scripts/build-bpf.ts';
import { isStale } from './stale.ts';

const HEADERS = ['bpf/include', 'bench/numbered-event.h'];

/** Compiles a BPF source of the benchmarks, unless what is there is newer, and returns the object's path. */
export function buildBpf(root: string, source: string): string {
  const output = join(root, 'build', source.replace(/\.c$/, '.o'));
  const inputs = [source, ...HEADERS].map((input) => join(root, input));
  if (!isStale(output, inputs)) return output;
  mkdirSync(dirname(output), { recursive: true });
  compileBpf(source, { output, root });
  return output;
}
