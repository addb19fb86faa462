import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inProject } from '../helpers/project-root.ts';

/** An object that clang has made of a fixture, with its sections as llvm-objcopy takes them out. */
export interface CompiledObject {
  readonly path: string;
  section(name: string): Uint8Array;
  remove(): void;
}

const fixtures = inProject('test/fixtures/btf');

/** Compiles `test/fixtures/btf/<name>`. */
export function compileFixture(name: string, options: { target?: string } = {}): CompiledObject {
  const folder = mkdtempSync(join(tmpdir(), 'ts-xdp-btf-'));
  const path = join(folder, name.replace(/\.c$/, '.o'));
  const target = options.target ?? 'bpfel';
  execFileSync('clang', ['-g', '-O2', `--target=${target}`, '-c', '-o', path, name], { cwd: fixtures });
  return {
    path,
    section(section) {
      const copy = join(folder, 'section');
      execFileSync('llvm-objcopy', ['--dump-section', `${section}=${copy}`, path, '/dev/null']);
      return readFileSync(copy);
    },
    remove: () => {
      rmSync(folder, { recursive: true });
    },
  };
}
