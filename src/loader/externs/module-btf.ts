import { SyscallError } from '../../errors.ts';
import { errno, objectIds, openIfThere, readInfo, type Fd, type Kernel } from '../../sys/index.ts';
import { bpf_btf_info } from '../../uapi/index.ts';

/** `MODULE_NAME_LEN` */
const LONGEST_NAME = 64;

/**
 * Descriptors of the BTF of kernel modules, each opened when it is first asked for. Programs that refer to a module
 * say by descriptor which one, and hold it themselves once loaded.
 */
export class ModuleBtfs {
  readonly #kernel: Kernel;
  readonly #open = new Map<string, Fd>();

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** Undefined for a module that is gone. Linux 5.11. @throws PermissionError, SyscallError */
  descriptor(module: string): number | undefined {
    const fd = this.#open.get(module) ?? this.#find(module);
    if (fd) this.#open.set(module, fd);
    return fd?.value;
  }

  close(): void {
    for (const fd of this.#open.values()) fd.close();
    this.#open.clear();
  }

  #find(module: string): Fd | undefined {
    for (const id of objectIds(this.#kernel, 'BTF')) {
      const fd = openIfThere(this.#kernel, 'BTF', id);
      if (fd && this.#nameOf(fd) === module) return fd;
      fd?.close();
    }
    return undefined;
  }

  /** Of the kernel's own only: a program's BTF may bear any name. Undefined before Linux 5.11, where BTF has no name. */
  #nameOf(fd: Fd): string | undefined {
    const name = new Uint8Array(LONGEST_NAME);
    let info;
    try {
      info = readInfo(this.#kernel, {
        fd,
        descriptor: bpf_btf_info,
        fields: { name: this.#kernel.addressOf(name), name_len: name.length },
        keep: [name],
      });
    } catch (error) {
      // bpf_check_uarg_tail_zero() in kernel/bpf/syscall.c: fields that the kernel does not know must be zero.
      if (error instanceof SyscallError && error.errno === errno.E2BIG) return undefined;
      fd.close();
      throw error;
    }
    if (info.kernel_btf === 0) return undefined;
    return Buffer.from(name.subarray(0, Math.max(0, name.indexOf(0)))).toString('latin1');
  }
}
