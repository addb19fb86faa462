/**
 * Compiles every bpf/*.bpf.c and examples/bpf/*.bpf.c to a *.bpf.o beside it, and beside each object writes what it was made of and by which compiler
 * (*.bpf.o.json): clang leaves its version in DWARF alone, which is stripped.
 *
 *     npm run build:bpf                  compiles all; CLANG and LLVM_STRIP name other tools than clang and llvm-strip
 *     npm run build:bpf -- --if-stale    only those whose sources or flags have changed
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * v2 because its code verifies with two thirds of the instructions that v3's needs on Linux 5.10, whose verifier knows
 * less about 32-bit registers, and runs as fast. The compilation directory and paths relative to it keep the
 * machine's own paths out of the object.
 */
export const BPF_FLAGS: readonly string[] = [
  '-g',
  '-O2',
  '--target=bpfel',
  '-mcpu=v2',
  '-std=gnu11',
  '-Wall',
  '-Wextra',
  '-Werror',
  '-fdebug-compilation-dir=.',
  '-I',
  'bpf/include',
];

/** Arguments that BPF_PROG() names and a program does not use are no mistake. */
const EXAMPLE_FLAGS: readonly string[] = [...BPF_FLAGS, '-Wno-unused-parameter'];

const FOLDERS: readonly { readonly path: string; readonly flags: readonly string[] }[] = [
  { path: 'bpf', flags: BPF_FLAGS },
  { path: 'examples/bpf', flags: EXAMPLE_FLAGS },
];

/** The content of `NAME.bpf.o.json`. */
export interface BuildRecord {
  compiler: string;
  flags: readonly string[];
  /** Of the source and every header under bpf/include, names included. */
  sourceSha256: string;
}

export interface BuildOptions {
  /**
   * The folder with bpf/ in it.
   * @default process.cwd()
   */
  root?: string;
  /**
   * Leave alone what was built from the same sources with the same flags, by whichever compiler.
   * @default false
   */
  ifStale?: boolean;
}

const CLANG = process.env['CLANG'] ?? 'clang';
const LLVM_STRIP = process.env['LLVM_STRIP'] ?? 'llvm-strip';

/** The first line of `clang --version`: `Debian clang version 14.0.6`. Throws where there is no clang. */
export function compilerVersion(): string {
  return execFileSync(CLANG, ['--version'], { encoding: 'utf8' }).split('\n', 1)[0] ?? '';
}

/** clang searches the distribution's folder of <asm/types.h> for its own target only, which is not BPF. */
function systemIncludes(): string[] {
  const machine = { x64: 'x86_64', arm64: 'aarch64' }[process.arch as string] ?? process.arch;
  const folder = `/usr/include/${machine}-linux-gnu`;
  return existsSync(folder) ? ['-idirafter', folder] : [];
}

/** Compiles one source, given relative to `root`. What clang has to say goes to stderr; an error of it throws. */
export function compileBpf(
  source: string,
  options: { output: string; root: string; flags?: readonly string[] },
): void {
  const { output, root, flags = BPF_FLAGS } = options;
  execFileSync(CLANG, [...flags, ...systemIncludes(), '-c', source, '-o', output], {
    cwd: root,
    stdio: 'inherit',
  });
  // DWARF only: BTF stays, and is what loaders and debuggers of BPF read.
  execFileSync(LLVM_STRIP, ['-g', output], { cwd: root, stdio: 'inherit' });
}

/** Identifies what `source` is compiled from: itself and all headers, by name and content. */
export function hashSources(source: string, root: string): string {
  const headers = readdirSync(join(root, 'bpf/include'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.h'))
    .map((name) => join('bpf/include', name));
  const hash = createHash('sha256');
  for (const name of [source, ...headers.sort()])
    hash.update(`${name}\0`).update(readFileSync(join(root, name)));
  return hash.digest('hex');
}

function isFresh(objectPath: string, record: BuildRecord): boolean {
  if (!existsSync(objectPath) || !existsSync(`${objectPath}.json`)) return false;
  const built = JSON.parse(readFileSync(`${objectPath}.json`, 'utf8')) as BuildRecord;
  return built.sourceSha256 === record.sourceSha256 && built.flags.join(' ') === record.flags.join(' ');
}

/** Compiles every `*.bpf.c` of the folders that have some; the objects it wrote, relative to `root`. */
export function buildBpf(options: BuildOptions = {}): string[] {
  const { root = process.cwd(), ifStale = false } = options;
  const sources = FOLDERS.filter(({ path }) => existsSync(join(root, path))).flatMap(({ path, flags }) =>
    readdirSync(join(root, path))
      .filter((name) => name.endsWith('.bpf.c'))
      .sort()
      .map((name) => ({ source: `${path}/${name}`, flags })),
  );
  const written: string[] = [];
  for (const { source, flags } of sources) {
    const output = source.replace(/c$/, 'o');
    const inputs = { flags, sourceSha256: hashSources(source, root) };
    if (ifStale && isFresh(join(root, output), { compiler: '', ...inputs })) continue;
    compileBpf(source, { output, root, flags });
    const record: BuildRecord = { compiler: compilerVersion(), ...inputs };
    writeFileSync(join(root, `${output}.json`), `${JSON.stringify(record, null, 2)}\n`);
    written.push(output);
  }
  return written;
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const written = buildBpf({ ifStale: process.argv.includes('--if-stale') });
  for (const output of written) console.log(`built ${output}`);
}
