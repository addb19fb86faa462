import { readFileSync } from 'node:fs';

/** Bit numbers of <linux/capability.h>, in order. */
const names = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_DAC_READ_SEARCH',
  'CAP_FOWNER',
  'CAP_FSETID',
  'CAP_KILL',
  'CAP_SETGID',
  'CAP_SETUID',
  'CAP_SETPCAP',
  'CAP_LINUX_IMMUTABLE',
  'CAP_NET_BIND_SERVICE',
  'CAP_NET_BROADCAST',
  'CAP_NET_ADMIN',
  'CAP_NET_RAW',
  'CAP_IPC_LOCK',
  'CAP_IPC_OWNER',
  'CAP_SYS_MODULE',
  'CAP_SYS_RAWIO',
  'CAP_SYS_CHROOT',
  'CAP_SYS_PTRACE',
  'CAP_SYS_PACCT',
  'CAP_SYS_ADMIN',
  'CAP_SYS_BOOT',
  'CAP_SYS_NICE',
  'CAP_SYS_RESOURCE',
  'CAP_SYS_TIME',
  'CAP_SYS_TTY_CONFIG',
  'CAP_MKNOD',
  'CAP_LEASE',
  'CAP_AUDIT_WRITE',
  'CAP_AUDIT_CONTROL',
  'CAP_SETFCAP',
  'CAP_MAC_OVERRIDE',
  'CAP_MAC_ADMIN',
  'CAP_SYSLOG',
  'CAP_WAKE_ALARM',
  'CAP_BLOCK_SUSPEND',
  'CAP_AUDIT_READ',
  'CAP_PERFMON',
  'CAP_BPF',
  'CAP_CHECKPOINT_RESTORE',
] as const;

export type Capability = (typeof names)[number];

/** The capabilities of a `CapEff` mask. */
export function capabilitiesOfMask(mask: bigint): ReadonlySet<Capability> {
  return new Set(names.filter((_, bit) => (mask >> BigInt(bit)) & 1n));
}

/** What this thread may do now; in a user namespace, what it may do there. */
export function effectiveCapabilities(): ReadonlySet<Capability> {
  const status = readFileSync('/proc/thread-self/status', 'latin1');
  const mask = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1];
  return capabilitiesOfMask(BigInt(`0x${mask ?? '0'}`));
}

/**
 * Which of `needed` are absent. CAP_SYS_ADMIN stands in for CAP_BPF, CAP_PERFMON and, in bpf(2), CAP_NET_ADMIN
 * (`bpf_token_capable` in kernel/bpf/token.c).
 */
export function missingCapabilities(
  needed: readonly Capability[],
  effective: ReadonlySet<Capability> = effectiveCapabilities(),
): Capability[] {
  if (effective.has('CAP_SYS_ADMIN'))
    return needed.filter((name) => !effective.has(name) && !impliedByAdministrator(name));
  return needed.filter((name) => !effective.has(name));
}

function impliedByAdministrator(name: Capability): boolean {
  return name === 'CAP_BPF' || name === 'CAP_PERFMON' || name === 'CAP_NET_ADMIN';
}
