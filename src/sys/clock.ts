import { struct, i64 } from '../binary/index.ts';
import { lastErrno, libc } from './libc.ts';
import { syscallError } from './errno.ts';

// <linux/time.h>. BPF's bpf_ktime_get_ns() is monotonic, bpf_ktime_get_boot_ns() is boottime.
const clocks = { realtime: 0, monotonic: 1, boottime: 7 } as const;

export type Clock = keyof typeof clocks;

const timespec = struct('timespec', { tv_sec: i64, tv_nsec: i64 });

/** Nanoseconds. */
export function clockGettime(clock: Clock): bigint {
  const time = new Uint8Array(timespec.size);
  if (libc().clock_gettime(clocks[clock], time) < 0) {
    throw syscallError({ call: 'clock_gettime', errno: lastErrno(), doing: `read the ${clock} clock` });
  }
  const { tv_sec, tv_nsec } = timespec.decode(time);
  return tv_sec * 1_000_000_000n + tv_nsec;
}
