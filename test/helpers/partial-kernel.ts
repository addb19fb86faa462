import { systemKernel, type CopiedMapping, type Kernel, type MemoryMapping } from '../../src/sys/index.ts';
import type { MapCopiedRequest, MmapRequest } from '../../src/sys/index.ts';

/** The running kernel, except for some commands of bpf(2), which it refuses with an errno as an older one would. */
export class PartialKernel implements Kernel {
  readonly pageSize: number;
  /** How often each command was asked for. */
  readonly asked = new Map<number, number>();
  readonly #real = systemKernel();
  readonly #refused: readonly number[];
  readonly #errno: number;

  constructor(refused: readonly number[], errno: number) {
    this.#refused = refused;
    this.#errno = errno;
    this.pageSize = this.#real.pageSize;
  }

  bpf(command: number, attribute: Uint8Array): number {
    this.asked.set(command, (this.asked.get(command) ?? 0) + 1);
    return this.#refused.includes(command) ? -this.#errno : this.#real.bpf(command, attribute);
  }

  addressOf(bytes: Uint8Array): bigint {
    return this.#real.addressOf(bytes);
  }

  close(fd: number): number {
    return this.#real.close(fd);
  }

  duplicate(fd: number, minimum: number): number {
    return this.#real.duplicate(fd, minimum);
  }

  mmap(request: MmapRequest): MemoryMapping {
    return this.#real.mmap(request);
  }

  mapCopied(request: MapCopiedRequest): CopiedMapping {
    return this.#real.mapCopied(request);
  }

  possibleCpus(): number {
    return this.#real.possibleCpus();
  }

  onlineCpus(): number {
    return this.#real.onlineCpus();
  }
}
