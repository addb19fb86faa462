import { PacketFlag, type MonitoredPacket } from './packet.ts';

/** The protocols that are shown by name, as the original monitor had them; numbers are IANA's. */
const PROTOCOL_NAMES: Readonly<Record<number, string>> = {
  1: 'ICMP',
  2: 'IGMP',
  6: 'TCP',
  17: 'UDP',
  41: 'IPv6',
  47: 'GRE',
  89: 'OSPF',
  132: 'SCTP',
  255: 'Reserved',
};

const ICMPV6 = 58;

/** `TCP` for 6; `PROTO_n` where the number has no name here. The original knew no IPv6 packets: ICMPv6 is a name in those. */
export function monitoredProtocolName({
  protocol,
  family,
}: Pick<MonitoredPacket, 'protocol' | 'family'>): string {
  if (family === 'ipv6' && protocol === ICMPV6) return 'ICMPv6';
  return PROTOCOL_NAMES[protocol] ?? `PROTO_${String(protocol)}`;
}

/** The names of the flags that are set: `['FRAG', 'SYN']`. */
export function packetFlagNames(flags: number): string[] {
  return Object.entries(PacketFlag)
    .filter(([, bit]) => (flags & bit) !== 0)
    .map(([name]) => name);
}

/**
 * `[15:04:05.000] TCP 10.0.0.1:80 -> 10.0.0.2:4242 (60 bytes) [SYN]`, in the time zone of this machine. IPv6 addresses stand
 * in brackets before their port.
 *
 * @param unixNanoseconds when it was seen, since 1970-01-01T00:00:00Z
 */
export function describeMonitoredPacket(packet: MonitoredPacket, unixNanoseconds: bigint): string {
  const { sourceAddress, sourcePort, destinationAddress, destinationPort } = packet;
  const source = endpoint(packet, sourceAddress, sourcePort);
  const destination = endpoint(packet, destinationAddress, destinationPort);
  const flags = packet.flags === 0 ? '' : ` [${packetFlagNames(packet.flags).join(',')}]`;
  return (
    `[${localClock(unixNanoseconds)}] ${monitoredProtocolName(packet)} ${source} -> ${destination} ` +
    `(${String(packet.packetSize)} bytes)${flags}`
  );
}

function endpoint({ family }: MonitoredPacket, address: string, port: number): string {
  return family === 'ipv6' ? `[${address}]:${String(port)}` : `${address}:${String(port)}`;
}

function localClock(unixNanoseconds: bigint): string {
  const date = new Date(Number(unixNanoseconds / 1_000_000n));
  const [hours, minutes, seconds] = [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) =>
    String(part).padStart(2, '0'),
  );
  const milliseconds = String(date.getMilliseconds()).padStart(3, '0');
  return `${String(hours)}:${String(minutes)}:${String(seconds)}.${milliseconds}`;
}
