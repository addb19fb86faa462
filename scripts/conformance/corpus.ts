import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { mapLimited } from '../kernels/index.ts';
import { ConformanceFailure } from './failure.ts';
import { CLANG } from './tools.ts';

export interface Corpus {
  readonly folder: string;
  /** File names, sorted. */
  readonly objects: readonly string[];
  /** Sources that do not compile, with the compiler's first complaint. */
  readonly uncompiled: readonly { readonly source: string; readonly reason: string }[];
}

export interface CorpusOptions {
  /** Gets `include/vmlinux.h` and `objects/`. */
  readonly folder: string;
  readonly kernelSource: string;
  /** Unpacked libbpf-dev, whose headers the programs include. */
  readonly libbpf: string;
  /** Gives vmlinux.h: the types of the kernel that the objects are for. */
  readonly dumpTypes: () => Promise<string>;
  readonly only: RegExp | undefined;
}

const SUFFIX = '.bpf.o';
const COMPILER_TIMEOUT = 300_000;
const SYSTEM_HEADERS = ['/usr/include/x86_64-linux-gnu', '/usr/include'];

/** Objects of a folder that somebody else made. */
export function listCorpus(folder: string, only: RegExp | undefined): Corpus {
  if (!existsSync(folder)) throw new ConformanceFailure(`Cannot read ${folder}: it does not exist`);
  const names = readdirSync(folder).filter((name) => name.endsWith(SUFFIX));
  const objects = names.filter((name) => isWanted(name.slice(0, -SUFFIX.length), only)).sort();
  if (objects.length === 0) throw new ConformanceFailure(`Cannot compare: ${folder} has no such object`);
  return { folder, objects, uncompiled: [] };
}

/** Compiles the selftests' BPF programs as the kernel's Makefile does, those that the cache lacks. */
export async function buildCorpus(options: CorpusOptions): Promise<Corpus> {
  const { folder, kernelSource, only, dumpTypes } = options;
  const objects = join(folder, 'objects');
  const header = join(folder, 'include/vmlinux.h');
  for (const path of [objects, join(folder, 'include')]) mkdirSync(path, { recursive: true });
  if (!existsSync(header)) {
    const types = await dumpTypes();
    writeFileSync(`${header}.unfinished`, types);
    renameSync(`${header}.unfinished`, header);
  }
  const programs = join(kernelSource, 'tools/testing/selftests/bpf/progs');
  const names = readdirSync(programs)
    .filter((file) => file.endsWith('.c'))
    .map((file) => file.slice(0, -2))
    .filter((name) => isWanted(name, only) && !existsSync(join(objects, name + SUFFIX)));
  if (names.length > 0) process.stderr.write(`compiling ${String(names.length)} programs\n`);
  const failures = await mapLimited(names, {
    limit: availableParallelism(),
    action: async (name) => {
      const reason = await compile(options, { source: join(programs, `${name}.c`), name });
      return reason === undefined ? [] : [{ source: `${name}.c`, reason }];
    },
  });
  return { ...listCorpus(objects, only), uncompiled: failures.flat() };
}

function isWanted(name: string, only: RegExp | undefined): boolean {
  return !name.startsWith('.') && (only?.test(name) ?? true);
}

/** Returns why it does not compile. */
async function compile(
  { folder, kernelSource, libbpf }: CorpusOptions,
  { source, name }: { source: string; name: string },
): Promise<string | undefined> {
  const selftests = join(kernelSource, 'tools/testing/selftests/bpf');
  const includes = [
    ...[join(folder, 'include'), join(libbpf, 'usr/include'), selftests, join(selftests, 'progs')],
    ...[join(kernelSource, 'tools/include/uapi'), join(kernelSource, 'tools/include')],
  ].map((path) => `-I${path}`);
  const unfinished = join(folder, 'objects', `.${name}.unfinished`);
  const args = [
    ...['-g', '-O2', '--target=bpfel', '-mcpu=v3', '-std=gnu11', '-fno-strict-aliasing', '-Wno-everything'],
    ...['-D__TARGET_ARCH_x86', '-DENABLE_ATOMICS_TESTS', ...includes],
    ...SYSTEM_HEADERS.flatMap((path) => ['-idirafter', path]),
    ...['-c', source, '-o', unfinished],
  ];
  try {
    await promisify(execFile)(CLANG, args, { timeout: COMPILER_TIMEOUT, maxBuffer: 1 << 26 });
    renameSync(unfinished, join(folder, 'objects', name + SUFFIX));
    return undefined;
  } catch (error) {
    rmSync(unfinished, { force: true });
    return firstComplaint(error as Error & { stderr?: string; killed?: boolean });
  }
}

function firstComplaint({
  message,
  stderr = '',
  killed = false,
}: Error & { stderr?: string; killed?: boolean }): string {
  if (killed) return `${CLANG} took more than ${String(COMPILER_TIMEOUT / 1000)} s`;
  return /(?:fatal )?error: (.+)/.exec(stderr)?.[1] ?? message;
}
