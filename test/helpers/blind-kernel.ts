import { systemKernel, type Kernel } from '../../src/sys/index.ts';
import { BPF_OBJ_GET } from '../../src/uapi/index.ts';

/** The running kernel, except that it does not see pins the first times that it is asked. */
export class BlindKernel implements Kernel {
  readonly #kernel = systemKernel();
  readonly pageSize = this.#kernel.pageSize;
  blindness: number;

  constructor(blindness: number) {
    this.blindness = blindness;
  }

  bpf(command: number, attribute: Uint8Array): number {
    if (command === BPF_OBJ_GET && this.blindness > 0) {
      this.blindness--;
      return -2;
    }
    return this.#kernel.bpf(command, attribute);
  }
  addressOf(bytes: Uint8Array): bigint {
    return this.#kernel.addressOf(bytes);
  }
  close(fd: number): number {
    return this.#kernel.close(fd);
  }
  duplicate(fd: number, minimum: number): number {
    return this.#kernel.duplicate(fd, minimum);
  }
  mapCopied(request: Parameters<Kernel['mapCopied']>[0]): ReturnType<Kernel['mapCopied']> {
    return this.#kernel.mapCopied(request);
  }
  mmap(request: Parameters<Kernel['mmap']>[0]): ReturnType<Kernel['mmap']> {
    return this.#kernel.mmap(request);
  }
  possibleCpus(): number {
    return this.#kernel.possibleCpus();
  }
  onlineCpus(): number {
    return this.#kernel.onlineCpus();
  }
}
