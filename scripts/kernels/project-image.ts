import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { COMPILED, PROJECT } from '../../test/vm/guest-folders.ts';
import { buildDiskImage } from './disk-image.ts';
import { fetchEmulator } from './emulator.ts';
import { KernelRunFailure } from './failure.ts';
import { removeFolder, temporaryFolder } from './own-processes.ts';
import { packageClosure } from './package-closure.ts';
import { RootFolder } from './root-folder.ts';

/** What programs of libxdp load from beside their libraries. */
const LIBXDP_DISPATCHER = '/usr/lib/x86_64-linux-gnu/bpf/xdp-dispatcher.o';

/** What the tests and the plan of a guest are run with; those that this machine lacks stay away. */
const PROGRAMS = [
  'sh',
  'env',
  'mount',
  'umount',
  'ip',
  'tc',
  'bpftool',
  'xdp-loader',
  'tcpdump',
  'setpriv',
  'unshare',
  'script',
  'bash',
  'taskset',
];

export interface ProjectImageOptions {
  /** The tests come too, compiled, with what they run on, laid out as in the checkout; and a folder of what they compile. */
  readonly tests?: { readonly compiled: string };
  /** Further programs of this machine, by name or path, which the guest finds in `/usr/bin`, with their libraries. */
  readonly programs?: readonly string[];
}

/**
 * Makes the root file system of a guest: this Node, a few programs of this machine, and the built project in
 * `/project`, so that `node dist/cli/main.js` runs there.
 */
export function buildProjectImage(image: string, { tests, programs = [] }: ProjectImageOptions = {}): void {
  const folder = temporaryFolder();
  try {
    const root = new RootFolder(folder, fetchEmulator());
    root.addProgram(process.execPath);
    for (const program of PROGRAMS) root.addProgram(program);
    if (existsSync(LIBXDP_DISPATCHER)) root.add(LIBXDP_DISPATCHER, LIBXDP_DISPATCHER);
    for (const program of programs) {
      if (!root.addProgram(program)) {
        throw new KernelRunFailure(`Cannot bring ${program} into a guest: this machine does not have it`);
      }
    }
    addProject(root, tests);
    buildDiskImage(image, { folder });
  } finally {
    removeFolder(folder);
  }
}

function addProject(root: RootFolder, tests: ProjectImageOptions['tests']): void {
  const project = process.cwd();
  const add = (path: string): void => {
    if (!existsSync(join(project, path))) {
      throw new KernelRunFailure(`Cannot bring the project into a guest: ${path} is missing; build it first`);
    }
    root.add(join(project, path), join(PROJECT, path));
  };
  // A page is among them because a test does what it says.
  for (const path of ['package.json', 'dist', 'bpf', 'proto', 'docs/privileges.md']) add(path);
  const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as {
    dependencies: Record<string, string>;
  };
  const needed = [...Object.keys(dependencies), ...(tests ? ['tap'] : [])];
  for (const path of packageClosure(project, needed)) add(path);
  if (tests) addTests(root.folder, tests.compiled);
}

/** JavaScript in place of the TypeScript, and everything else of test/ as it is. */
function addTests(root: string, objects: string): void {
  const target = join(root, PROJECT);
  execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.guest.json'], {
    stdio: 'inherit',
  });
  for (const path of ['src', 'test', 'scripts']) {
    const compiled = join('build/guest', path);
    if (existsSync(compiled)) cpSync(compiled, join(target, path), { recursive: true });
  }
  cpSync('test', join(target, 'test'), { recursive: true, filter: (path) => !path.endsWith('.ts') });
  cpSync(objects, join(root, COMPILED), { recursive: true });
}
