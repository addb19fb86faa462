import { formatIpv4, parseIpAddress } from '../netlink/index.ts';
import type { ElementCodec } from '../maps/index.ts';
import type { PolicyAction, PolicyMatch } from './rule.ts';

/*
 * The layouts of bpf/include/policy/maps.h, written down here as well: a map that was opened by its pin has no types where
 * the kernel was not given any.
 */

const SHAPE = { source: 8, destination: 4, port: 2, protocol: 1 } as const;

/** How many shapes there are: entries of `rule_shapes`. */
export const SHAPES = 16;

/** Which fields of a rule are not any: its entry in `rule_shapes`. */
export function shapeOf(match: PolicyMatch): number {
  return (Object.keys(SHAPE) as (keyof typeof SHAPE)[]).reduce(
    (shape, field) => shape | (match[field] === undefined ? 0 : SHAPE[field]),
    0,
  );
}

/** The part of a packet that a rule of this shape looked at. */
export function matchOfShape(packet: PolicyMatch, shape: number): PolicyMatch {
  const { source, destination, port, protocol } = packet;
  return {
    source: (shape & SHAPE.source) !== 0 ? source : undefined,
    destination: (shape & SHAPE.destination) !== 0 ? destination : undefined,
    port: (shape & SHAPE.port) !== 0 ? port : undefined,
    protocol: (shape & SHAPE.protocol) !== 0 ? protocol : undefined,
  };
}

/** `struct policy_key`: addresses and port in network order, 0 is any, the last byte is 0. */
export const keyCodec: ElementCodec<PolicyMatch, PolicyMatch> = {
  size: 12,
  typeName: 'struct policy_key',
  read: (view, offset) => ({
    source: addressAt(view, offset),
    destination: addressAt(view, offset + 4),
    port: view.getUint16(offset + 8, false) || undefined,
    protocol: view.getUint8(offset + 10) || undefined,
  }),
  write(view, offset, { source, destination, port, protocol }) {
    writeAddress(view, offset, source);
    writeAddress(view, offset + 4, destination);
    view.setUint16(offset + 8, port ?? 0, false);
    view.setUint8(offset + 10, protocol ?? 0);
    view.setUint8(offset + 11, 0);
  },
};

const ALLOW = 1;

/** The value of a rule: the kernel's program takes everything but 1 for deny. */
export const actionCodec: ElementCodec<PolicyAction, PolicyAction> = {
  size: 4,
  typeName: '__u32',
  read: (view, offset) => (view.getUint32(offset, true) === ALLOW ? 'allow' : 'deny'),
  write(view, offset, action) {
    view.setUint32(offset, action === 'allow' ? ALLOW : 0, true);
  },
};

/** A number that is not 0 where there may be rules of a shape. */
export const wordCodec: ElementCodec<number, number> = {
  size: 4,
  typeName: '__u32',
  read: (view, offset) => view.getUint32(offset, true),
  write(view, offset, value) {
    view.setUint32(offset, value, true);
  },
};

/** What rules have matched. */
export interface RuleCounters {
  readonly packets: bigint;
  /** Of whole frames. */
  readonly bytes: bigint;
}

export const ruleCountersCodec: ElementCodec<RuleCounters, RuleCounters> = {
  size: 16,
  typeName: 'struct rule_counters',
  read: (view, offset) => ({
    packets: view.getBigUint64(offset, true),
    bytes: view.getBigUint64(offset + 8, true),
  }),
  write(view, offset, { packets, bytes }) {
    view.setBigUint64(offset, packets, true);
    view.setBigUint64(offset + 8, bytes, true);
  },
};

/** What happens where no rule says it, and to the log. */
export interface PolicySettings {
  readonly defaultAction: PolicyAction;
  /** Whether what would be denied is only counted and logged, and passes. */
  readonly dryRun: boolean;
  /** Rules are of IPv4 alone; `default` treats IPv6 packets as `defaultAction` says. */
  readonly ipv6: PolicyAction | 'default';
  /** At most as many events of denials on each CPU; 0 for none. */
  readonly denialsPerSecond: number;
}

/** By their numbers. */
const IPV6_SETTINGS: readonly PolicySettings['ipv6'][] = ['default', 'allow', 'deny'];

export const settingsCodec: ElementCodec<PolicySettings, PolicySettings> = {
  size: 8,
  typeName: 'struct policy_settings',
  read: (view, offset) => ({
    defaultAction: view.getUint8(offset) === ALLOW ? 'allow' : 'deny',
    dryRun: view.getUint8(offset + 1) !== 0,
    ipv6: IPV6_SETTINGS[view.getUint8(offset + 2)] ?? 'deny',
    denialsPerSecond: view.getUint32(offset + 4, true),
  }),
  write(view, offset, { defaultAction, dryRun, ipv6, denialsPerSecond }) {
    view.setUint8(offset, defaultAction === 'allow' ? ALLOW : 0);
    view.setUint8(offset + 1, dryRun ? 1 : 0);
    view.setUint8(offset + 2, IPV6_SETTINGS.indexOf(ipv6));
    view.setUint8(offset + 3, 0);
    view.setUint32(offset + 4, denialsPerSecond, true);
  },
};

/** In the order of `struct policy_counters`. */
const COUNTERS = [
  'seen',
  'ignored',
  'filtered',
  'noSpace',
  'submitted',
  'allowedByRule',
  'allowedByDefault',
  'deniedByRule',
  'deniedByDefault',
  'deniedMalformed',
  'unlogged',
  'passedDryRun',
] as const;

/**
 * What became of every frame. seen = ignored + allowedByRule + allowedByDefault + deniedByRule + deniedByDefault +
 * deniedMalformed, and what was denied = unlogged + noSpace + submitted.
 */
export type PolicyCounters = Readonly<Record<(typeof COUNTERS)[number], bigint>>;

export const countersCodec: ElementCodec<PolicyCounters, PolicyCounters> = {
  size: 8 * COUNTERS.length,
  typeName: 'struct policy_counters',
  read: (view, offset) =>
    Object.fromEntries(
      COUNTERS.map((name, index) => [name, view.getBigUint64(offset + index * 8, true)]),
    ) as PolicyCounters,
  write(view, offset, counters) {
    for (const [index, name] of COUNTERS.entries())
      view.setBigUint64(offset + index * 8, counters[name], true);
  },
};

/** All CPUs' counters together. */
export function sumPolicyCounters(counters: readonly PolicyCounters[]): PolicyCounters {
  return Object.fromEntries(
    COUNTERS.map((name) => [name, counters.reduce((sum, one) => sum + one[name], 0n)]),
  ) as PolicyCounters;
}

function addressAt(view: DataView, offset: number): string | undefined {
  const address = view.getUint32(offset, false);
  return address === 0 ? undefined : formatIpv4(address);
}

function writeAddress(view: DataView, offset: number, address: string | undefined): void {
  const bytes = address === undefined ? [0, 0, 0, 0] : parseIpAddress(address);
  for (let index = 0; index < 4; index++) view.setUint8(offset + index, bytes[index] ?? 0);
}
