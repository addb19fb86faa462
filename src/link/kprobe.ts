import { existsSync, readFileSync } from 'node:fs';
import { ArgumentError, SyscallError } from '../errors.ts';
import type { BpfProgram } from '../programs/index.ts';
import { BPF_PROG_TYPE_KPROBE } from '../uapi/index.ts';
import { AttachError } from '../errors.ts';
import { checkProgram, doing, type AttachRequest } from './create-link.ts';
import { attachToPerfEvent, type PerfEventLink } from './perf-attachment.ts';
import { openProbe, type OpenProbe, type ProbeRequest, type ProbeVia } from './probe-source.ts';
import type { CookieOptions } from './tracing.ts';

/** Options of {@link attachKprobe}. */
export interface KprobeOptions extends CookieOptions {
  /** A function of the kernel, as /proc/kallsyms names it, or `MODULE:FUNCTION`. */
  readonly function: string;
  /** Bytes from the function's start to the instruction; only 0 goes with `onReturn`. @default 0 */
  readonly offset?: number;
  /** Run when the function returns. @default false */
  readonly onReturn?: boolean;
  /** @default 'perf', and 'tracefs' where the kernel cannot */
  readonly via?: ProbeVia;
}

/**
 * Attaches a program to an instruction of the kernel, or to the return of a function.
 *
 * Linux 4.1, by perf_event_open(2) 4.17, by bpf_link and with a cookie 5.15. Needs CAP_PERFMON, and the right to
 * write there for tracefs. By `tracefs` it has no bpf_link, and stays in tracefs when this process is killed.
 *
 * @throws AttachError (ATTACH_REFUSED) where there is no such function, or it may not be probed;
 * UnsupportedFeatureError where the kernel is built without kprobes; PermissionError
 */
export function attachKprobe(program: BpfProgram, options: KprobeOptions): PerfEventLink {
  const { function: fn, offset = 0, onReturn = false, via, cookie = 0n } = options;
  if (onReturn && offset !== 0) {
    throw new ArgumentError('offset', `Cannot attach ${program.name} to the return of ${fn} at an offset`);
  }
  const place = offset === 0 ? fn : `${fn}+0x${offset.toString(16)}`;
  const request: AttachRequest = {
    kind: onReturn ? 'kretprobe' : 'kprobe',
    target: place,
    needed: ['CAP_PERFMON'],
  };
  checkProgram(program, { types: [BPF_PROG_TYPE_KPROBE], target: place });
  const { event, cleanUp } = openOrRefuse({
    kind: 'kprobe',
    subject: fn,
    offset: BigInt(offset),
    onReturn,
    semaphoreOffset: 0n,
    pid: -1,
    via,
    doing: doing(program, request),
    description: `${request.kind} on ${place}`,
  });
  return attachToPerfEvent(program, { request, place: { event, cookie, cleanUp } });
}

function openOrRefuse(probe: ProbeRequest): OpenProbe {
  try {
    return openProbe(probe);
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    // kprobe_register() answers so for names that /proc/kallsyms lacks, and for functions marked "notrace".
    const why =
      error.errnoName === 'ENOENT' || error.errnoName === 'EADDRNOTAVAIL'
        ? 'the kernel has no function of that name that may be probed'
        : error.errnoName === 'EINVAL' || error.errnoName === 'EILSEQ'
          ? 'that instruction may not be probed'
          : undefined;
    if (why === undefined) throw error;
    throw new AttachError('ATTACH_REFUSED', probe.subject, `Cannot ${probe.doing}: ${why}`, { cause: error });
  }
}

/** Options of {@link attachKsyscall}. */
export interface KsyscallOptions extends CookieOptions {
  /** The name of the system call: `openat`. */
  readonly syscall: string;
  /** Run when it returns. @default false */
  readonly onReturn?: boolean;
}

/**
 * Attaches a program to the function that carries out a system call, whatever this kernel calls it:
 * `__x64_sys_openat`, `__arm64_sys_openat`, and `__se_sys_openat` before 4.17.
 *
 * As {@link attachKprobe}.
 */
export function attachKsyscall(program: BpfProgram, options: KsyscallOptions): PerfEventLink {
  const { syscall, ...rest } = options;
  return attachKprobe(program, { ...rest, function: syscallFunction(syscall) });
}

const wrappers: Readonly<Partial<Record<NodeJS.Architecture, string>>> = {
  x64: '__x64_sys_',
  arm64: '__arm64_sys_',
};

let hasWrappers: boolean | undefined;

/** bpf(2) is there wherever this library is of use, so that its name tells how the others are called. */
export function syscallFunction(name: string): string {
  const prefix = wrappers[process.arch];
  hasWrappers ??=
    prefix !== undefined &&
    existsSync('/proc/kallsyms') &&
    readFileSync('/proc/kallsyms', 'latin1').includes(` ${prefix}bpf\n`);
  return hasWrappers && prefix !== undefined ? `${prefix}${name}` : `__se_sys_${name}`;
}
