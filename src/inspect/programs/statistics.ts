import { openBpf, type Fd, type Kernel } from '../../sys/index.ts';
import { BPF_STATS_RUN_TIME, bpf_attr_enable_stats } from '../../uapi/index.ts';

/**
 * Makes the kernel count the runs of every program and the time that they take, until the descriptor is closed; it costs
 * each run some nanoseconds. Needs CAP_SYS_ADMIN. Linux 5.8.
 *
 * @throws PermissionError, SyscallError
 */
export function enableStatistics(kernel: Kernel): Fd {
  return openBpf(kernel, {
    command: 'BPF_ENABLE_STATS',
    attribute: bpf_attr_enable_stats,
    fields: { type: BPF_STATS_RUN_TIME },
    doing: 'switch statistics of programs on',
    description: 'statistics of programs',
    needed: ['CAP_SYS_ADMIN'],
  });
}
