import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

const fixtures = join(import.meta.dirname, '../fixtures/loader');

export interface CompileOptions {
  /** @default 'bpfel' */
  readonly target?: 'bpfel' | 'bpfeb';
  /** Of the object. @default the source's, with `.bpf.o` */
  readonly name?: string;
  /** More options for clang. */
  readonly flags?: readonly string[];
}

/** Beside its source, where a guest without clang has it from the machine that it runs on. */
export function compiledFixture(fixture: string): string | undefined {
  const path = join(fixtures, `${fixture}.bpf.o`);
  return existsSync(path) ? path : undefined;
}

/** Why tests that compile must skip on this machine; false where they need not. */
export function whyNotCompile(): string | false {
  if (spawnSync('clang', ['--version']).status !== 0) return 'clang is not installed';
  return existsSync('/usr/include/bpf/bpf_helpers.h') ? false : "libbpf's headers are not installed";
}

/** Compiles BPF programs into a folder that `close()` removes. */
export class Compiler {
  readonly folder = mkdtempSync(join(tmpdir(), 'ts-xdp-objects-'));

  /** Compiles `test/fixtures/loader/<fixture>.bpf.c`, or finds it compiled. Returns the object's path. */
  fixture(fixture: string, options: CompileOptions = {}): string {
    const compiled = compiledFixture(fixture);
    if (compiled !== undefined) return compiled;
    return this.#compile(join(fixtures, `${fixture}.bpf.c`), options);
  }

  /** Compiles a text, which may include the fixtures' headers. Returns the object's path. */
  source(name: string, text: string, options: CompileOptions = {}): string {
    const path = join(this.folder, `${name}.bpf.c`);
    writeFileSync(path, text);
    return this.#compile(path, options);
  }

  close(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  #compile(source: string, options: CompileOptions): string {
    const { target = 'bpfel', name = basename(source).replace(/\.c$/, '.o'), flags = [] } = options;
    const output = join(this.folder, name);
    const machine = { x64: 'x86_64', arm64: 'aarch64' }[process.arch as string] ?? process.arch;
    const headers = ['-I', fixtures, '-idirafter', `/usr/include/${machine}-linux-gnu`];
    const common = ['-g', '-O2', '-mcpu=v2', '-Wall', '-Werror', `--target=${target}`];
    execFileSync('clang', [...common, ...headers, ...flags, '-c', source, '-o', output], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    return output;
  }
}
