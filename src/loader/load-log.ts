import { constants } from 'node:buffer';
import { errno, exchangeBpf, type BpfCall, type Kernel } from '../sys/index.ts';
import type { bpf_attr_prog_load } from '../uapi/index.ts';

/** The first buffer for a log. */
const FIRST_LOG_SIZE = 64 * 1024;
/** A string holds no more. The kernel itself takes up to UINT_MAX >> 2 (bpf_verifier_log_attr_valid). */
const LARGEST_LOG_SIZE = constants.MAX_STRING_LENGTH;
/** The time that verification took is in the log, and may have another digit the next time. */
const SLACK = 4096;

/** BPF_LOG_LEVEL1: the instructions on the way to the refusal. */
export const LOG_LEVEL = 1;
/** BPF_LOG_LEVEL2: every state too, and kept for a program that is accepted, where level 1 starts over (do_check_common). */
export const LOG_STATES = 2;
/** BPF_LOG_STATS: the reason of a refusal, and how much work verification was, also of an accepted program. Linux 5.2. */
export const LOG_STATISTICS = 4;

export interface LoggedResult {
  /** A descriptor, or the negated errno. */
  readonly result: number;
  readonly log: string;
}

/**
 * BPF_PROG_LOAD with a log that grows until all of it fits. Since Linux 6.4 the kernel says how much it has
 * (`log_true_size`); before, the buffer gets four times as large each time. Of a log that no string holds, only the
 * end is kept: the reason, without the instructions before it.
 */
export function loadWithLog(
  kernel: Kernel,
  { call, level }: { call: BpfCall<bpf_attr_prog_load>; level: number },
): LoggedResult {
  let size = FIRST_LOG_SIZE;
  for (;;) {
    const attempt = loadOnce(kernel, { call, level, size });
    if (!attempt.cut) return attempt;
    const wanted = attempt.trueSize > size ? attempt.trueSize + SLACK : size * 4;
    if (size === LARGEST_LOG_SIZE || attempt.trueSize > LARGEST_LOG_SIZE) break;
    size = Math.min(wanted, LARGEST_LOG_SIZE);
  }
  return loadOnce(kernel, { call, level: LOG_STATISTICS, size: FIRST_LOG_SIZE });
}

function loadOnce(
  kernel: Kernel,
  { call, level, size }: { call: BpfCall<bpf_attr_prog_load>; level: number; size: number },
): LoggedResult & { cut: boolean; trueSize: number } {
  const log = new Uint8Array(size);
  const { result, answer } = exchangeBpf(kernel, {
    ...call,
    fields: { ...call.fields, log_level: level, log_size: size, log_buf: kernel.addressOf(log) },
    keep: [...(call.keep ?? []), log],
  });
  const end = log.indexOf(0);
  const length = end < 0 ? size : end;
  // A bug of the verifier is told as EFAULT, which then stands in the place of ENOSPC.
  const cut = result === -errno.ENOSPC || (result === -errno.EFAULT && length >= size - 1);
  return {
    result,
    log: new TextDecoder().decode(log.subarray(0, length)),
    cut,
    trueSize: answer.log_true_size,
  };
}
