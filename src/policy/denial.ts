import { NotFoundError } from '../errors.ts';
import type { Collection } from '../loader/index.ts';
import { formatIpAddress } from '../netlink/index.ts';
import { RingBuffer } from '../ringbuf/index.ts';
import { matchOfShape } from './layout.ts';
import { policyProtocolName, type PolicyMatch } from './rule.ts';

const RING = 'denials';

/** The fields of `struct denial`: addresses in network order, ports in host order. */
export interface DenialFields {
  readonly timestamp: bigint;
  readonly source_ip: Uint8Array;
  readonly dest_ip: Uint8Array;
  readonly packet_size: number;
  readonly ifindex: number;
  readonly source_port: number;
  readonly dest_port: number;
  readonly protocol: number;
  readonly family: number;
  readonly reason: number;
  readonly rule_shape: number;
  readonly dry_run: number;
}

/** Why a packet was denied, by the kernel's numbers from 1 on. */
const REASONS = ['rule', 'default', 'fragment', 'malformed', 'ipv6'] as const;

/**
 * `rule`: a rule says so; `default`: none says otherwise; `fragment`: the same, and a fragment without ports is matched only by
 * rules without a port; `malformed`: it could not be read; `ipv6`: by the setting for IPv6.
 */
export type DenialReason = (typeof REASONS)[number] | 'unknown';

/** A packet that was denied. */
export interface Denial {
  readonly reason: DenialReason;
  /** Undefined where the packet could not be read. */
  readonly family: 'ipv4' | 'ipv6' | undefined;
  /** Dotted text, or RFC 5952 text; empty without a family. */
  readonly sourceAddress: string;
  readonly destinationAddress: string;
  /** 0 where the packet has no ports. */
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** IANA number of the protocol above IP. */
  readonly protocol: number;
  /** Bytes of the frame. */
  readonly packetSize: number;
  /** Index of the interface that it came in by. */
  readonly ifindex: number;
  /** The rule that denied it. */
  readonly rule: PolicyMatch | undefined;
  /** Whether it passed all the same. */
  readonly dryRun: boolean;
  /** Nanoseconds of CLOCK_MONOTONIC (`bpf_ktime_get_ns`); `WallClock` converts them. */
  readonly timestamp: bigint;
}

export function denialFrom(fields: DenialFields): Denial {
  const family = fields.family === 4 ? 'ipv4' : fields.family === 6 ? 'ipv6' : undefined;
  const address = (bytes: Uint8Array): string =>
    family === undefined ? '' : formatIpAddress(family === 'ipv4' ? bytes.subarray(0, 4) : bytes);
  const reason = REASONS[fields.reason - 1] ?? 'unknown';
  const denial = {
    reason,
    family,
    sourceAddress: address(fields.source_ip),
    destinationAddress: address(fields.dest_ip),
    sourcePort: fields.source_port,
    destinationPort: fields.dest_port,
    protocol: fields.protocol,
    packetSize: fields.packet_size,
    ifindex: fields.ifindex,
    dryRun: fields.dry_run !== 0,
    timestamp: fields.timestamp,
  } as const;
  return { ...denial, rule: reason === 'rule' ? ruleOf(denial, fields.rule_shape) : undefined };
}

/**
 * `default tcp 10.0.0.1:40000 -> 10.0.0.2:22 (60 bytes)`: reason, protocol and ends. IPv6 addresses stand in brackets before their
 * port.
 */
export function describeDenial(denial: Denial): string {
  const { family, protocol, packetSize, reason, dryRun } = denial;
  const end = (address: string, port: number): string => {
    if (port === 0) return address;
    return family === 'ipv6' ? `[${address}]:${port}` : `${address}:${port}`;
  };
  const ends =
    family === undefined
      ? 'a packet'
      : `${policyProtocolName(protocol)} ${end(denial.sourceAddress, denial.sourcePort)} -> ` +
        end(denial.destinationAddress, denial.destinationPort);
  return `${reason} ${ends} (${packetSize} bytes)${dryRun ? ', passed: dry run' : ''}`;
}

/** A reader of the denials. The caller closes it. @throws NotFoundError for an object that has none; SyscallError */
export function openDenials<Event>(
  collection: Collection,
  decode: (denial: Denial) => Event,
): RingBuffer<Event> {
  const { btf, anchors } = collection.object;
  const typeId = anchors.events.get(RING);
  if (!btf || typeId === undefined)
    throw new NotFoundError(
      'TYPE_NOT_FOUND',
      RING,
      `Cannot read ${RING}: the object does not name its events`,
    );
  return RingBuffer.inPlace(collection.map(RING), {
    btf,
    typeId,
    decode: (fields: DenialFields) => decode(denialFrom(fields)),
  });
}

function ruleOf(
  denial: Pick<Denial, 'sourceAddress' | 'destinationAddress' | 'destinationPort' | 'protocol'>,
  shape: number,
): PolicyMatch {
  const { sourceAddress, destinationAddress, destinationPort, protocol } = denial;
  return matchOfShape(
    { source: sourceAddress, destination: destinationAddress, port: destinationPort, protocol },
    shape,
  );
}
