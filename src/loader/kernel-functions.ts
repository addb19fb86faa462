import type { ProgramSpec } from '../elf/index.ts';
import type { KernelBtf } from './kernel-btf.ts';

/**
 * Kfuncs that read metadata of the network driver. The verifier takes them only in programs bound to a device
 * ("metadata kfuncs require device-bound program", bpf_dev_bound_kfunc_check in kernel/bpf/offload.c), so in every
 * other program they count as absent.
 */
const DEVICE_BOUND_PREFIX = 'bpf_xdp_metadata_';

/** Finds kernel functions that programs may call, by name. */
export class KernelFunctions {
  readonly #kernelBtf: KernelBtf;

  constructor(kernelBtf: KernelBtf) {
    this.#kernelBtf = kernelBtf;
  }

  /** The BTF id of a function as the given program may call it; undefined where there is none. */
  find(name: string, spec: ProgramSpec): number | undefined {
    if (name.startsWith(DEVICE_BOUND_PREFIX) && spec.deviceBound === undefined) return undefined;
    return this.#kernelBtf.vmlinux.find(name, 'function');
  }
}
