/** Other kernels: Debian's, booted in QEMU, to run commands in. */
export { KERNELS, isKernelName } from './catalogue.ts';
export type { KernelName } from './catalogue.ts';
export { buildDiskImage } from './disk-image.ts';
export { fetchEmulator } from './emulator.ts';
export { KernelRunFailure } from './failure.ts';
export { fetchKernels } from './kernel-files.ts';
export { mapLimited } from './map-limited.ts';
export { removeFolder, temporaryFolder } from './own-processes.ts';
export { PROJECT, buildProjectImage } from './project-image.ts';
export type { ProjectImageOptions } from './project-image.ts';
export { RootFolder } from './root-folder.ts';
export { runInKernel } from './run-in-kernel.ts';
export type { KernelRun, KernelRunResult } from './run-in-kernel.ts';
