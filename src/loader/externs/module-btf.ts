import { readBtfInfo } from '../../programs/index.ts';
import { objectIds, openIfThere, type Fd, type Kernel } from '../../sys/index.ts';
import { closeAll } from '../close-all.ts';

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
    const open = [...this.#open.values()];
    this.#open.clear();
    closeAll(open);
  }

  #find(module: string): Fd | undefined {
    for (const id of objectIds(this.#kernel, 'BTF')) {
      const fd = openIfThere(this.#kernel, 'BTF', id);
      if (fd && this.#nameOf(fd) === module) return fd;
      fd?.close();
    }
    return undefined;
  }

  /** Of the kernel's own only: a program's BTF may bear any name. */
  #nameOf(fd: Fd): string | undefined {
    try {
      const { name, ofKernel } = readBtfInfo(this.#kernel, fd);
      return ofKernel ? name : undefined;
    } catch (error) {
      fd.close();
      throw error;
    }
  }
}
