import { SyscallError } from '../../errors.ts';
import { unsupportedFeature } from '../../features/index.ts';
import { errno, openBpf, type Fd, type Kernel } from '../../sys/index.ts';
import { BPF_STATS_RUN_TIME, bpf_attr_enable_stats } from '../../uapi/index.ts';

/**
 * Makes the kernel count the runs of every program and the time that they take, until the descriptor is closed; it costs
 * each run some nanoseconds. Needs CAP_SYS_ADMIN. Linux 5.8.
 *
 * @throws UnsupportedFeatureError, PermissionError, SyscallError
 */
export function enableStatistics(kernel: Kernel): Fd {
  const doing = 'count the runs of programs';
  try {
    return openBpf(kernel, {
      command: 'BPF_ENABLE_STATS',
      attribute: bpf_attr_enable_stats,
      fields: { type: BPF_STATS_RUN_TIME },
      doing,
      description: 'statistics of programs',
      needed: ['CAP_SYS_ADMIN'],
    });
  } catch (error) {
    if (!(error instanceof SyscallError && error.errno === errno.EINVAL)) throw error;
    throw unsupportedFeature({ name: 'statistics by descriptor', minKernel: '5.8' }, { doing, cause: error });
  }
}
