/** BPF objects that a test compiles from test/fixtures. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runClang, whyNoClang } from './clang.ts';
import { inProject } from './project-root.ts';

const fixtures = inProject('test/fixtures');
const include = inProject('bpf/include');
/** Where Debian keeps <asm/types.h>, which the BPF target does not look at. */
const multiarch = `/usr/include/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`;

export const noClang = whyNoClang();

export interface CompileOptions {
  /** `{ TAG: 'x' }` becomes `-DTAG=x`. */
  readonly defines?: Readonly<Record<string, string>>;
  /** @default 'bpfel' */
  readonly target?: 'bpfel' | 'bpfeb';
  /** Of the object, without `.bpf.o`. @default that of the source */
  readonly name?: string;
}

/** A folder of objects, removed by `close()`. */
export class ObjectFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'ts-xdp-objects-'));

  /** Compiles test/fixtures/`source`.bpf.c and returns the object's path. */
  compile(source: string, options: CompileOptions = {}): string {
    const { defines = {}, target = 'bpfel', name = source } = options;
    const output = join(this.path, `${name}.bpf.o`);
    runClang(join(fixtures, `${source}.bpf.c`), {
      output,
      options: [
        ...['-O2', '-g', '-Wall', '-Werror', `--target=${target}`, '-mcpu=v2'],
        ...Object.entries(defines).map(([macro, value]) => `-D${macro}=${value}`),
      ],
      folders: ['-I', include, '-idirafter', multiarch],
    });
    return output;
  }

  /** Compiles test/fixtures/`source`, which includes nothing, and returns the object's path. */
  compileFile(source: string): string {
    const output = join(this.path, `${source.replaceAll('/', '-')}.o`);
    runClang(join(fixtures, source), { output, options: ['-O2', '-g', '--target=bpfel'] });
    return output;
  }

  close(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

let objects = 0;

/** The start of a name that no other test gives to its programs and maps: 15 characters are all that the kernel keeps. */
export function uniqueTag(): string {
  return `t${process.pid.toString(36)}${(objects++).toString(36)}`;
}
