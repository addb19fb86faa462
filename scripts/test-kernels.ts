/**
 * Boots Debian's kernels in QEMU, runs test files in each, and writes what came out to docs/kernels.md.
 *
 *     npm run test:kernels -- [--kernel 6.12]… [--ci | TEST-FILE…]
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { GuestResult } from '../test/vm/result.ts';
import { installKernelTools } from './kernels/install-tools.ts';
import {
  KERNELS,
  KernelRunFailure,
  PROJECT,
  buildProjectImage,
  fetchEmulator,
  fetchKernels,
  isKernelName,
  mapLimited,
  removeFolder,
  runInKernel,
  temporaryFolder,
} from './kernels/index.ts';
import type { KernelName } from './kernels/index.ts';
import { renderMatrix } from './kernels/matrix.ts';
import { recallResults, rememberResults } from './kernels/remembered-results.ts';

/** What depends on the kernel, and runs in the time that an emulated processor needs for it. */
const TEST_FILES = [
  'test/kernel/load-events.test',
  'test/kernel/sniffer-packets.test',
  'test/kernel/monitor-packets.test',
  'test/kernel/older-btf.test',
  'test/kernel/netlink.test',
  'test/kernel/netlink-changes.test',
  'test/kernel/sys.test',
  'test/kernel/dispatcher.test',
  'test/kernel/privileges.test',
  'test/kernel/hooks.test',
  'test/kernel/attach-kinds.test',
  'test/kernel/attach-details.test',
  'test/kernel/attach-sockets.test',
  'test/kernel/struct-ops.test',
  'test/kernel/programs.test',
  'test/kernel/externs.test',
  'test/kernel/module-kfuncs.test',
  'test/kernel/jump-tables.test',
  'test/kernel/context-arguments.test',
  'test/kernel/exclusive.test',
  'test/kernel/perf-readiness.test',
  'test/kernel/perf-buffer.test',
  'test/kernel/user-ring.test',
];
/** What of it needs no more than a few minutes of an emulated processor, for a run beside everything else. */
const CI_FILES = [
  'test/kernel/older-btf.test',
  'test/kernel/sys.test',
  'test/kernel/hooks.test',
  'test/kernel/attach-kinds.test',
  'test/kernel/attach-details.test',
  'test/kernel/module-kfuncs.test',
];
/** Two emulated processors at a time: each keeps one of this machine's busy. */
const AT_ONCE = 2;
const TIMEOUT_SECONDS = 5400;
const DOCUMENT = 'docs/kernels.md';
const REPORTS = 'build/kernels';

/** Prints whole lines, behind the kernel's name: serial lines bring text in pieces. */
function linePrinter(kernel: string): (stream: 'stdout' | 'stderr', text: string) => void {
  const pending = { stdout: '', stderr: '' };
  return (stream, text) => {
    const lines = (pending[stream] + text).split('\n');
    pending[stream] = lines.pop() ?? '';
    for (const line of lines) process[stream].write(`${kernel}: ${line}\n`);
  };
}

interface KernelTestOptions {
  readonly rootImage: string;
  readonly files: readonly string[];
  /** Whether the page is to be written from what comes out. */
  readonly remember: boolean;
}

async function testKernel(
  kernel: KernelName,
  { rootImage, files, remember }: KernelTestOptions,
): Promise<boolean> {
  const reports = join(REPORTS, kernel);
  rmSync(reports, { recursive: true, force: true });
  mkdirSync(reports, { recursive: true });
  const run = await runInKernel({
    kernel,
    rootImage,
    workingFolder: PROJECT,
    command: ['node', 'test/vm/main.js', ...files],
    modules: ['bridge', 'nf_conntrack'],
    resultsFolder: reports,
    timeoutSeconds: TIMEOUT_SECONDS,
    onOutput: linePrinter(kernel),
  });
  writeFileSync(join(reports, 'console.txt'), run.console);
  const lines = readFileSync(join(reports, 'results.jsonl'), 'utf8').trim().split('\n');
  const results = lines.map((line) => JSON.parse(line) as GuestResult);
  console.log(
    `${kernel}: ${run.release} ended with ${String(run.exitCode)} after ${run.seconds.toFixed(0)} s`,
  );
  if (remember) rememberResults({ kernel, release: run.release, results });
  return run.exitCode === 0;
}

