import { bpfError, errno, tryBpf } from '../sys/index.ts';
import type { BpfCall, Kernel } from '../sys/index.ts';

/** A call whose outcome tells whether the kernel knows what it asks for. */
export type Attempt<Fields extends object> = Omit<BpfCall<Fields>, 'doing'> & {
  /** To follow "Cannot probe for": `ring buffer maps`. */
  readonly subject: string;
};

/**
 * How kernels refuse what they do not know: EINVAL for commands, types and flags, E2BIG for a field past the end of
 * their `union bpf_attr` that is not zero (bpf_check_uarg_tail_zero() in kernel/bpf/syscall.c), the other two for
 * what the configuration or the JIT leaves out.
 */
const refusals: readonly number[] = [errno.EINVAL, errno.E2BIG, errno.EOPNOTSUPP, errno.ENOTSUPP];

/** Tries a command that gives a descriptor, and closes that. */
export function canOpen<Fields extends object>(kernel: Kernel, attempt: Attempt<Fields>): boolean {
  const result = tryBpf(kernel, named(attempt));
  if (result >= 0) {
    kernel.close(result);
    return true;
  }
  return !isRefusal(attempt, result);
}

/**
 * Tries a command on a descriptor that cannot exist. A kernel that knows the command looks the descriptor up and
 * says EBADF; so nothing has to be made, and no capability is needed.
 */
export function looksUpDescriptor<Fields extends object>(kernel: Kernel, attempt: Attempt<Fields>): boolean {
  const result = tryBpf(kernel, named(attempt));
  return result === -errno.EBADF || !isRefusal(attempt, result);
}

/** -1 as the unsigned field of `union bpf_attr` holds it. */
export const NO_DESCRIPTOR = 0xffff_ffff;

/** True for a refusal; what says nothing about the feature (EPERM, ENOMEM, …) is thrown. */
function isRefusal<Fields extends object>(attempt: Attempt<Fields>, result: number): boolean {
  if (refusals.includes(-result)) return true;
  throw bpfError(named(attempt), result);
}

function named<Fields extends object>(attempt: Attempt<Fields>): BpfCall<Fields> {
  return { ...attempt, doing: `probe for ${attempt.subject}` };
}
