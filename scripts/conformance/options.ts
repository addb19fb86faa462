import { homedir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { KERNELS, isKernelName } from '../kernels/index.ts';
import type { KernelName } from '../kernels/index.ts';
import { ConformanceFailure } from './failure.ts';

export interface ConformanceOptions {
  /** Version of Debian's package linux-source that the selftests are taken from. */
  readonly kernelSource: string;
  readonly cache: string;
  /** A folder of objects in place of the selftests. */
  readonly objects: string | undefined;
  readonly only: RegExp | undefined;
  /** A folder of kept answers, to compare again without asking. */
  readonly answers: string | undefined;
  /** Whether this is less than the whole corpus, of which no figures are published. */
  readonly partial: boolean;
  readonly json: boolean;
  /** Kernels to boot; this machine's own where there is none. */
  readonly guests: readonly KernelName[];
  /** Whether guests get objects compiled against their own kernel's types, not this machine's. */
  readonly guestHeaders: boolean;
  /** Whether guests are asked about objects that take an emulated processor minutes each. */
  readonly slow: boolean;
  readonly writeDocs: boolean;
}

export const USAGE = `usage: npm run conformance -- [options]

  --kernel-source VERSION  selftests of Debian's linux-source-VERSION (6.12)
  --cache DIR              where the corpus is kept (\${XDG_CACHE_HOME:-~/.cache}/ts-xdp-conformance)
  --objects DIR            objects of DIR, *.bpf.o, in place of the selftests
  --only REGEX             only objects whose whole name without .bpf.o fits
  --vm KERNEL              inside ${KERNELS.map(({ kernel }) => kernel).join(', ')} in QEMU; several times for several
  --guest-headers          with --vm: compiled against the types of that kernel
  --slow                   with --vm: also the objects that take an emulated processor minutes each
  --answers DIR            compare what an earlier run left in CACHE/VERSION/answers/… once more
  --write-docs             write docs/conformance.md from this run and earlier ones of whole corpora
  --json                   one document`;

export function readOptions(args: readonly string[]): ConformanceOptions {
  const values = parse(args);
  const { vm = [], only, objects, answers } = values;
  const unknown = vm.find((kernel) => !isKernelName(kernel));
  if (unknown !== undefined)
    throw new ConformanceFailure(`There is no kernel ${unknown} to boot\n\n${USAGE}`);
  const cacheHome = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  const partial = [only, objects, answers].some((value) => value !== undefined);
  if ((only ?? objects) !== undefined && values['write-docs'] === true)
    throw new ConformanceFailure('Cannot write the docs from a part: leave out --only and --objects');
  return {
    kernelSource: values['kernel-source'] ?? '6.12',
    cache: values.cache ?? join(cacheHome, 'ts-xdp-conformance'),
    objects,
    only: only === undefined ? undefined : new RegExp(`^(?:${only})$`),
    answers,
    partial,
    json: values.json ?? false,
    guests: vm.filter(isKernelName),
    guestHeaders: values['guest-headers'] ?? false,
    slow: values.slow ?? false,
    writeDocs: values['write-docs'] ?? false,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        'kernel-source': { type: 'string' },
        cache: { type: 'string' },
        objects: { type: 'string' },
        only: { type: 'string' },
        json: { type: 'boolean' },
        answers: { type: 'string' },
        vm: { type: 'string', multiple: true },
        'guest-headers': { type: 'boolean' },
        slow: { type: 'boolean' },
        'write-docs': { type: 'boolean' },
      },
    }).values;
  } catch (cause) {
    throw new ConformanceFailure(`${(cause as Error).message}\n\n${USAGE}`, { cause });
  }
}
