/** Other kernels: Debian's, booted in QEMU, to run commands in. */
export { Apt, unpack } from './apt.ts';
export { KERNELS, isKernelName } from './catalogue.ts';
export type { KernelName } from './catalogue.ts';
export { completeFolder } from './complete-folder.ts';
export { buildDiskImage } from './disk-image.ts';
export { fetchEmulator } from './emulator.ts';
export { KernelRunFailure } from './failure.ts';
export { installKernelTools } from './install-tools.ts';
export { fetchKernels } from './kernel-files.ts';
export { mapLimited } from './map-limited.ts';
export { removeFolder, temporaryFolder } from './own-processes.ts';
export { PROJECT } from '../../test/vm/guest-folders.ts';
export { buildProjectImage } from './project-image.ts';
export type { ProjectImageOptions } from './project-image.ts';
export { RootFolder } from './root-folder.ts';
export { runInKernel } from './run-in-kernel.ts';
export type { KernelRun, KernelRunResult } from './run-in-kernel.ts';
