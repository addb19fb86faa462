import { struct, u64 } from '../binary/index.ts';
import { libc } from './libc.ts';

const RLIMIT_MEMLOCK = 8;
const RLIM_INFINITY = 0xffff_ffff_ffff_ffffn;
const rlimit64 = struct('rlimit64', { rlim_cur: u64, rlim_max: u64 });

/**
 * Tries to lift the limit on locked memory, against which kernels before 5.11 count maps and programs. Returns
 * whether that worked: it needs CAP_SYS_RESOURCE, and newer kernels do not need it.
 */
export function raiseMemlockLimit(): boolean {
  const limit = rlimit64.encode({ rlim_cur: RLIM_INFINITY, rlim_max: RLIM_INFINITY });
  return libc().prlimit(0, RLIMIT_MEMLOCK, limit, null) === 0;
}
