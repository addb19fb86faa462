import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { KernelName } from '../kernels/index.ts';
import { buildCorpus, listCorpus } from './corpus.ts';
import type { Corpus } from './corpus.ts';
import { dumpGuestTypes } from './guest-types.ts';
import { fetchKernelSource } from './kernel-source.ts';
import type { RunOptions } from './loader-run.ts';
import type { ConformanceOptions } from './options.ts';
import { buildReference, fetchLibbpf } from './reference.ts';
import { clangVersion, installTools } from './tools.ts';

/** Makes what a run takes, as far as the cache lacks it; `guest` is the kernel it is for, null this machine's. */
export async function prepareRun(options: ConformanceOptions, guest: KernelName | null): Promise<RunOptions> {
  const selftests = options.objects === undefined;
  installTools({ compiling: selftests });
  mkdirSync(options.cache, { recursive: true });
  const { program, version } = buildReference(options.cache);
  const facts = {
    libbpf: version,
    clang: selftests ? clangVersion() : 'unknown',
    kernelSource: selftests ? options.kernelSource : null,
  };
  const begunFolder = join(options.cache, 'begun', guest ?? 'here');
  return { corpus: await corpusFor(options, guest), reference: program, facts, begunFolder };
}

async function corpusFor(options: ConformanceOptions, guest: KernelName | null): Promise<Corpus> {
  if (options.objects !== undefined) return listCorpus(options.objects, options.only);
  const base = join(options.cache, options.kernelSource);
  mkdirSync(base, { recursive: true });
  const target = options.guestHeaders ? guest : null;
  const corpus = await buildCorpus({
    folder: target === null ? base : join(base, 'guests', target),
    kernelSource: fetchKernelSource(options.kernelSource, base),
    libbpf: fetchLibbpf(options.cache),
    dumpTypes: () => (target === null ? Promise.resolve(dumpTypes()) : dumpGuestTypes(target)),
    only: options.only,
  });
  for (const { source, reason } of corpus.uncompiled) {
    process.stderr.write(`${source} does not compile: ${reason}\n`);
  }
  return corpus;
}

/** By ts-xdp itself: that the selftests compile against it is part of the measure. */
function dumpTypes(): string {
  const args = ['dist/cli/main.js', 'btf', 'dump', 'kernel'];
  return execFileSync(process.execPath, args, { encoding: 'utf8', maxBuffer: 1 << 26 });
}
