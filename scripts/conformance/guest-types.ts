import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT, buildProjectImage, removeFolder, runInKernel, temporaryFolder } from '../kernels/index.ts';
import type { KernelName } from '../kernels/index.ts';
import { ConformanceFailure } from './failure.ts';

const TIMEOUT_SECONDS = 900;

/** vmlinux.h of another kernel, which ts-xdp writes inside it. */
export async function dumpGuestTypes(kernel: KernelName): Promise<string> {
  const folder = temporaryFolder();
  try {
    const rootImage = join(folder, 'root.ext4');
    const results = join(folder, 'results');
    mkdirSync(results);
    buildProjectImage(rootImage);
    const { exitCode, stderr } = await runInKernel({
      kernel,
      rootImage,
      workingFolder: PROJECT,
      command: ['sh', '-c', 'node dist/cli/main.js btf dump kernel > /results/vmlinux.h'],
      resultsFolder: results,
      timeoutSeconds: TIMEOUT_SECONDS,
    });
    if (exitCode !== 0)
      throw new ConformanceFailure(`Cannot dump the types of Linux ${kernel}: ${stderr.trim()}`);
    return readFileSync(join(results, 'vmlinux.h'), 'utf8');
  } finally {
    removeFolder(folder);
  }
}
