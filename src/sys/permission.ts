import { readFileSync } from 'node:fs';
import type { PermissionError, SyscallError } from '../errors.ts';
import type { Capability } from './capabilities.ts';
import { missingCapabilities } from './capabilities.ts';
import { syscallError } from './errno.ts';

export type Lockdown = 'none' | 'integrity' | 'confidentiality';

/** What holds back a process that has every capability asked for. */
export interface Restrictions {
  /** In a user namespace other than the first, capabilities do not reach the kernel's BPF. */
  readonly userNamespace: boolean;
  /** Undefined where the kernel does not tell. */
  readonly lockdown: Lockdown | undefined;
  /** The sysctl: 0 allows some BPF to everybody, 1 and 2 do not. Undefined where it is absent. */
  readonly unprivilegedBpfDisabled: number | undefined;
}

export function readRestrictions(): Restrictions {
  const sysctl = readOptional('/proc/sys/kernel/unprivileged_bpf_disabled');
  return {
    userNamespace: !inFirstUserNamespace(),
    lockdown: parseLockdown(readOptional('/sys/kernel/security/lockdown')),
    unprivilegedBpfDisabled: sysctl === undefined ? undefined : Number(sysctl),
  };
}

/** Where capabilities count for BPF. It maps all 2^32 - 1 ids to themselves; true, too, where the kernel does not tell. */
export function inFirstUserNamespace(): boolean {
  const userMap = readOptional('/proc/thread-self/uid_map') ?? readOptional('/proc/self/uid_map');
  return userMap === undefined || /^\s*0\s+0\s+4294967295\s*$/.test(userMap);
}

/** The choice in brackets of `none [integrity] confidentiality`. */
export function parseLockdown(text: string | undefined): Lockdown | undefined {
  const chosen = text === undefined ? undefined : /\[(\w+)\]/.exec(text)?.[1];
  return chosen === 'none' || chosen === 'integrity' || chosen === 'confidentiality' ? chosen : undefined;
}

/** What was refused, and which capabilities it needs. */
export interface Refusal {
  readonly call: string;
  readonly errno: number;
  readonly doing: string;
  readonly needed: readonly Capability[];
}

/** Says what is missing: capabilities first, and where none is, what else is known to refuse. */
export function permissionError(
  refusal: Refusal,
  facts: { missing?: readonly Capability[]; restrictions?: Restrictions } = {},
): PermissionError | SyscallError {
  const missing = facts.missing ?? missingCapabilities(refusal.needed);
  const restrictions = facts.restrictions ?? readRestrictions();
  return syscallError({ ...refusal, missing, hint: hintFor(missing, restrictions) });
}

function hintFor(missing: readonly Capability[], restrictions: Restrictions): string | undefined {
  if (missing.length > 0) return `Run it as root, or give the process ${missing.join(' and ')}.`;
  if (restrictions.userNamespace) {
    return 'The process is in a user namespace, whose capabilities do not count for BPF; run it outside, or with a BPF token (Linux 6.9).';
  }
  if (restrictions.lockdown !== undefined && restrictions.lockdown !== 'none') {
    return `No capability is missing; the kernel is locked down (${restrictions.lockdown}), which refuses some programs and helpers even to root.`;
  }
  return 'No capability is missing; a security module, seccomp or a setting of the kernel refuses it.';
}

/** These files are absent on kernels built without the feature, and unreadable in some containers. */
function readOptional(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    return undefined;
  }
}
