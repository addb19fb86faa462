import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Apt, completeFolder, unpack } from '../kernels/index.ts';
import { runCommand } from './run-command.ts';

export interface Reference {
  readonly program: string;
  /** `1.7`. */
  readonly version: string;
}

const SOURCE = 'scripts/conformance/libbpf-reference.c';
const LIBRARY = 'usr/lib/x86_64-linux-gnu/libbpf.a';
/** It has libbpf 1.7; releases are years behind. */
const SUITE = 'sid';

/** libbpf's headers and static library, from the cache or downloaded and unpacked; never installed. */
export function fetchLibbpf(cache: string): string {
  return completeFolder(join(cache, 'libbpf'), (folder) => {
    mkdirSync(folder, { recursive: true });
    const packages = mkdtempSync(join(cache, '.packages-'));
    const apt = new Apt('conformance-libbpf', [SUITE]);
    apt.update();
    apt.download([`libbpf-dev/${SUITE}`], packages);
    unpack(
      readdirSync(packages).map((file) => join(packages, file)),
      folder,
    );
    rmSync(packages, { recursive: true });
  });
}

/** Compiles libbpf's side of the comparison, where that is not done yet. */
export function buildReference(cache: string): Reference {
  const libbpf = fetchLibbpf(cache);
  const program = join(cache, 'libbpf-reference');
  if (!existsSync(program) || statSync(program).mtimeMs < statSync(SOURCE).mtimeMs) {
    const unfinished = `${program}.unfinished`;
    const args = ['-O2', '-Wall', '-I', join(libbpf, 'usr/include'), SOURCE, join(libbpf, LIBRARY)];
    runCommand('gcc', [...args, '-lelf', '-lz', '-o', unfinished], `compile ${SOURCE}`);
    renameSync(unfinished, program);
  }
  const version = runCommand(program, ['--version'], 'ask libbpf for its version').trim();
  return { program, version: version.replace(/^v/, '') };
}
