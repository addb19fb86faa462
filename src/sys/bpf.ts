import type { StructType } from '../binary/index.ts';
import type { TsXdpError } from '../errors.ts';
import { UnsupportedFeatureError } from '../errors.ts';
import { bpfCommands } from './bpf-commands.ts';
import type { BpfCommandName } from './bpf-commands.ts';
import type { Capability } from './capabilities.ts';
import { missingCapabilities } from './capabilities.ts';
import { errno, syscallError } from './errno.ts';
import { Fd } from './fd.ts';
import type { Kernel } from './kernel.ts';
import { permissionError, readRestrictions } from './permission.ts';
import { withoutProfilerSignal } from './profiler-signal.ts';

export type { BpfCommandName };

/** One bpf(2) call. */
export interface BpfCall<Fields extends object> {
  readonly command: BpfCommandName;
  /** The part of `union bpf_attr` that the command reads: `bpf_attr_map_create`. */
  readonly attribute: StructType<Fields>;
  /** What is left out is zero. Addresses come from `kernel.addressOf()`. */
  readonly fields: Partial<Fields>;
  /** Every buffer whose address is in `fields`: an address alone does not keep its buffer alive. */
  readonly keep?: readonly Uint8Array[];
  /** What it is for, to follow "Cannot": `create map events`. */
  readonly doing: string;
  /** The capabilities to look for on EPERM and EACCES. @default what the command always needs */
  readonly needed?: readonly Capability[];
}

/** Referenced from here, buffers outlive the call whatever the optimizer does with the caller's locals. */
const held: { buffers: readonly Uint8Array[] | undefined } = { buffers: undefined };

/** bpf(2). The result, or the negated errno. */
export function tryBpf<Fields extends object>(kernel: Kernel, call: BpfCall<Fields>): number {
  return perform(kernel, call, call.attribute.encode(call.fields));
}

/** bpf(2) with a command that answers within its attribute, which is returned as it stands afterwards. */
export function exchangeBpf<Fields extends object>(
  kernel: Kernel,
  call: BpfCall<Fields>,
): { readonly result: number; readonly answer: Fields } {
  const attribute = call.attribute.encode(call.fields);
  const result = perform(kernel, call, attribute);
  return { result, answer: call.attribute.decode(attribute) };
}

function perform(
  kernel: Kernel,
  call: { readonly command: BpfCommandName; readonly keep?: readonly Uint8Array[] },
  attribute: Uint8Array,
): number {
  const command = bpfCommands[call.command];
  held.buffers = call.keep;
  let result = kernel.bpf(command, attribute);
  if (result === -errno.EAGAIN && call.command === 'BPF_PROG_LOAD') {
    result = withoutProfilerSignal(() => verifyAgain(kernel, { command, attribute }));
  }
  held.buffers = undefined;
  return result;
}

const LOAD_ATTEMPTS = 5;

/**
 * The verifier gives up with EAGAIN when a signal is pending (do_check() in kernel/bpf/verifier.c), which a profiler's is
 * each time where it comes more often than verification lasts.
 */
function verifyAgain(
  kernel: Kernel,
  { command, attribute }: { command: number; attribute: Uint8Array },
): number {
  for (let attempt = 2; ; attempt++) {
    const result = kernel.bpf(command, attribute);
    if (result !== -errno.EAGAIN || attempt === LOAD_ATTEMPTS) return result;
  }
}

/** bpf(2). Throws what {@link bpfError} makes of a failure. */
export function callBpf<Fields extends object>(kernel: Kernel, call: BpfCall<Fields>): number {
  const result = tryBpf(kernel, call);
  if (result < 0) throw bpfError(call, result);
  return result;
}

/**
 * bpf(2) with a command that gives a descriptor, under an owner. It is never 0, 1 or 2, even where those are closed:
 * in many fields of `union bpf_attr` a descriptor of 0 means none.
 */
export function openBpf<Fields extends object>(
  kernel: Kernel,
  call: BpfCall<Fields> & { readonly description: string },
): Fd {
  const number = callBpf(kernel, call);
  if (number > 2) return new Fd(kernel, number, call.description);
  const moved = kernel.duplicate(number, 3);
  kernel.close(number);
  if (moved < 0) throw syscallError({ call: 'fcntl', errno: moved, doing: call.doing });
  return new Fd(kernel, moved, call.description);
}

/** The error for a bpf(2) call that returned `result`, a negated errno. */
export function bpfError(
  call: Pick<BpfCall<never>, 'command' | 'doing'> & { readonly needed?: readonly Capability[] | undefined },
  result: number,
): TsXdpError {
  const number = Math.abs(result);
  const { command, doing } = call;
  const failed = { call: `bpf(${command})`, errno: number, doing };
  if (number === errno.EPERM || number === errno.EACCES) {
    const missing = missingCapabilities(call.needed ?? neededFor(command));
    const hint = missing.length === 0 && elementCommand.test(command) ? elementHint : undefined;
    if (hint !== undefined) return syscallError({ ...failed, missing, hint });
    return permissionError({ ...failed, needed: missing }, { missing, restrictions: readRestrictions() });
  }
  if (number === errno.ENOSYS) {
    return new UnsupportedFeatureError('bpf', '3.18', `Cannot ${doing}: this kernel is built without bpf(2)`);
  }
  return syscallError(failed);
}

const elementCommand = /^BPF_MAP_(LOOKUP|UPDATE|DELETE|GET_NEXT_KEY)/;
const elementHint = 'The map is frozen, or was made or opened without that access.';

function neededFor(command: BpfCommandName): readonly Capability[] {
  // Ids of all users' objects are for the administrator alone (bpf_prog_get_fd_by_id() in kernel/bpf/syscall.c).
  return command.endsWith('_BY_ID') || command.endsWith('_NEXT_ID') ? ['CAP_SYS_ADMIN'] : ['CAP_BPF'];
}
