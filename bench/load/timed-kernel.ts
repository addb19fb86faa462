import type { Kernel, MemoryMapping, MmapRequest } from '../../src/sys/index.ts';
import { bpf_attr_prog_load, BPF_PROG_LOAD } from '../../src/uapi/index.ts';

/**
 * The kernel's largest test programs are refused by the verifiers of newer kernels, after a second and 13 MB of log. What
 * the verifier does is neither side's part, so that it gets a program of two instructions in place of one that is longer
 * than this; all that was done for the long one is measured.
 */
const STAND_IN_FROM = 16384;
/** `r0 = 0; exit`. */
const STAND_IN = Uint8Array.of(0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0);

/** Nanoseconds of processor time, those of the threads that compile and collect garbage included. */
export function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) * 1000;
}

/**
 * A kernel that adds up how long its bpf(2) takes, the way through FFI included. A program that is too long for its
 * verifier is replaced.
 */
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
    const result = this.#kernel.bpf(command, this.#withinReach(command, attribute));
    this.processor += processorTime() - cpu;
    this.nanoseconds += Number(process.hrtime.bigint() - start);
    return result;
  }

  #withinReach(command: number, attribute: Uint8Array): Uint8Array {
    if (command !== BPF_PROG_LOAD) return attribute;
    const copy = attribute.slice();
    const view = new DataView(copy.buffer);
    if (bpf_attr_prog_load.read(view, 0).insn_cnt <= STAND_IN_FROM) return attribute;
    bpf_attr_prog_load.update(view, 0, {
      insns: this.#kernel.addressOf(STAND_IN),
      insn_cnt: STAND_IN.length / 8,
      func_info: 0n,
      func_info_cnt: 0,
      line_info: 0n,
      line_info_cnt: 0,
    });
    return copy;
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