/** Runs a file of tests on this machine first, which keeps what it compiles: guests have no clang. */
function runHere(file: string, compiled: string): void {
  mkdirSync(compiled, { recursive: true });
  const { status, stdout } = spawnSync(process.execPath, [join('build', `${file}.js`)], {
    encoding: 'utf8',
    env: { ...process.env, TS_XDP_KEEP_COMPILED: compiled, TAP_TIMEOUT: '300' },
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) throw new KernelRunFailure(`Cannot test it elsewhere: ${file} fails here:\n${stdout}`);
}

/** A guest that fails is reported, and the others go on. */
async function testOrReport(kernel: KernelName, options: KernelTestOptions): Promise<boolean> {
  try {
    return await testKernel(kernel, options);
  } catch (error) {
    if (!(error instanceof KernelRunFailure)) throw error;
    console.error(`${kernel}: ${error.message}`);
    return false;
  }
}

/** From the last results of each kernel; nothing while there are none of one of them, or of one of the files. */
function updateDocument(): void {
  const columns = KERNELS.map(({ kernel }) => recallResults(kernel));
  const complete = columns.every(
    (column) =>
      column &&
      TEST_FILES.every((file) =>
        column.results.some((result) => result.kind === 'test' && result.file === file),
      ),
  );
  if (!complete) {
    console.log(`${DOCUMENT} stays: it is written when every kernel has results of every file`);
    return;
  }
  const wanted = (result: GuestResult): boolean => result.kind !== 'test' || TEST_FILES.includes(result.file);
  const text = renderMatrix(
    columns
      .filter((column) => column !== undefined)
      .map((column) => ({ ...column, results: column.results.filter(wanted) })),
  );
  const before = existsSync(DOCUMENT) ? readFileSync(DOCUMENT, 'utf8') : '';
  if (text === before) console.log(`${DOCUMENT} is what came out`);
  else {
    writeFileSync(DOCUMENT, text);
    console.log(`${DOCUMENT} differed and is rewritten`);
  }
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: { kernel: { type: 'string', multiple: true }, ci: { type: 'boolean', default: false } },
    allowPositionals: true,
  });
  const kernels = values.kernel ?? KERNELS.map(({ kernel }) => kernel);
  const unknown = kernels.find((kernel) => !isKernelName(kernel));
  if (unknown !== undefined) {
    const known = KERNELS.map(({ kernel }) => kernel).join(', ');
    throw new KernelRunFailure(`Cannot test Linux ${unknown}: there are ${known}`);
  }
  const { ci } = values;
  if (ci && positionals.length > 0) {
    throw new KernelRunFailure('Cannot test files of your choice with --ci, which has its own');
  }
  const given = ci ? CI_FILES : positionals.map((file) => file.replace(/\.[jt]s$/, ''));
  const files = given.length > 0 ? given : TEST_FILES;
  installKernelTools();
  fetchEmulator();
  fetchKernels(kernels.filter(isKernelName));
  const folder = temporaryFolder();
  const rootImage = join(folder, 'root.ext4');
  const compiled = join(folder, 'compiled');
  for (const file of files) runHere(file, compiled);
  buildProjectImage(rootImage, { tests: { compiled } });
  const succeeded = await mapLimited(kernels.filter(isKernelName), {
    limit: AT_ONCE,
    action: (kernel) => testOrReport(kernel, { rootImage, files, remember: !ci }),
  });
  removeFolder(folder);
  if (!ci) updateDocument();
  if (succeeded.includes(false)) process.exitCode = 1;
}

try {
  await main();
} catch (error) {
  if (!(error instanceof KernelRunFailure)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
