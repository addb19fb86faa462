import { formatIpv4, formatIpv6 } from '../netlink/index.ts';
import { EventRecord } from './event-record.ts';
import { protocolName } from './protocol-names.ts';

/** How an interface is watched; the numbers are those of `struct interface_config` in the kernel program. */
export const InterfaceMode = { Disabled: 0, HostBased: 1, Gateway: 2 } as const;

/** One packet as the sniffer saw it: the common form of the IPv4 and the IPv6 event. */
export interface CapturedEvent {
  readonly family: 'ipv4' | 'ipv6';
  /** Dotted text, or RFC 5952 text. */
  readonly sourceAddress: string;
  readonly destinationAddress: string;
  /** 0 where the packet has no ports: ICMP, and every fragment but the first. */
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** IANA number of the protocol above IP, after IPv6 extension headers. */
  readonly protocol: number;
  readonly protocolName: string;
  /** Bits of {@link TcpFlag}; 0 for anything but TCP. */
  readonly tcpFlags: number;
  /** Bytes of the frame. */
  readonly packetLength: number;
  /** Bytes of the IP header, options and extension headers included. */
  readonly ipHeaderLength: number;
  /** Bytes of the TCP, UDP or ICMP header; 0 where there is none. */
  readonly transportHeaderLength: number;
  /** Nanoseconds of CLOCK_MONOTONIC (`bpf_ktime_get_ns`); `WallClock` converts them. */
  readonly timestamp: bigint;
  /** The first bytes of the payload, at most 512: a copy, owned by the event. */
  readonly payload: Uint8Array;
  /** A value of {@link InterfaceMode}. */
  readonly interfaceMode: number;
  readonly isWanFacing: boolean;
  readonly interfaceIndex: number;
  readonly interfaceName: string;
  /** What only the IPv6 event tells; `undefined` in an IPv4 event. */
  readonly ipv6: Ipv6Details | undefined;
}

export interface Ipv6Details {
  readonly hopLimit: number;
  readonly trafficClass: number;
  readonly flowLabel: number;
  /** 0x8100 or 0x88a8: the outermost VLAN tag's type; 0 where the frame has none. */
  readonly vlanProtocol: number;
  /** The tag's priority, drop eligibility and VLAN id (the lower 12 bits). */
  readonly vlanTag: number;
}

/** How many bytes of payload an event holds at most. */
export const payloadCapacity = 512;

/**
 * Normalises an event that was decoded by the object's BTF, with the C field names as keys. `src_ip` and `dst_ip` are
 * numbers (host order) in an IPv4 event and arrays of 16 bytes in an IPv6 event. Fields it does not know are ignored.
 *
 * @throws {@link BtfError} where the type lacks a field, {@link ValueError} where a field has another type or range.
 */
export function capturedEventFromRecord(decoded: Readonly<Record<string, unknown>>): CapturedEvent {
  const record = new EventRecord(decoded);
  const isIpv4 = record.isInteger('src_ip');
  const address = (field: string): string =>
    isIpv4 ? formatIpv4(record.unsigned(field, 32)) : formatIpv6(record.bytes(field, 16));
  const payloadLength = record.unsigned('payload_len', 16, payloadCapacity);
  const protocol = record.unsigned('protocol', 8);
  return {
    family: isIpv4 ? 'ipv4' : 'ipv6',
    sourceAddress: address('src_ip'),
    destinationAddress: address('dst_ip'),
    sourcePort: record.unsigned('src_port', 16),
    destinationPort: record.unsigned('dst_port', 16),
    protocol,
    protocolName: protocolName(protocol),
    tcpFlags: record.unsigned('tcp_flags', 8),
    packetLength: record.unsigned('packet_len', 32),
    ipHeaderLength: record.unsigned('ip_header_len', 16),
    transportHeaderLength: record.unsigned('l4_header_len', 16),
    timestamp: record.unsigned64('timestamp'),
    payload: record.bytes('payload', payloadCapacity).slice(0, payloadLength),
    interfaceMode: record.unsigned('interface_mode', 8),
    isWanFacing: record.unsigned('is_wan_facing', 8) !== 0,
    interfaceIndex: record.unsigned('source_ifindex', 32),
    interfaceName: record.text('source_interface'),
    ipv6: isIpv4 ? undefined : ipv6Details(record),
  };
}

function ipv6Details(record: EventRecord): Ipv6Details {
  return {
    hopLimit: record.unsigned('hop_limit', 8),
    trafficClass: record.unsigned('traffic_class', 8),
    flowLabel: record.unsigned('flow_label', 32),
    vlanProtocol: record.unsigned('vlan_proto', 16),
    vlanTag: record.unsigned('vlan_tci', 16),
  };
}
