import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Test } from 'tap';
import { isGuest, runClang, whyNoClang } from './clang.ts';
import { inProject } from './project-root.ts';
import { skipFile } from './skip-file.ts';

const fixtures = inProject('test/fixtures');
/** Newer ones first; Debian's bear their version. */
const CLANGS = ['clang-22', 'clang-21', 'clang-20', 'clang-19', 'clang'];

export interface CompileOptions {
  /** @default 'bpfel' */
  readonly target?: 'bpfel' | 'bpfeb';
  /** Of the object. @default the source's, with `.bpf.o` */
  readonly name?: string;
  /** More options for clang. */
  readonly flags?: readonly string[];
}

/** Why tests that compile must skip on this machine; false where they need not. */
export function whyNotCompile(): string | false {
  if (isGuest) return false;
  const missing = whyNoClang();
  if (missing !== false) return missing;
  return existsSync('/usr/include/bpf/bpf_helpers.h') ? false : "libbpf's headers are not installed";
}

/** The first clang of at least that version; undefined where there is none. */
export function findClang(version: number): string | undefined {
  return CLANGS.find((command) => {
    const { stdout } = spawnSync(command, ['--version'], { encoding: 'utf8' });
    return Number(/version (\d+)/.exec(stdout)?.[1] ?? 0) >= version;
  });
}

export interface CompilerOptions {
  /** Folder of `test/fixtures`. @default 'loader' */
  readonly fixtures?: string;
  /** @default 'clang' */
  readonly clang?: string | undefined;
  /** More options for every object. */
  readonly flags?: readonly string[];
}

/** Compiles BPF programs into a folder that `close()` removes. */
export class Compiler {
  readonly folder = mkdtempSync(join(tmpdir(), 'ts-xdp-objects-'));
  readonly #folder: string;
  readonly #clang: string;
  readonly #flags: readonly string[];

  constructor(options: CompilerOptions = {}) {
    this.#folder = options.fixtures ?? 'loader';
    this.#clang = options.clang ?? 'clang';
    this.#flags = options.flags ?? [];
  }

  /** Compiles `<fixture>.bpf.c`. Returns the object's path. */
  fixture(fixture: string, options: CompileOptions = {}): string {
    return this.#compile(join(fixtures, this.#folder, `${fixture}.bpf.c`), options);
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

  #compile(source: string, compileOptions: CompileOptions): string {
    const { target = 'bpfel', name = basename(source).replace(/\.c$/, '.o'), flags = [] } = compileOptions;
    const output = join(this.folder, name);
    const machine = { x64: 'x86_64', arm64: 'aarch64' }[process.arch as string] ?? process.arch;
    const own = ['-I', join(fixtures, this.#folder), '-I', join(fixtures, 'loader')];
    const folders = [...own, '-idirafter', `/usr/include/${machine}-linux-gnu`];
    const common = ['-g', '-O2', '-mcpu=v2', '-Wall', '-Werror', `--target=${target}`];
    const options = [...common, ...this.#flags, ...flags];
    runClang(source, { output, options, folders, clang: this.#clang });
    return output;
  }
}

/** A compiler for all of a test file, which is skipped where it, or root, is missing. `what` is what needs root. */
export function compilerForRoot(t: Test, what: string): Compiler {
  skipFile(t, process.getuid?.() === 0 ? whyNotCompile() : `${what} need root`);
  const compiler = new Compiler();
  t.teardown(() => {
    compiler.close();
  });
  return compiler;
}
