import {
  concat,
  ethernet,
  EtherType,
  ipv4,
  IPV4_DESTINATION,
  ipv4Bytes,
  MAC_A,
  padded,
  pattern,
  udp,
} from '../../test/fixtures/frames.ts';
import type { DemoPacket } from './packet.ts';

/** Link Layer Discovery Protocol. */
const ETHER_TYPE_LLDP = 0x88cc;
const tag = { protocol: EtherType.Vlan, tci: 100 };

/** Who has that address? RFC 826: Ethernet, IPv4, lengths of their addresses, request. */
const arpRequest = concat(
  Uint8Array.of(0, 1, 8, 0, 6, 4, 0, 1),
  MAC_A,
  ipv4Bytes('192.0.2.250'),
  new Uint8Array(6),
  ipv4Bytes(IPV4_DESTINATION),
);

/** Frames that are no IP packets, or are behind more VLAN tags than the sniffer looks through: no events. */
export function otherPackets(): DemoPacket[] {
  const datagram = ipv4({ protocol: 17 }, udp({ sourcePort: 1, destinationPort: 2 }, pattern(32)));
  return [
    { kind: 'ARP', frame: padded(ethernet(EtherType.Arp, arpRequest)), tagged: false },
    { kind: 'ARP', frame: padded(ethernet(EtherType.Arp, arpRequest, [tag])), tagged: true },
    { kind: 'LLDP', frame: padded(ethernet(ETHER_TYPE_LLDP, pattern(46))), tagged: false },
    { kind: 'three VLAN tags', frame: ethernet(EtherType.Ipv4, datagram, [tag, tag, tag]), tagged: true },
  ].map((packet) => ({ ...packet, fields: undefined }));
}
