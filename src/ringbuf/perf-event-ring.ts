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
  type perf_event_attr,
} from '../uapi/index.ts';

export interface PerfEventRingRequest {
  readonly cpu: number;
  /** Of data, a power of two; the one with the positions comes before them. */
  readonly pages: number;
  readonly doing: string;
  /** What the event has besides, such as when it wakes. */
  readonly attribute: Partial<perf_event_attr>;
  /** The kernel overwrites what nobody has read in a ring that is mapped without (rb_alloc() in kernel/events/ring_buffer.c). */
  readonly writable: boolean;
}

/** The event that programs write samples of one CPU to, and its ring. @throws PermissionError, SyscallError: ENODEV for a CPU that is off */
export function openPerfEventRing(
  kernel: Kernel,
  { cpu, pages, doing, attribute, writable }: PerfEventRingRequest,
): { fd: Fd; mapping: MemoryMapping } {
  const fd = openPerfEvent({
    attribute: {
      type: PERF_TYPE_SOFTWARE,
      config: BigInt(PERF_COUNT_SW_BPF_OUTPUT),
      sample_type: BigInt(PERF_SAMPLE_RAW),
      sample_period: 1n,
      ...attribute,
    },
    cpu,
    doing,
    description: `perf buffer of CPU ${cpu}`,
  });
  try {
    const mapping = kernel.mmap({
      fd: fd.value,
      length: (1 + pages) * kernel.pageSize,
      offset: 0,
      writable,
    });
    const result = ioctl(fd.value, PERF_EVENT_IOC_ENABLE, 0);
    if (result >= 0) return { fd, mapping };
    mapping.close();
    throw syscallError({ call: 'ioctl(PERF_EVENT_IOC_ENABLE)', errno: result, doing });
  } catch (error) {
    fd.close();
    throw error;
  }
}
