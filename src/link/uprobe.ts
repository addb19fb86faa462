import { ArgumentError } from '../errors.ts';
import type { BpfProgram } from '../programs/index.ts';
import { checkInteger } from '../sys/index.ts';
import { BPF_PROG_TYPE_KPROBE } from '../uapi/index.ts';
import { checkProgram, doing, type AttachRequest } from './create-link.ts';
import { attachToPerfEvent, type PerfEventLink } from './perf-attachment.ts';
import { openProbe, type ProbeVia } from './probe-source.ts';
import { findProgramFile, functionOffset } from './program-file.ts';
import type { CookieOptions } from './tracing.ts';

/** Options of {@link attachUprobe}: the file, and the function or offset in it. */
export interface UprobeOptions extends CookieOptions {
  /** A program or shared library: a path, or a name like `libc.so.6` or `bash` that is looked for where they are. */
  readonly path: string;
  /** `malloc`, `memcpy@GLIBC_2.2.5`, `main+0x10`; needed where no offset is given. */
  readonly function?: string;
  /** Bytes from the function's start, or, without one, from the start of the file. @default 0n */
  readonly offset?: bigint;
  /** Run when the function returns. @default false */
  readonly onReturn?: boolean;
  /** A process; its threads and later children are not part of it. @default every process */
  readonly pid?: number;
  /** Where in the file the counter is that tells the program that somebody listens. Linux 4.20. @default none */
  readonly semaphoreOffset?: bigint;
  /** @default 'perf', and 'tracefs' where the kernel cannot */
  readonly via?: ProbeVia;
}

/**
 * Attaches a program to a function of a program or library, for every process that runs it or for one.
 *
 * Linux 4.3, by perf_event_open(2) 4.17, by bpf_link and with a cookie 5.15. Needs CAP_PERFMON, and
 * CAP_SYS_ADMIN since 6.16 and stable kernels of July 2025. By `tracefs` it has no bpf_link, and stays in tracefs when this process is killed.
 *
 * @throws FileError, ElfError for the file; NotFoundError (SYMBOL_NOT_FOUND); AttachError, UnsupportedFeatureError,
 * PermissionError
 */
export function attachUprobe(program: BpfProgram, options: UprobeOptions): PerfEventLink {
  const { function: fn, onReturn = false, pid = -1, via, cookie = 0n, semaphoreOffset = 0n } = options;
  checkProgram(program, { types: [BPF_PROG_TYPE_KPROBE], target: fn ?? options.path });
  checkInteger('pid', pid, { minimum: -1, maximum: 0x7fff_ffff });
  const path = findProgramFile(options.path);
  const offset = placeOf(path, options);
  const request: AttachRequest = {
    kind: onReturn ? 'uretprobe' : 'uprobe',
    target: `${path}:${fn ?? `0x${offset.toString(16)}`}`,
    needed: ['CAP_PERFMON'],
  };
  const { event, cleanUp } = openProbe({
    kind: 'uprobe',
    subject: path,
    offset,
    onReturn,
    semaphoreOffset,
    pid,
    via,
    doing: doing(program, request),
    description: `${request.kind} on ${request.target}`,
  });
  return attachToPerfEvent(program, { request, place: { event, cookie, cleanUp } });
}

function placeOf(path: string, { function: fn, offset }: UprobeOptions): bigint {
  if (fn === undefined && offset === undefined) {
    throw new ArgumentError(
      'function',
      `Cannot attach to ${path}: neither a function nor an offset is given`,
    );
  }
  return (fn === undefined ? 0n : functionOffset(path, fn)) + (offset ?? 0n);
}
