import { Feature, requireFeature, unsupportedFeature } from '../features/index.ts';
import type { BpfProgram } from '../programs/index.ts';
import { errno } from '../sys/index.ts';
import * as uapi from '../uapi/index.ts';
import { bpf_attr_raw_tracepoint } from '../uapi/index.ts';
import { BpfLink } from './bpf-link-attachment.ts';
import {
  attachRefused,
  checkProgram,
  doing,
  tryCreateLink,
  tryLink,
  type AttachRequest,
} from './create-link.ts';

/** A number of the caller's that the program can ask for. */
export interface CookieOptions {
  /** What bpf_get_attach_cookie() gives in this attachment. @default 0n */
  readonly cookie?: bigint;
}

/** Options of {@link attachRawTracepoint}. */
export interface RawTracepointOptions extends CookieOptions {
  /** `sched_switch`, without its group. */
  readonly tracepoint: string;
}

/**
 * Attaches a raw tracepoint program, which gets the arguments of the tracepoint as the kernel passes them.
 *
 * Linux 4.17, with a cookie 6.10. Needs CAP_PERFMON.
 *
 * @throws AttachError (ATTACH_REFUSED) where there is no such tracepoint; UnsupportedFeatureError, PermissionError
 */
export function attachRawTracepoint(program: BpfProgram, options: RawTracepointOptions): BpfLink {
  const { tracepoint, cookie = 0n } = options;
  const request: AttachRequest = {
    kind: 'raw_tracepoint',
    target: tracepoint,
    needed: ['CAP_PERFMON'],
    reasons: { ENOENT: 'the kernel has no tracepoint of that name' },
  };
  const types = [uapi.BPF_PROG_TYPE_RAW_TRACEPOINT, uapi.BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE];
  checkProgram(program, { types, target: request.target });
  if (cookie !== 0n) {
    requireFeature(Feature.RawTracepointCookie, { doing: doing(program, request), kernel: program.kernel });
  }
  return openRawTracepoint(program, { request, tracepoint, cookie });
}

/** Options of {@link attachTracing}. */
export interface TracingOptions extends CookieOptions {
  /** The name of what it was loaded for, for messages and the link's `target`. @default the name that the kernel tells of a tracepoint; otherwise what kind it is */
  readonly target?: string;
}

/**
 * Attaches a program to the function, tracepoint or LSM hook that it was loaded for: `tp_btf`, `fentry`, `fexit`,
 * `fsession`, `fmod_ret`, `lsm`.
 *
 * Linux 5.5, LSM 5.7, `fsession` 7.0, with a cookie 5.19 and for `tp_btf` 6.10. Needs CAP_PERFMON.
 *
 * @throws AttachError: ALREADY_ATTACHED where the program is attached already, UnsupportedFeatureError,
 * PermissionError
 */
export function attachTracing(program: BpfProgram, options: TracingOptions = {}): BpfLink {
  const { cookie = 0n } = options;
  const { attachType } = program;
  const request: AttachRequest = {
    kind: kinds[attachType ?? 0] ?? 'tracing',
    target: options.target ?? `the ${places[attachType ?? 0] ?? 'function'} that it was loaded for`,
    needed: ['CAP_PERFMON'],
    reasons: {
      EBUSY: 'the program is attached already',
      // No trampoline that it was verified for (bpf_tracing_prog_attach()), or no address (bpf_check_attach_target()).
      ENOENT: whyNoTrampoline(program),
    },
  };
  checkProgram(program, {
    types: [uapi.BPF_PROG_TYPE_TRACING, uapi.BPF_PROG_TYPE_LSM],
    target: request.target,
  });
  const link = named(attachTraced(program, { request, attachType, cookie }), options);
  attachedBefore.add(program);
  return link;
}

function attachTraced(
  program: BpfProgram,
  facts: { request: AttachRequest; attachType: number | undefined; cookie: bigint },
): BpfLink {
  const { request, attachType, cookie } = facts;
  if (cookie === 0n || attachType === undefined) return openRawTracepoint(program, { request });
  if (attachType === uapi.BPF_TRACE_RAW_TP) {
    requireFeature(Feature.RawTracepointCookie, { doing: doing(program, request), kernel: program.kernel });
  }
  const result = tryCreateLink(program, {
    ...request,
    fields: { attach_type: attachType, tracing: { target_btf_id: 0, cookie } },
  });
  if (result instanceof BpfLink) return result;
  if (result === -errno.EINVAL && attachesWithoutCookie(program, request))
    throw unsupportedFeature(tracingCookies, { doing: doing(program, request) });
  throw attachRefused(program, { request, call: 'BPF_LINK_CREATE', result });
}

const tracingCookies = { name: 'cookies for tracing programs', minKernel: '5.19' };

/** Whose trampoline went with their first attachment on kernels that keep none: those attached in this process. */
const attachedBefore = new WeakSet<BpfProgram>();

function whyNoTrampoline(program: BpfProgram): string {
  const once = 'this kernel attaches such a program only once (again since Linux 5.13)';
  return attachedBefore.has(program)
    ? `it was attached before, and ${once}`
    : `what it was loaded for is gone, or it was attached before and ${once}`;
}

/** Of links to a tracepoint the kernel tells the name. */
function named(made: BpfLink, { target }: TracingOptions): BpfLink {
  if (target !== undefined || made.kind !== 'tp_btf') return made;
  const { kernel, kind } = made;
  const info = made.info();
  if (info.kind !== 'raw_tracepoint' || info.tracepoint === '') return made;
  return new BpfLink(made.release(), { kernel, kind, target: info.tracepoint });
}

/** What programs of an attach type were loaded for, other than functions. */
const places: Readonly<Record<number, string>> = {
  [uapi.BPF_TRACE_RAW_TP]: 'tracepoint',
  [uapi.BPF_LSM_MAC]: 'hook',
};

/** By attach type. */
const kinds: Readonly<Record<number, string>> = {
  [uapi.BPF_TRACE_RAW_TP]: 'tp_btf',
  [uapi.BPF_TRACE_FENTRY]: 'fentry',
  [uapi.BPF_TRACE_FEXIT]: 'fexit',
  [uapi.BPF_TRACE_FSESSION]: 'fsession',
  [uapi.BPF_MODIFY_RETURN]: 'fmod_ret',
  [uapi.BPF_LSM_MAC]: 'lsm',
};

/** Without a name it attaches to what the program was loaded for (bpf_raw_tp_link_attach() in kernel/bpf/syscall.c). */
export function openRawTracepoint(
  program: BpfProgram,
  facts: { request: AttachRequest; tracepoint?: string; cookie?: bigint },
): BpfLink {
  const { request, tracepoint, cookie = 0n } = facts;
  const { kernel } = program;
  const name = new TextEncoder().encode(tracepoint === undefined ? '' : `${tracepoint}\0`);
  const result = tryLink(program, {
    request,
    call: {
      command: 'BPF_RAW_TRACEPOINT_OPEN',
      attribute: bpf_attr_raw_tracepoint,
      fields: { name: kernel.addressOf(name), prog_fd: program.fd.value, cookie },
      keep: [name],
      doing: doing(program, request),
    },
  });
  if (result instanceof BpfLink) return result;
  throw attachRefused(program, { request, call: 'BPF_RAW_TRACEPOINT_OPEN', result });
}

/** The way to find out that it is the cookie which a kernel does not know. */
function attachesWithoutCookie(program: BpfProgram, request: AttachRequest): boolean {
  openRawTracepoint(program, { request }).close();
  return true;
}
