import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  KernelRunFailure,
  PROJECT,
  buildDiskImage,
  buildProjectImage,
  fetchKernels,
  removeFolder,
  runInKernel,
  temporaryFolder,
} from '../kernels/index.ts';
import type { KernelName } from '../kernels/index.ts';
import { BegunRun } from './begun-run.ts';
import { ConformanceFailure } from './failure.ts';
import { GuestLedger } from './guest-ledger.ts';
import type { LoaderName, Remainder } from './guest-ledger.ts';
import type { Answer } from './loaders/ask.ts';
import type { GuestPlan } from './loaders/main.ts';

/** With BTF and kernel functions of their own that selftests call; what a kernel has built in is there anyway. */
const MODULES = ['nf_conntrack', 'nf_nat', 'nf_flow_table', 'nf_defrag_ipv6', 'fou', 'xfrm_interface'];
/** The verifier keeps hundreds of megabytes for the largest programs. */
const MEMORY_MEBIBYTES = 2048;
const BATCH_SIZE = 40;
/** On an emulated processor the largest programs take minutes, and are verified twice. */
const PATIENCE_SECONDS = 1500;
const BOOT_TIMEOUT_SECONDS = 4 * 3600;
/** How many guests one run may lose to objects that end them. */
const LOST_GUESTS = 10;
/** What a guest answers is lost with this machine's side of it until it ends; so it is not asked about everything. */
const OBJECTS_PER_GUEST = 100;

/** Paths in the guest. */
const OBJECTS = '/objects';
const TOOLS = '/conformance';
const RESULTS = '/results';
const COMMANDS: Readonly<Record<LoaderName, readonly string[]>> = {
  libbpf: ['/usr/bin/libbpf-reference'],
  'ts-xdp': ['/usr/bin/node', `${PROJECT}/dist/cli/main.js`, 'verify', '--json'],
};

export interface GuestAnswers {
  readonly release: string;
  readonly libbpf: readonly Answer[];
  readonly ours: readonly Answer[];
}

export interface GuestOptions {
  readonly kernel: KernelName;
  readonly objectsFolder: string;
  /** File names. */
  readonly objects: readonly string[];
  readonly reference: string;
  /** Keeps what has been answered should this be interrupted. */
  readonly begunFolder: string;
}

/** Asks both loaders about objects inside another kernel. A guest that an object ends is started again behind it. */
export async function askInGuest(options: GuestOptions): Promise<GuestAnswers> {
  const folder = temporaryFolder();
  try {
    const rootImage = join(folder, 'root.ext4');
    buildProjectImage(rootImage, { programs: [options.reference] });
    const objectsImage = join(folder, 'objects.ext4');
    buildObjectsImage(objectsImage, options);
    const ledger = new GuestLedger(options.objects);
    const [kernel] = fetchKernels([options.kernel]);
    if (kernel === undefined) throw new ConformanceFailure(`There is no kernel ${options.kernel} to boot`);
    const begun = new BegunRun(options.begunFolder, { ...options, image: kernel.image });
    const known = begun.resume(ledger);
    if (known > 0) process.stderr.write(`Linux ${options.kernel}: going on after ${String(known)} answers\n`);
    let release = kernel.release;
    for (let lost = 0; lost < LOST_GUESTS && ledger.remaining().length > 0;) {
      const found = await bootGuest({ ...options, folder, rootImage, objectsImage, ledger });
      begun.save(ledger);
      release = found ?? release;
      if (found === undefined) lost++;
    }
    begun.end(ledger);
    return { release, libbpf: ledger.answers.libbpf, ours: ledger.answers['ts-xdp'] };
  } finally {
    removeFolder(folder);
  }
}

function buildObjectsImage(image: string, { objectsFolder, objects }: GuestOptions): void {
  const folder = temporaryFolder();
  for (const object of objects) cpSync(join(objectsFolder, object), join(folder, object));
  buildDiskImage(image, { folder });
  removeFolder(folder);
}

interface Boot extends GuestOptions {
  readonly folder: string;
  readonly rootImage: string;
  readonly objectsImage: string;
  /** Of earlier guests; gets the answers of this one. */
  readonly ledger: GuestLedger;
}

/** Returns the kernel's release; undefined where the guest did not come to its end. */
async function bootGuest({
  kernel,
  folder,
  rootImage,
  objectsImage,
  ledger,
}: Boot): Promise<string | undefined> {
  const results = join(folder, 'results');
  rmSync(results, { recursive: true, force: true });
  const asked = ledger.remaining({ most: OBJECTS_PER_GUEST });
  try {
    const { release, exitCode, stderr } = await runInKernel({
      kernel,
      rootImage,
      command: ['/usr/bin/node', `${TOOLS}/main.js`, `${TOOLS}/plan.json`],
      folders: {
        [TOOLS]: toolsFolder(folder, asked),
        [OBJECTS]: objectsImage,
      },
      resultsFolder: results,
      modules: MODULES,
      memoryMebibytes: MEMORY_MEBIBYTES,
      timeoutSeconds: BOOT_TIMEOUT_SECONDS,
      onOutput: progressPrinter(kernel),
    });
    ledger.collect(results);
    if (exitCode !== 0) throw new KernelRunFailure(`Cannot compare in Linux ${kernel}: ${stderr.trim()}`);
    return release;
  } catch (error) {
    if (!(error instanceof KernelRunFailure)) throw error;
    // Without any answer the guest itself is at fault, and the next would be no better.
    if (ledger.collect(results) === 0) throw error;
    ledger.blame(error.message, asked);
    return undefined;
  }
}

/** What asks the loaders in the guest, with its plan. */
function toolsFolder(folder: string, remaining: readonly Remainder[]): string {
  const tools = join(folder, 'tools');
  rmSync(tools, { recursive: true, force: true });
  mkdirSync(tools);
  cpSync(join(dirname(fileURLToPath(import.meta.url)), 'loaders'), tools, { recursive: true });
  writeFileSync(join(tools, 'package.json'), '{"type":"module"}\n');
  const plan: GuestPlan = {
    batchSize: BATCH_SIZE,
    patienceSeconds: PATIENCE_SECONDS,
    loaders: remaining.map(({ name, objects }) => ({
      name,
      command: COMMANDS[name],
      objects: objects.map((object) => `${OBJECTS}/${object}`),
      answers: `${RESULTS}/${name}.jsonl`,
    })),
  };
  writeFileSync(join(tools, 'plan.json'), JSON.stringify(plan));
  return tools;
}

/** Whole lines, behind the kernel's name: serial lines bring text in pieces. */
function progressPrinter(kernel: string): (stream: 'stdout' | 'stderr', text: string) => void {
  const pending = { stdout: '', stderr: '' };
  return (stream, text) => {
    const lines = (pending[stream] + text).split('\n');
    pending[stream] = lines.pop() ?? '';
    for (const line of lines) process.stderr.write(`Linux ${kernel}: ${line}\n`);
  };
}
