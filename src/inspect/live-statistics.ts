import { programTypeName, readProgramInfo } from '../programs/index.ts';
import { clockGettime, systemKernel, type Fd, type Kernel } from '../sys/index.ts';
import { fullProgramName, mapObjects } from './objects/index.ts';
import { enableStatistics } from './programs/index.ts';

/** What a program did between two looks. */
export interface ProgramActivity {
  readonly id: number;
  readonly name: string;
  /** `xdp`, `sched_cls`, … */
  readonly type: string;
  readonly runs: bigint;
  /** Nanoseconds of all these runs. */
  readonly runTime: bigint;
  /** Nanoseconds between the looks. */
  readonly elapsed: bigint;
}

interface Counters {
  readonly runCount: bigint;
  readonly runTime: bigint;
}

/**
 * Counts the runs of programs while it is open: the kernel takes the time of each, which costs some nanoseconds, until the
 * descriptor closes, with the process at the latest. The sysctl `kernel.bpf_stats_enabled` is not touched.
 *
 * Linux 5.8. Needs CAP_SYS_ADMIN.
 */
export class LiveStatistics {
  readonly #kernel: Kernel;
  readonly #switch: Fd;
  readonly #names = new Map<number, string>();
  #counters: ReadonlyMap<number, Counters> = new Map();
  #at = clockGettime('monotonic');

  private constructor(kernel: Kernel) {
    this.#kernel = kernel;
    this.#switch = enableStatistics(kernel);
  }

  /** @throws UnsupportedFeatureError before Linux 5.8, PermissionError, SyscallError */
  static open({ kernel = systemKernel() }: { kernel?: Kernel } = {}): LiveStatistics {
    const statistics = new LiveStatistics(kernel);
    try {
      statistics.sample();
      return statistics;
    } catch (error) {
      statistics.close();
      throw error;
    }
  }

  /** What every program did since the last look; one that was loaded meanwhile, since then. */
  sample(): ProgramActivity[] {
    const [before, counters] = [this.#counters, new Map<number, Counters>()];
    const elapsed = clockGettime('monotonic') - this.#at;
    this.#at += elapsed;
    const activities = mapObjects(this.#kernel, 'program', (fd, id): ProgramActivity => {
      const { runCount, runTime, type } = readProgramInfo(this.#kernel, fd);
      counters.set(id, { runCount, runTime });
      const last = before.get(id) ?? { runCount: 0n, runTime: 0n };
      return {
        id,
        name: this.#nameOf(fd, id),
        type: programTypeName(type),
        runs: runCount - last.runCount,
        runTime: runTime - last.runTime,
        elapsed,
      };
    });
    this.#counters = counters;
    for (const id of this.#names.keys()) if (!counters.has(id)) this.#names.delete(id);
    return activities;
  }

  /** The kernel stops counting, unless somebody else has it count. Idempotent. */
  close(): void {
    this.#switch.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #nameOf(fd: Fd, id: number): string {
    const known = this.#names.get(id);
    if (known !== undefined) return known;
    const name = fullProgramName(this.#kernel, fd);
    this.#names.set(id, name);
    return name;
  }
}
