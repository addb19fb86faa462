import { missingCapabilities } from '../sys/index.ts';
import type { Capability, Restrictions } from '../sys/index.ts';
import type { Check } from './check.ts';
import { inGroup } from './check.ts';

/**
 * What the main job cannot do without. CAP_PERFMON is among them because the verifier forbids the difference of two
 * packet pointers without it ("pointer -= pointer prohibited"), which the shipped sniffer computes as most programs do.
 */
export const neededCapabilities = [
  'CAP_BPF',
  'CAP_NET_ADMIN',
  'CAP_PERFMON',
] as const satisfies readonly Capability[];

const needed: readonly Capability[] = neededCapabilities;

const purposes: Readonly<Partial<Record<Capability, string>>> = {
  CAP_BPF: 'Creating maps and loading programs needs it',
  CAP_NET_ADMIN: 'Loading XDP programs and attaching them needs it',
  CAP_PERFMON:
    'Programs that compute with packet pointers need it, the shipped sniffer among them, and all tracing',
  CAP_SYS_ADMIN: 'Listing what others loaded and mounting file systems need it; the main job does not',
};

/** Whether the process has what BPF asks for. */
export function checkCapabilities(
  effective: ReadonlySet<Capability>,
  { userNamespace }: Pick<Restrictions, 'userNamespace'>,
): Check[] {
  const names = [...neededCapabilities, 'CAP_SYS_ADMIN'] as const;
  return inGroup(
    'capabilities',
    names.map((name) => checkCapability(name, { effective, userNamespace })),
  );
}

function checkCapability(
  name: Capability,
  { effective, userNamespace }: { effective: ReadonlySet<Capability>; userNamespace: boolean },
): Omit<Check, 'group'> {
  if (effective.has(name) && userNamespace) {
    return { name, status: 'warning', value: true, text: 'effective in this user namespace alone' };
  }
  if (effective.has(name)) return { name, status: 'ok', value: true, text: 'effective' };
  if (missingCapabilities([name], effective).length === 0) {
    // The stand-in holds in bpf(2) alone; rtnetlink wants the capability itself.
    const advice = name === 'CAP_NET_ADMIN' ? 'Attaching by netlink needs CAP_NET_ADMIN itself.' : undefined;
    return {
      name,
      status: advice === undefined ? 'ok' : 'warning',
      value: false,
      text: 'CAP_SYS_ADMIN stands in',
      advice,
    };
  }
  return {
    name,
    status: needed.includes(name) ? 'missing' : 'info',
    value: false,
    text: 'not effective',
    advice: `${purposes[name] ?? 'Some programs need it'}. Run as root, or give the process ${name}.`,
  };
}
