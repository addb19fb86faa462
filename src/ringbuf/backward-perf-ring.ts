import { BoundsError } from '../errors.ts';
import { ioctl, syscallError, type Fd, type Kernel, type MemoryMapping } from '../sys/index.ts';
import { PERF_EVENT_IOC_PAUSE_OUTPUT, perf_event_mmap_page } from '../uapi/index.ts';
import { PerfData, type PerfRecordVisitor } from './perf-data.ts';
import { openPerfEventRing } from './perf-event-ring.ts';

const { data_head: HEAD } = perf_event_mmap_page.offsets;
/** Bit 27 of perf_event_attr (Linux 4.7). */
const WRITE_BACKWARD = 1n << 27n;

/**
 * The newest samples of one CPU: the kernel writes each before the one that it wrote last, towards lower addresses, over the
 * oldest ones. So the newest begins where the position says, and the others follow it.
 */
export class BackwardPerfRing {
  readonly fd: Fd;
  readonly cpu: number;
  readonly #doing: string;
  readonly #mapping: MemoryMapping;
  readonly #head: BigUint64Array;
  readonly #data: PerfData;
  /** Bytes that the kernel had written when the ring was last read, exact up to 2^53. */
  #seen = 0;

  private constructor(
    fd: Fd,
    facts: { cpu: number; doing: string; mapping: MemoryMapping; pageSize: number },
  ) {
    const { buffer } = facts.mapping;
    this.fd = fd;
    this.cpu = facts.cpu;
    this.#doing = facts.doing;
    this.#mapping = facts.mapping;
    this.#head = new BigUint64Array(buffer, HEAD, 1);
    this.#data = new PerfData(new DataView(buffer, facts.pageSize));
  }

  /** @throws PermissionError, SyscallError: ENODEV for a CPU that is off, EINVAL before Linux 4.7 */
  static open(kernel: Kernel, place: { cpu: number; pages: number; doing: string }): BackwardPerfRing {
    const attribute = { flags: WRITE_BACKWARD, wakeup_events: 1 };
    const { fd, mapping } = openPerfEventRing(kernel, { ...place, attribute, writable: false });
    const { cpu, doing } = place;
    return new BackwardPerfRing(fd, { cpu, doing, mapping, pageSize: kernel.pageSize });
  }

  /** While it is paused nothing is written: programs get ENOSPC, and the kernel counts it as lost. @throws SyscallError */
  setPaused({ paused }: { paused: boolean }): void {
    const result = ioctl(this.fd.value, PERF_EVENT_IOC_PAUSE_OUTPUT, Number(paused));
    if (result >= 0) return;
    throw syscallError({ call: 'ioctl(PERF_EVENT_IOC_PAUSE_OUTPUT)', errno: result, doing: this.#doing });
  }

  /**
   * Walks over what has come since the last time and has not been overwritten, the newest first; while it is paused alone,
   * for else it is written meanwhile.
   *
   * @throws BoundsError for a record that no kernel writes
   */
  walk(visitor: PerfRecordVisitor): void {
    // It counts down from 0.
    const written = Number(BigInt.asUintN(64, -Atomics.load(this.#head, 0)));
    const { size } = this.#data;
    const fresh = written - this.#seen;
    const available = Math.min(fresh, size);
    const start = (size - (written % size)) % size;
    this.#seen = written;
    let more = true;
    for (let done = 0; more && done < available;) {
      const at = (start + done) % size;
      const length = this.#data.sizeAt(at);
      if (length > available - done) {
        // The oldest, whose end the newest has overwritten.
        if (fresh > size) return;
        throw new BoundsError(at, length, available - done);
      }
      done += length;
      more = this.#data.visit(at, length, visitor);
    }
  }

  /** Idempotent. The kernel takes the event out of the map with its last descriptor. */
  close(): void {
    this.#mapping.close();
    this.fd.close();
  }
}
