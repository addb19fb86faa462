import { formatIpv4, formatIpv6 } from '../netlink/index.ts';

/** One IP packet as the monitor saw it: the common form of the IPv4 and the IPv6 event. */
export interface MonitoredPacket {
  readonly family: 'ipv4' | 'ipv6';
  /** Dotted text, or RFC 5952 text. */
  readonly sourceAddress: string;
  readonly destinationAddress: string;
  /** 0 where the packet has no ports: ICMP, and every fragment but the first. */
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** IANA number of the protocol above IP, after IPv6 extension headers. */
  readonly protocol: number;
  /** Bytes of the frame, Ethernet header and padding included. */
  readonly packetSize: number;
  /** Nanoseconds of CLOCK_MONOTONIC (`bpf_ktime_get_ns`); `WallClock` converts them. */
  readonly timestamp: bigint;
  /** Bits of {@link PacketFlag}. */
  readonly flags: number;
}

/** Bits of `flags`, with the names they are shown by. */
export const PacketFlag = { FRAG: 0x01, LOW_TTL: 0x02, SYN: 0x10, FIN: 0x20, RST: 0x40 } as const;

/** What both events have, by the names in bpf/include/monitor/maps.h. */
interface CommonFields {
  readonly src_port: number;
  readonly dst_port: number;
  readonly protocol: number;
  readonly packet_size: number;
  readonly timestamp: bigint;
  readonly flags: number;
}

/** The fields of `struct packet_data`: addresses and ports in host order. */
export interface PacketData extends CommonFields {
  readonly src_ip: number;
  readonly dst_ip: number;
}

/** The fields of `struct packet_data_v6`: addresses as 16 bytes in network order, everything else in host order. */
export interface PacketDataV6 extends CommonFields {
  readonly src_ip: Uint8Array;
  readonly dst_ip: Uint8Array;
}

export function packetFromIpv4(fields: PacketData): MonitoredPacket {
  return packetOf(fields, {
    family: 'ipv4',
    sourceAddress: formatIpv4(fields.src_ip),
    destinationAddress: formatIpv4(fields.dst_ip),
  });
}

export function packetFromIpv6(fields: PacketDataV6): MonitoredPacket {
  return packetOf(fields, {
    family: 'ipv6',
    sourceAddress: formatIpv6(fields.src_ip),
    destinationAddress: formatIpv6(fields.dst_ip),
  });
}

/** Field by field: an object for an event that is read in place has no fields of its own to spread. */
function packetOf(
  fields: CommonFields,
  {
    family,
    sourceAddress,
    destinationAddress,
  }: Pick<MonitoredPacket, 'family' | 'sourceAddress' | 'destinationAddress'>,
): MonitoredPacket {
  return {
    family,
    sourceAddress,
    destinationAddress,
    sourcePort: fields.src_port,
    destinationPort: fields.dst_port,
    protocol: fields.protocol,
    packetSize: fields.packet_size,
    timestamp: fields.timestamp,
    flags: fields.flags,
  };
}
