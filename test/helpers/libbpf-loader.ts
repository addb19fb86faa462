/** Programs in C that use libbpf: somebody else's word on what loading an object does. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { inProject } from './project-root.ts';

export class LibbpfLoader {
  readonly #program: string;

  private constructor(program: string) {
    this.#program = program;
  }

  /** Compiles test/fixtures/libbpf/`name`.c, or says why that cannot be done here. */
  static build(name: string, folder: string): LibbpfLoader | string {
    if (spawnSync('gcc', ['--version']).status !== 0) return 'gcc is not installed';
    if (!existsSync('/usr/include/bpf/libbpf.h')) return "libbpf's headers are not installed";
    const program = join(folder, name);
    const source = inProject(`test/fixtures/libbpf/${name}.c`);
    execFileSync('gcc', ['-Wall', '-Werror', '-o', program, source, '-lbpf']);
    return new LibbpfLoader(program);
  }

  /** What it prints: names and numbers. */
  run(args: readonly string[]): Map<string, number> {
    const text = execFileSync(this.#program, args, { encoding: 'utf8' });
    return new Map(
      text
        .trim()
        .split('\n')
        .map((line) => [line.split(' ')[0] ?? '', Number(line.split(' ')[1])]),
    );
  }
}
