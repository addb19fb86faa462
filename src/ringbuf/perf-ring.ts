import {
  ioctl,
  openPerfEvent,
  syscallError,
  type Fd,
  type Kernel,
  type MemoryMapping,
} from '../sys/index.ts';
import {
  PERF_COUNT_SW_BPF_OUTPUT,
  PERF_EVENT_IOC_ENABLE,
  PERF_SAMPLE_RAW,
  PERF_TYPE_SOFTWARE,
} from '../uapi/index.ts';
import { PerfMemory, type PerfRecordVisitor } from './perf-memory.ts';

/** The samples that programs write for one CPU: a perf event, and the ring that the kernel fills for it. */
export class PerfRing {
  readonly fd: Fd;
  readonly cpu: number;
  readonly #mapping: MemoryMapping;
  readonly #memory: PerfMemory;

  private constructor(fd: Fd, facts: { cpu: number; mapping: MemoryMapping; pageSize: number }) {
    this.fd = fd;
    this.cpu = facts.cpu;
    this.#mapping = facts.mapping;
    this.#memory = new PerfMemory(facts.mapping, facts);
  }

  /** @throws PermissionError, SyscallError: ENODEV for a CPU that is off */
  static open(
    kernel: Kernel,
    { cpu, pages, doing }: { cpu: number; pages: number; doing: string },
  ): PerfRing {
    const fd = openPerfEvent({
      attribute: {
        type: PERF_TYPE_SOFTWARE,
        config: BigInt(PERF_COUNT_SW_BPF_OUTPUT),
        sample_type: BigInt(PERF_SAMPLE_RAW),
        sample_period: 1n,
        wakeup_events: 1,
      },
      cpu,
      doing,
      description: `perf buffer of CPU ${cpu}`,
    });
    try {
      const { pageSize } = kernel;
      const mapping = kernel.mmap({
        fd: fd.value,
        length: (1 + pages) * pageSize,
        offset: 0,
        writable: true,
      });
      const result = ioctl(fd.value, PERF_EVENT_IOC_ENABLE, 0);
      if (result >= 0) return new PerfRing(fd, { cpu, mapping, pageSize });
      mapping.close();
      throw syscallError({ call: 'ioctl(PERF_EVENT_IOC_ENABLE)', errno: result, doing });
    } catch (error) {
      fd.close();
      throw error;
    }
  }

  /** As {@link PerfMemory.pending}. */
  get pending(): number {
    return this.#memory.pending;
  }

  /** As {@link PerfMemory.walk}. */
  walk(visitor: PerfRecordVisitor): boolean {
    return this.#memory.walk(visitor);
  }

  /** Idempotent. The kernel takes the event out of the map with its last descriptor. */
  close(): void {
    this.#mapping.close();
    this.fd.close();
  }
}
