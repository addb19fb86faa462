import { ArgumentError, AttachError, ClosedError } from '../errors.ts';
import { requireFeature, type Feature } from '../features/index.ts';
import type { BpfProgram } from '../programs/index.ts';
import { programTypeName } from '../programs/index.ts';
import {
  bpfError,
  describeErrno,
  errno,
  Fd,
  missingCapabilities,
  tryBpf,
  type BpfCall,
  type Capability,
} from '../sys/index.ts';
import { bpf_attr_link_create } from '../uapi/index.ts';
import { BpfLink } from './bpf-link-attachment.ts';

/** What is attached where, for links and for messages. */
export interface AttachRequest {
  readonly kind: string;
  /** `eth0 (ingress)` */
  readonly target: string;
  /** Beside CAP_BPF. */
  readonly needed: readonly Capability[];
  /** What a kernel may lack that refuses, found by probing. */
  readonly feature?: Feature | undefined;
  /** What to do where it is missing. */
  readonly hint?: string | undefined;
  /** What errnos mean here that are no matter of course: `{ ENODEV: 'the interface is gone' }`. */
  readonly reasons?: Readonly<Partial<Record<keyof typeof errno, string>>>;
}

export interface LinkRequest extends AttachRequest {
  readonly fields: Partial<bpf_attr_link_create>;
  readonly keep?: readonly Uint8Array[];
}

/** Attaches by BPF_LINK_CREATE. @throws what {@link attachRefused} makes of a refusal */
export function createLink(program: BpfProgram, request: LinkRequest): BpfLink {
  const result = tryCreateLink(program, request);
  if (result instanceof BpfLink) return result;
  throw attachRefused(program, { request, call: 'BPF_LINK_CREATE', result });
}

/** The same with a refusal as the negated errno. */
export function tryCreateLink(program: BpfProgram, request: LinkRequest): BpfLink | number {
  return tryLink(program, {
    request,
    call: {
      command: 'BPF_LINK_CREATE',
      attribute: bpf_attr_link_create,
      fields: { prog_fd: program.fd.value, ...request.fields },
      keep: request.keep ?? [],
      doing: doing(program, request),
    },
  });
}

/** A command that gives the descriptor of a link, or the negated errno. */
export function tryLink<Fields extends object>(
  program: BpfProgram,
  { request, call }: { request: AttachRequest; call: BpfCall<Fields> },
): BpfLink | number {
  const { kernel } = program;
  const number = tryBpf(kernel, call);
  if (number < 0) return number;
  const { kind, target } = request;
  return new BpfLink(new Fd(kernel, number, `${kind} link to ${target}`), { kernel, kind, target });
}

/** To follow "Cannot". */
export function doing(program: BpfProgram, { target }: AttachRequest): string {
  return `attach ${program.name} to ${target}`;
}

/** The error for an attachment that the kernel refused with a negated errno. */
export function attachRefused(
  program: BpfProgram,
  refusal: { request: AttachRequest; call: string; result: number },
): Error {
  const { request, call, result } = refusal;
  const { target, feature, hint, needed, reasons = {} } = request;
  const doingThis = doing(program, request);
  const explained = result === -errno.EPERM && reasons.EPERM !== undefined;
  const mayNot = result === -errno.EPERM || result === -errno.EACCES;
  if (mayNot && !(explained && missingCapabilities(['CAP_BPF', ...needed]).length === 0)) {
    return bpfError(
      { command: call as 'BPF_LINK_CREATE', doing: doingThis, needed: ['CAP_BPF', ...needed] },
      result,
    );
  }
  const unknown = [errno.EINVAL, errno.E2BIG, errno.EOPNOTSUPP, errno.ENOTSUPP];
  if (feature && unknown.includes(-result)) {
    requireFeature(feature, { doing: doingThis, hint, kernel: program.kernel });
  }
  const name = (Object.keys(errno) as (keyof typeof errno)[]).find((key) => errno[key] === -result);
  const reason = name && reasons[name];
  const why = reason === undefined ? `the kernel refuses it with ${describeErrno(result)}` : reason;
  const message = `Cannot ${doingThis}: ${why}`;
  if (result === -errno.EEXIST || result === -errno.EBUSY) {
    return new AttachError('ALREADY_ATTACHED', target, message);
  }
  if (result === -errno.ESTALE) return new AttachError('ATTACH_CHANGED', target, message);
  return new AttachError('ATTACH_REFUSED', target, message);
}

/** Throws unless a program is open and of one of these types. */
export function checkProgram(
  program: BpfProgram,
  { types, target }: { types: readonly number[]; target: string },
): void {
  if (program.closed) throw new ClosedError(program.fd.description);
  if (types.includes(program.type)) return;
  const wanted = types.map(programTypeName).join(' or ');
  throw new ArgumentError(
    'program',
    `Cannot attach ${program.name} to ${target}: it is of type ${programTypeName(program.type)}, and ${wanted} is needed`,
  );
}
