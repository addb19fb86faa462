import type { Fd, Kernel, MemoryMapping } from '../sys/index.ts';
import type { PerfRecordVisitor } from './perf-data.ts';
import { openPerfEventRing } from './perf-event-ring.ts';
import { PerfMemory } from './perf-memory.ts';

/** Bit 14 of perf_event_attr: the union holds bytes, and not events. */
const WATERMARK = 1n << 14n;

/** When the kernel wakes a reader of a CPU's samples. */
export type PerfWakeup = { readonly events: number } | { readonly bytes: number };

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
    place: { cpu: number; pages: number; doing: string; wakeup: PerfWakeup },
  ): PerfRing {
    const { cpu, wakeup, ...rest } = place;
    const attribute =
      'bytes' in wakeup
        ? { flags: WATERMARK, wakeup_watermark: wakeup.bytes }
        : { wakeup_events: wakeup.events };
    const { fd, mapping } = openPerfEventRing(kernel, { ...rest, cpu, attribute, writable: true });
    return new PerfRing(fd, { cpu, mapping, pageSize: kernel.pageSize });
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
