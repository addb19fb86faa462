import type { Collection } from '../loader/index.ts';
import { ArgumentError } from '../errors.ts';
import { parseIpAddress } from '../netlink/index.ts';
import type { MirrorRule } from './rule.ts';

/** MAX_TARGETS and MAX_RULES of bpf/include/mirror/maps.h. */
export const MAX_TARGETS = 16;
const MAX_RULES = 16;

/**
 * The upper 24 bits of the mark of copies. It is the same for all mirrors of a host: so none copies what another sends, which
 * two on one interface would do forever.
 */
export const COPY_MARK = 0x5458_6d00;

/** Where copies go. */
export interface MirrorTarget {
  /** Of the tunnel device. */
  readonly ifindex: number;
  /** For people: `192.0.2.1`, or the name of a device that was there. */
  readonly name: string;
  /** An address and a VNI for a device that is told of each packet where it goes. */
  readonly tunnel?: { readonly remote: string; readonly vni: number };
}

export interface MirrorConfiguration {
  readonly targets: readonly MirrorTarget[];
  /** A frame is mirrored where one of them takes it; all frames where there is none. */
  readonly rules: readonly MirrorRule[];
  /** Of the tunnels that this mirror makes: such packets are not mirrored when they arrive. */
  readonly own: { readonly port: number; readonly vni: number } | undefined;
}

/** Says to the programs what to do; they have done nothing before. @throws ArgumentError */
export function configureMirror(collection: Collection, { targets, rules, own }: MirrorConfiguration): void {
  if (rules.length > MAX_RULES)
    throw new ArgumentError(
      'rules',
      `Cannot mirror by ${String(rules.length)} rules: ${String(MAX_RULES)} have room`,
    );
  rules.forEach((rule, index) => {
    collection.map('mirror_rules').set(index, ruleValue(rule));
  });
  targets.forEach((target, index) => {
    collection.map('mirror_targets').set(index, targetValue(target));
    collection.map('mirror_stats').set(index, { stat: { pcnt: 0n, bcnt: 0n, dcnt: 0n } });
  });
  collection.map('mirror_config').set(0, {
    mark: COPY_MARK,
    vni: own?.vni ?? 0,
    port: own?.port ?? 0,
    enabled: 1,
    filtered: rules.length > 0 ? 1 : 0,
  });
}

function targetValue({ ifindex, tunnel }: MirrorTarget): {
  ifindex: number;
  vni: number;
  family: number;
  remote: number[];
  reserved: number[];
} {
  const remote = tunnel ? parseIpAddress(tunnel.remote) : new Uint8Array();
  return {
    ifindex,
    vni: tunnel?.vni ?? 0,
    remote: padded(remote),
    family: familyOf(remote),
    reserved: [0, 0, 0],
  };
}

function ruleValue({ etherType = 0, protocol = 0, port = 0, network }: MirrorRule): {
  used: number;
  family: number;
  protocol: number;
  reserved: number;
  ether_type: number;
  port: number;
  address: number[];
  mask: number[];
} {
  const address = network?.address ?? new Uint8Array();
  const bits = network?.prefixLength ?? 0;
  const mask = address.map((_, index) => (0xff00 >> Math.min(8, Math.max(0, bits - index * 8))) & 0xff);
  return {
    used: 1,
    family: familyOf(address),
    protocol,
    reserved: 0,
    ether_type: etherType,
    port,
    address: padded(address),
    mask: padded(mask),
  };
}

function padded(bytes: Uint8Array): number[] {
  return [...bytes, ...Array.from({ length: 16 - bytes.length }, () => 0)];
}

function familyOf({ length }: Uint8Array): 0 | 4 | 6 {
  if (length === 0) return 0;
  return length === 4 ? 4 : 6;
}
