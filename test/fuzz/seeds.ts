/** What mutants are made of: our own objects, those of test/fixtures where clang is there, and a folder of others. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { Btf } from '../../src/btf/index.ts';
import { readContainer, type ElfSection } from '../../src/elf/index.ts';
import { elfAnatomyOf } from './elf-anatomy.ts';

/** The kernel's own test programs, compiled, where the conformance run has left them. */
export const CORPUS = join(homedir(), '.cache/ts-xdp-conformance/6.12/objects');
/** Larger ones would take most of the time for little that is new. */
const LARGEST = 24 * 1024;
const SHIPPED = 'bpf/sniffer.bpf.o';

const FIXTURES = [
  ...['loader/globals', 'loader/calls', 'loader/maps', 'loader/events', 'core/local', 'core/kernel'],
  ...[
    'loader/dispatched',
    'gen/types',
    'externs/settings',
    'externs/symbols',
    'externs/legacy',
    'externs/iproute2',
    'externs/hidden',
  ],
  'typed-events',
];

export interface SeedFiles {
  readonly own: readonly string[];
  readonly corpus: readonly string[];
  /** Programs and libraries, with probes and versions of symbols where clang is there. */
  readonly executables: readonly string[];
  readonly coreTarget: string | undefined;
}

/** Compiles the fixtures into a folder, unless they are there already. */
export function collectSeeds(
  root: string,
  { folder, corpus = CORPUS }: { folder: string; corpus?: string },
): SeedFiles {
  mkdirSync(folder, { recursive: true });
  const own = [stripped(join(root, SHIPPED), folder)];
  let executables = ['/bin/true'];
  let coreTarget: string | undefined;
  if (spawnSync('clang', ['--version']).status === 0) {
    for (const fixture of FIXTURES) own.push(compile(root, { source: `${fixture}.bpf.c`, folder }));
    for (const fixture of ['loader/globals', 'loader/maps'])
      own.push(compile(root, { source: `${fixture}.bpf.c`, folder, target: 'bpfeb' }));
    executables = link(root, folder);
    coreTarget = compile(root, { source: 'core/target.c', folder });
  }
  return { own, corpus: existsSync(corpus) ? smallObjects(corpus) : [], executables, coreTarget };
}

/** A program and a library; one without the symbols for the debugger. */
function link(root: string, folder: string): string[] {
  const fixtures = join(root, 'test/fixtures/link');
  const versions = `-Wl,--version-script,${join(fixtures, 'versions.map')}`;
  const outputs: [name: string, source: string, options: string[]][] = [
    ['traced', 'traced.c', []],
    ['traced-stripped', 'traced.c', ['-s']],
    ['versions.so', 'versions.c', ['-shared', '-fPIC', '-nostdlib', versions]],
  ];
  return outputs.map(([name, source, options]) => {
    const output = join(folder, name);
    if (!existsSync(output)) execFileSync('clang', ['-O1', ...options, join(fixtures, source), '-o', output]);
    return output;
  });
}

/** DWARF is not read, and is most of an object. */
function stripped(path: string, folder: string): string {
  const output = join(folder, basename(path));
  return spawnSync('llvm-strip', ['-g', path, '-o', output]).status === 0 ? output : path;
}

function compile(
  root: string,
  { source, folder, target = 'bpfel' }: { source: string; folder: string; target?: string },
): string {
  const fixtures = join(root, 'test/fixtures');
  const output = join(folder, `${target}-${source.replaceAll('/', '-')}.o`);
  if (existsSync(output)) return output;
  const machine = { x64: 'x86_64', arm64: 'aarch64' }[process.arch as string] ?? process.arch;
  const headers = ['-I', join(fixtures, 'loader'), '-I', join(root, 'bpf/include')];
  const system = ['-idirafter', `/usr/include/${machine}-linux-gnu`];
  const common = ['-g', '-O2', '-mcpu=v2', `--target=${target}`, '-w', '-DTAG=x'];
  execFileSync('clang', [...common, ...headers, ...system, '-c', join(fixtures, source), '-o', output]);
  spawnSync('llvm-strip', ['-g', output]);
  return output;
}

/** Those that our reader takes: a mutant of what is refused anyway finds nothing. */
function smallObjects(folder: string): string[] {
  return readdirSync(folder)
    .sort()
    .filter((name) => name.endsWith('.o'))
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).size <= LARGEST && isElf(path));
}

function isElf(path: string): boolean {
  const bytes = readFileSync(path);
  return bytes.readUInt16BE(18) === 0xf700 && elfAnatomyOf(bytes).sections.length > 0;
}

/** The seeds as the targets take them, each read when it is first wanted. */
export class Seeds {
  readonly own: readonly string[];
  readonly objects: readonly string[];
  readonly executables: readonly string[];
  readonly #contents = new Map<string, Uint8Array>();
  readonly #coreTarget: string | undefined;
  #btfs: Uint8Array[] | undefined;
  #exts: { btf: Uint8Array; ext: Uint8Array }[] | undefined;
  #target: Btf | undefined;

  constructor(files: SeedFiles) {
    this.own = files.own;
    this.objects = [...files.own, ...files.corpus];
    this.executables = files.executables;
    this.#coreTarget = files.coreTarget;
  }

  read(path: string): Uint8Array {
    const contents = this.#contents.get(path) ?? new Uint8Array(readFileSync(path));
    this.#contents.set(path, contents);
    return contents;
  }

  /** What CO-RE relocations are resolved against besides the object's own types. */
  get coreTarget(): Btf | undefined {
    if (this.#coreTarget === undefined) return undefined;
    this.#target ??= Btf.parse(sectionOf(this.read(this.#coreTarget), '.BTF')?.data ?? new Uint8Array());
    return this.#target;
  }

  /** BTF of objects, at most of forty. */
  get btfs(): readonly Uint8Array[] {
    this.#btfs ??= this.#some().flatMap((path) => {
      const section = sectionOf(this.read(path), '.BTF');
      return section ? [section.data] : [];
    });
    return this.#btfs;
  }

  get exts(): readonly { btf: Uint8Array; ext: Uint8Array }[] {
    this.#exts ??= this.#some().flatMap((path) => {
      const [btf, ext] = ['.BTF', '.BTF.ext'].map((name) => sectionOf(this.read(path), name)?.data);
      return btf && ext ? [{ btf, ext }] : [];
    });
    return this.#exts;
  }

  #some(): string[] {
    const step = Math.max(1, Math.floor(this.objects.length / 40));
    return this.objects.filter((_, index) => index < this.own.length || index % step === 0);
  }
}

function sectionOf(bytes: Uint8Array, name: string): ElfSection | undefined {
  return readContainer(bytes).sections.find((section) => section.name === name && section.size > 0);
}
