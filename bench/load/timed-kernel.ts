import type { Kernel, MemoryMapping, MmapRequest } from '../../src/sys/index.ts';

/** Nanoseconds of processor time, those of the threads that compile and collect garbage included. */
export function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) * 1000;
}

/** A kernel that adds up how long its bpf(2) takes, the way through FFI included. */
export class TimedKernel implements Kernel {
  nanoseconds = 0;
  /** Nanoseconds of processor time. */
  processor = 0;
  readonly pageSize: number;
  readonly #kernel: Kernel;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
    this.pageSize = kernel.pageSize;
  }

  reset(): void {
    this.nanoseconds = 0;
    this.processor = 0;
  }

  bpf(command: number, attribute: Uint8Array): number {
    const [start, cpu] = [process.hrtime.bigint(), processorTime()];
    const result = this.#kernel.bpf(command, attribute);
    this.processor += processorTime() - cpu;
    this.nanoseconds += Number(process.hrtime.bigint() - start);
    return result;
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

  mmap(request: MmapRequest): MemoryMapping {
    return this.#kernel.mmap(request);
  }

  possibleCpus(): number {
    return this.#kernel.possibleCpus();
  }

  onlineCpus(): number {
    return this.#kernel.onlineCpus();
  }
}
