import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KernelName } from './catalogue.ts';
import { buildDiskImage, buildEmptyImage, extractDiskImage } from './disk-image.ts';
import { fetchEmulator } from './emulator.ts';
import { KernelRunFailure } from './failure.ts';
import { guestScript } from './guest-plan.ts';
import { buildInitialFiles } from './initial-files.ts';
import { fetchKernels } from './kernel-files.ts';
import { runMachine } from './machine.ts';
import { modulesToLoad } from './modules.ts';
import { removeFolder, temporaryFolder } from './own-processes.ts';

export interface KernelRun {
  readonly kernel: KernelName;
  /** Its root file system, as {@link buildDiskImage} makes it of a {@link RootFolder}; never written to. */
  readonly rootImage: string;
  /** Run as root, with the file systems of the kernel mounted; standard input is empty. */
  readonly command: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** @default '/' */
  readonly workingFolder?: string;
  /**
   * Further folders of this machine, or images made of them, by the path where the guest finds them, read-only. Each
   * is a disk of its own; at most 20.
   */
  readonly folders?: Readonly<Record<string, string>>;
  /** Where to put what the command left in `/results`, also when it failed. */
  readonly resultsFolder?: string;
  /** Beside those of disks and of veth pairs, with what they depend on. */
  readonly modules?: readonly string[];
  /** @default 1024 */
  readonly memoryMebibytes?: number;
  readonly timeoutSeconds: number;
  /** Output of the command as it comes. */
  readonly onOutput?: (stream: 'stdout' | 'stderr', text: string) => void;
}

export interface KernelRunResult {
  /** The kernel's release, `6.12.117+deb13-cloud-amd64`. */
  readonly release: string;
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** What the kernel said. */
  readonly console: string;
  readonly seconds: number;
}

const MODULES = ['virtio_pci', 'virtio_blk', 'veth', 'sch_ingress', 'cls_bpf', 'act_bpf', 'dummy'];

/**
 * Boots a kernel in QEMU, runs one command in it and waits for its end. Needs no root: everything is in files.
 *
 * Throws {@link KernelRunFailure} where the guest took too long or ended without telling how the command did.
 */
export async function runInKernel(run: KernelRun): Promise<KernelRunResult> {
  const emulator = fetchEmulator();
  const [kernel] = fetchKernels([run.kernel]);
  if (!kernel) throw new KernelRunFailure(`Cannot boot Linux ${run.kernel}: there is none`);
  const folder = temporaryFolder();
  const started = performance.now();
  const output = { stdout: '', stderr: '', control: '', console: '' };
  try {
    const results = join(folder, 'results.ext4');
    buildEmptyImage(results);
    const folders = Object.entries(run.folders ?? {});
    const images = folders.map(([, source], index) => imageOf(source, { folder, index }));
    const plan = guestScript({
      command: run.command,
      environment: run.environment ?? {},
      workingFolder: run.workingFolder ?? '/',
      mounts: [{ path: '/results', writable: true }, ...folders.map(([path]) => ({ path, writable: false }))],
    });
    const modules = modulesToLoad(kernel.modules, [...MODULES, ...(run.modules ?? [])]);
    const initialFiles = join(folder, 'initial-files.cpio');
    const configuration = { release: kernel.release, path: kernel.configuration };
    writeFileSync(
      initialFiles,
      buildInitialFiles({ busybox: emulator.busybox, modules, configuration, plan }),
    );
    const inTime = await runMachine({
      emulator,
      image: kernel.image,
      initialFiles,
      disks: [
        { image: run.rootImage, keep: false },
        { image: results, keep: true },
        ...images.map((image) => ({ image, keep: false })),
      ],
      memoryMebibytes: run.memoryMebibytes ?? 1024,
      timeoutSeconds: run.timeoutSeconds,
      folder,
      onOutput: (line, text) => {
        output[line] += text;
        if (line === 'stdout' || line === 'stderr') run.onOutput?.(line, text);
      },
    });
    if (run.resultsFolder !== undefined) extractDiskImage(results, run.resultsFolder);
    const exitCode = exitCodeOf(output, { ...run, inTime });
    const { stdout, stderr, console } = output;
    return {
      release: kernel.release,
      exitCode,
      stdout,
      stderr,
      console,
      seconds: (performance.now() - started) / 1000,
    };
  } finally {
    removeFolder(folder);
  }
}

/** A folder becomes an image; an image is what it is. */
function imageOf(source: string, { folder, index }: { folder: string; index: number }): string {
  if (!existsSync(source))
    throw new KernelRunFailure(`Cannot bring ${source} into a guest: it does not exist`);
  if (source.endsWith('.ext4')) return source;
  mkdirSync(join(folder, 'disks'), { recursive: true });
  const image = join(folder, 'disks', `${String(index)}.ext4`);
  buildDiskImage(image, { folder: source });
  return image;
}

function exitCodeOf(
  output: { control: string; console: string; stderr: string },
  { kernel, inTime, timeoutSeconds }: { kernel: string; inTime: boolean; timeoutSeconds: number },
): number {
  const code = /^exit (\d+)$/m.exec(output.control)?.[1];
  if (code !== undefined) return Number(code);
  const where = output.control.includes('started') ? 'during the command' : 'before the command started';
  const why = inTime ? `it ended ${where}` : `${String(timeoutSeconds)} s passed ${where}`;
  const tail = `${output.console}\n${output.stderr}`.trim().split('\n').slice(-25).join('\n');
  throw new KernelRunFailure(`Cannot run in Linux ${kernel}: ${why}. The last it said:\n${tail}`);
}
