import { bpfError, errno, tryBpf } from '../sys/index.ts';
import type { Kernel } from '../sys/index.ts';
import type { Instruction } from '../asm/index.ts';
import type { bpf_attr_prog_load } from '../uapi/index.ts';
import { programLoad } from './probe-program.ts';

/** Holds the log of a few instructions many times over: before 6.4 a log that is cut short fails with ENOSPC. */
const LOG_SIZE = 4096;

export interface VerifierAnswer {
  readonly loaded: boolean;
  /** The negated errno where it was not loaded. */
  readonly result: number;
  /** What the verifier said; empty where the kernel refused the program before it got that far. */
  readonly log: string;
}

/**
 * Loads a few instructions and tells what came of it, nothing of which stays.
 *
 * Throws {@link PermissionError} or {@link SyscallError} where the outcome says nothing: EPERM, ENOMEM, ….
 */
export function askVerifier(
  kernel: Kernel,
  program: {
    readonly subject: string;
    readonly instructions: readonly Partial<Instruction>[];
    readonly fields: Partial<bpf_attr_prog_load>;
    /** Further buffers that `fields` has the addresses of. */
    readonly keep?: readonly Uint8Array[];
  },
): VerifierAnswer {
  const log = new Uint8Array(LOG_SIZE);
  const fields = { log_level: 1, log_size: log.length, log_buf: kernel.addressOf(log), ...program.fields };
  const attempt = programLoad(kernel, { ...program, fields, keep: [log, ...(program.keep ?? [])] });
  const call = { ...attempt, doing: `probe for ${attempt.subject}` };
  const result = tryBpf(kernel, call);
  if (result >= 0) kernel.close(result);
  else if (!conclusive.includes(-result)) throw bpfError(call, result);
  return { loaded: result >= 0, result, log: textOf(log) };
}

/** EACCES is the verifier's: the system call itself says EPERM. ENOTSUPP is for structs that cannot be implemented. */
const conclusive: readonly number[] = [
  errno.EINVAL,
  errno.E2BIG,
  errno.EACCES,
  errno.EOPNOTSUPP,
  errno.ENOTSUPP,
];

function textOf(log: Uint8Array): string {
  const end = log.indexOf(0);
  return new TextDecoder().decode(end < 0 ? log : log.subarray(0, end));
}
