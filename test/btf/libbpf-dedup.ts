import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Btf } from '../../src/btf/index.ts';
import { inProject } from '../helpers/project-root.ts';

const source = inProject('test/fixtures/btf/libbpf-dedup.c');

/** libbpf's `btf__add_btf` and `btf__dedup`, in a process of its own. */
export class LibbpfDedup {
  readonly #folder = mkdtempSync(join(tmpdir(), 'ts-xdp-dedup-'));
  readonly #program = join(this.#folder, 'libbpf-dedup');
  /** Why it cannot be used here; false where it can. */
  readonly missing: string | false;
  /** `1.1`; known after the first use. */
  version = '';

  constructor() {
    const built = spawnSync('gcc', ['-O2', '-o', this.#program, source, '-lbpf', '-lelf', '-lz']);
    this.missing = built.status === 0 ? false : 'gcc or libbpf is not installed';
  }

  dedup(parts: readonly Btf[], { base }: { base?: Btf | undefined } = {}): Btf {
    const files = parts.map(({ bytes }, index) => this.#write(`part${index}`, bytes));
    const output = join(this.#folder, 'output');
    const args = [output, base ? this.#write('base', base.bytes) : '-', ...files];
    this.version = execFileSync(this.#program, args, { encoding: 'utf8' }).trim();
    return Btf.parse(readFileSync(output), { base });
  }

  close(): void {
    rmSync(this.#folder, { recursive: true });
  }

  #write(name: string, bytes: Uint8Array): string {
    const path = join(this.#folder, name);
    writeFileSync(path, bytes);
    return path;
  }
}
