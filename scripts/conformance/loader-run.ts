import { release } from 'node:os';
import { join } from 'node:path';
import type { KernelName } from '../kernels/index.ts';
import type { Corpus } from './corpus.ts';
import { askInGuest } from './guest.ts';
import { askLoader } from './loaders/ask.ts';
import type { Answer } from './loaders/ask.ts';
import { isSlow } from './slow-objects.ts';

/** What both loaders answered on one kernel, as they said it. */
export interface LoaderRun {
  readonly facts: RunFacts;
  readonly libbpf: readonly Answer[];
  readonly ours: readonly Answer[];
}

export interface RunFacts {
  /** `uname -r`. */
  readonly release: string;
  /** Which kernel was booted for it; null for that of this machine. */
  readonly guest: KernelName | null;
  /** Versions. */
  readonly libbpf: string;
  readonly clang: string;
  /** Of Debian's package linux-source; null where the objects come from elsewhere. */
  readonly kernelSource: string | null;
  /** File names. */
  readonly objects: readonly string[];
  /** Of the corpus, but not asked about: they would take an emulated processor too long. */
  readonly notAsked?: readonly string[];
  readonly uncompiled: Corpus['uncompiled'];
}

export interface RunOptions {
  readonly corpus: Corpus;
  /** The program that asks libbpf. */
  readonly reference: string;
  readonly facts: Pick<RunFacts, 'libbpf' | 'clang' | 'kernelSource'>;
  /** For answers of a guest's run that is not finished. */
  readonly begunFolder: string;
}

/** Objects for one process: few enough that a crash costs little, many enough that starting Node does not count. */
const BATCH_SIZE = 25;
/** The largest programs take 10 s to verify on an idle machine, and are verified twice. */
const PATIENCE_SECONDS = 300;
const OUR_COMMAND = ['dist/cli/main.js', 'verify', '--json'];
const PROGRESS_EVERY = 50;

/** On the kernel of this machine. */
export async function runHere({ corpus, reference, facts }: RunOptions): Promise<LoaderRun> {
  const libbpf = await askHere('libbpf', { command: [reference], corpus });
  const ours = await askHere('ts-xdp', { command: [process.execPath, ...OUR_COMMAND], corpus });
  return { facts: { ...facts, ...partsOf(corpus), release: release(), guest: null }, libbpf, ours };
}

/** On a kernel of its own in QEMU; about slow objects only where `slow` is true. */
export async function runInGuest(
  guest: KernelName,
  { corpus, reference, facts, begunFolder, slow }: RunOptions & { readonly slow: boolean },
): Promise<LoaderRun> {
  const { folder: objectsFolder } = corpus;
  const notAsked = slow ? [] : corpus.objects.filter(isSlow);
  const objects = corpus.objects.filter((object) => !notAsked.includes(object));
  const answers = await askInGuest({ kernel: guest, objectsFolder, objects, reference, begunFolder });
  const { release: kernel, libbpf, ours } = answers;
  const parts = { ...partsOf({ ...corpus, objects }), notAsked };
  return { facts: { ...facts, ...parts, release: kernel, guest }, libbpf, ours };
}

const partsOf = ({ objects, uncompiled }: Corpus): Pick<RunFacts, 'objects' | 'uncompiled'> => ({
  objects,
  uncompiled,
});

async function askHere(
  name: string,
  { command, corpus }: { command: readonly string[]; corpus: Corpus },
): Promise<Answer[]> {
  const answers: Answer[] = [];
  const total = corpus.objects.length;
  await askLoader({
    command,
    objects: corpus.objects.map((object) => join(corpus.folder, object)),
    batchSize: BATCH_SIZE,
    patienceSeconds: PATIENCE_SECONDS,
    onAnswer: (answer) => {
      answers.push(answer);
      if (answers.length % PROGRESS_EVERY === 0 || answers.length === total) {
        process.stderr.write(`${name}: ${String(answers.length)} of ${String(total)} objects\n`);
      }
    },
  });
  return answers;
}
