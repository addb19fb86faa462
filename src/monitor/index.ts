export { packetFromIpv4, packetFromIpv6, PacketFlag } from './packet.ts';
export type { MonitoredPacket, PacketData, PacketDataV6 } from './packet.ts';
export { openPacketRings } from './packet-rings.ts';
export type { PacketDecoders } from './packet-rings.ts';
export { describeMonitoredPacket, monitoredProtocolName, packetFlagNames } from './packet-text.ts';
export { PacketCounters } from './totals.ts';
export type { PacketTotals } from './totals.ts';
