import { readFileSync } from 'node:fs';
import { FileError } from '../errors.ts';
import { Btf } from '../btf/index.ts';
import type { ProgramSpec } from '../elf/index.ts';

/**
 * Kfuncs that read metadata of the network driver. The verifier takes them only in programs bound to a device
 * ("metadata kfuncs require device-bound program", bpf_dev_bound_kfunc_check in kernel/bpf/offload.c), so in every
 * other program they count as absent.
 */
const DEVICE_BOUND_PREFIX = 'bpf_xdp_metadata_';

/** Finds kernel functions that programs may call, by name. The kernel's BTF is read when it is first needed. */
export class KernelFunctions {
  readonly #path: string;
  #btf: Btf | undefined;

  constructor(options: { path?: string } = {}) {
    this.#path = options.path ?? '/sys/kernel/btf/vmlinux';
  }

  /** The BTF id of a function as the given program may call it; undefined where there is none. */
  find(name: string, spec: ProgramSpec): number | undefined {
    if (name.startsWith(DEVICE_BOUND_PREFIX) && spec.deviceBound === undefined) return undefined;
    this.#btf ??= readKernelBtf(this.#path);
    return this.#btf.find(name, 'function');
  }
}

function readKernelBtf(path: string): Btf {
  try {
    return Btf.parse(readFileSync(path));
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === undefined) throw cause;
    throw new FileError('FILE_UNREADABLE', path, `Cannot read the kernel's BTF at ${path}: ${code}`, {
      hint: 'kernel functions are found by BTF; the kernel must be built with CONFIG_DEBUG_INFO_BTF',
      cause,
    });
  }
}
