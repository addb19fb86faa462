import { existsSync, readFileSync } from 'node:fs';
import { UnsupportedFeatureError } from '../errors.ts';
import { PERF_FLAG_FD_CLOEXEC, perf_event_attr } from '../uapi/index.ts';
import { checkInteger } from './argument-checks.ts';
import { missingCapabilities, type Capability } from './capabilities.ts';
import { errno, syscallError } from './errno.ts';
import { Fd } from './fd.ts';
import { lastErrno, libc } from './libc.ts';
import { systemKernel } from './system-kernel.ts';

// <asm/unistd.h>; libc has no wrapper for perf_event_open(2).
const syscallNumbers: Readonly<Partial<Record<NodeJS.Architecture, number>>> = { x64: 298, arm64: 241 };

export interface PerfEventRequest {
  /** What is left out is zero; `size` is filled in. */
  readonly attribute: Partial<perf_event_attr>;
  /** Buffers whose addresses are in `attribute`. */
  readonly keep?: readonly Uint8Array[];
  /** A process or thread; -1 for all, which needs `cpu`. @default -1 */
  readonly pid?: number;
  /** -1 for any, which needs `pid`. @default -1 */
  readonly cpu?: number;
  /** What it is for, to follow "Cannot": `attach entry to tracepoint sched/sched_switch`. */
  readonly doing: string;
  /** Of the descriptor: `tracepoint sched/sched_switch`. */
  readonly description: string;
  /** The capabilities to look for on EPERM and EACCES. @default CAP_PERFMON */
  readonly needed?: readonly Capability[];
}

/** Referenced from here, buffers outlive the call whatever the optimizer does with the caller's locals. */
const held: { buffers: readonly Uint8Array[] | undefined } = { buffers: undefined };

/** perf_event_open(2). A descriptor, or the negated errno. */
export function tryOpenPerfEvent(request: Omit<PerfEventRequest, 'doing' | 'description'>): number {
  const { attribute, keep, pid = -1, cpu = -1 } = request;
  const number = process.platform === 'linux' ? syscallNumbers[process.arch] : undefined;
  if (number === undefined) {
    throw new UnsupportedFeatureError(
      'perf_event_open',
      '2.6.31',
      `Cannot call perf_event_open(2): it is there on Linux on x64 and arm64, and this is ${process.platform} on ${process.arch}`,
    );
  }
  checkInteger('pid', pid, { minimum: -1, maximum: 0x7fff_ffff });
  checkInteger('cpu', cpu, { minimum: -1, maximum: 0x7fff_ffff });
  const bytes = perf_event_attr.encode({ ...attribute, size: perf_event_attr.size });
  held.buffers = keep;
  // An older kernel takes a longer struct whose further bytes are zero (perf_copy_attr() in kernel/events/core.c).
  const opened = libc().perf_event_open(number, bytes, pid, cpu, -1, PERF_FLAG_FD_CLOEXEC);
  const result = opened < 0 ? -lastErrno() : opened;
  held.buffers = undefined;
  return result;
}

/** perf_event_open(2). @throws PermissionError, SyscallError */
export function openPerfEvent(request: PerfEventRequest): Fd {
  const number = tryOpenPerfEvent(request);
  if (number < 0) throw perfEventError(request, number);
  return new Fd(systemKernel(), number, request.description);
}

/** The error for a perf_event_open(2) that returned `result`, a negated errno. */
export function perfEventError(
  { doing, needed = ['CAP_PERFMON'] }: Pick<PerfEventRequest, 'doing' | 'needed'>,
  result: number,
): Error {
  const number = -result;
  const refused = number === errno.EPERM || number === errno.EACCES;
  const missing = refused ? missingCapabilities([...needed, ...neededByDistribution()]) : [];
  const hint = refused
    ? missing.length > 0
      ? `Run it as root, or give the process ${missing.join(' and ')}.`
      : 'No capability is missing; kernel.perf_event_paranoid or a security module refuses it.'
    : undefined;
  return syscallError({ call: 'perf_event_open', errno: number, doing, missing, hint });
}

/**
 * Debian's and Ubuntu's kernels take kernel.perf_event_paranoid above 2 to mean that perf_event_open(2) is for
 * CAP_SYS_ADMIN alone (their patch of kernel/events/core.c); in others it means no more than 2.
 */
function neededByDistribution(): readonly Capability[] {
  const path = '/proc/sys/kernel/perf_event_paranoid';
  // A sandbox may hide it, and this is asked on the way to another error.
  const level = existsSync(path) ? readFileSync(path, 'latin1') : '2';
  return Number(level) > 2 ? ['CAP_SYS_ADMIN'] : [];
}
