import {
  describeMonitoredPacket,
  monitoredProtocolName,
  packetFlagNames,
  type MonitoredPacket,
} from '../../monitor/index.ts';
import type { WallClock } from '../../sys/index.ts';
import type { Json } from '../output/error-report.ts';

/** A packet as `--json` prints it. */
export function packetDocument(packet: MonitoredPacket, clock: WallClock): Json {
  return {
    type: 'packet',
    time: clock.toIso(packet.timestamp),
    family: packet.family,
    protocol: packet.protocol,
    protocol_name: monitoredProtocolName(packet),
    src_ip: packet.sourceAddress,
    src_port: packet.sourcePort,
    dst_ip: packet.destinationAddress,
    dst_port: packet.destinationPort,
    packet_size: packet.packetSize,
    flags: packetFlagNames(packet.flags),
    timestamp: packet.timestamp.toString(),
  };
}

export function packetLine(packet: MonitoredPacket, clock: WallClock): string {
  return describeMonitoredPacket(packet, clock.toUnixNanoseconds(packet.timestamp));
}
