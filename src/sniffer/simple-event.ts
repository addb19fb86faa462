import type { PlacedField } from '../binary/index.ts';
import { at, bytes, chars, layout, u16, u32, u64, u8 } from '../binary/index.ts';
import { BoundsError, ValueError } from '../errors.ts';
import { formatIpv4, formatIpv6 } from '../netlink/index.ts';
import type { CapturedEvent } from './captured-event.ts';
import { payloadCapacity } from './captured-event.ts';
import { protocolName } from './protocol-names.ts';

/** What both events have after their addresses, without alignment, as bpf/include/sniffer/events.h lays it out. */
const tailFields = {
  src_port: at(0, u16),
  dst_port: at(2, u16),
  protocol: at(4, u8),
  tcp_flags: at(5, u8),
  packet_len: at(6, u32),
  ip_header_len: at(10, u16),
  l4_header_len: at(12, u16),
  timestamp: at(14, u64),
  payload_len: at(22, u16),
  payload: at(24, bytes(payloadCapacity)),
  interface_mode: at(536, u8),
  is_wan_facing: at(537, u8),
  source_ifindex: at(538, u32),
  source_interface: at(542, chars(16)),
};

type TailFields = typeof tailFields;

const EventTail = layout('event_tail', 558, tailFields);

/**
 * `struct simple_event`, packed: 566 bytes, addresses and ports in host order. The document that describes the original
 * calls it 544 bytes, which leaves out the interface fields at the end.
 */
export const SimpleEvent = layout('simple_event', 566, {
  src_ip: at(0, u32),
  dst_ip: at(4, u32),
  ...tailAt(8),
});

/** `struct simple_event_v6`, packed: 600 bytes, addresses in network order, everything else in host order. */
export const SimpleEventV6 = layout('simple_event_v6', 600, {
  src_ip: at(0, bytes(16)),
  dst_ip: at(16, bytes(16)),
  ...tailAt(32),
  vlan_proto: at(590, u16),
  vlan_tci: at(592, u16),
  hop_limit: at(594, u8),
  traffic_class: at(595, u8),
  flow_label: at(596, u32),
});

/**
 * Reads one raw record of the ring `events`, which lies at `offset`. The event owns what it holds: the payload is a
 * copy of `payload_len` bytes, so the record may be given back to the kernel.
 *
 * @throws {@link BoundsError} where fewer than 566 bytes are there, {@link ValueError} where `payload_len` is above 512.
 */
export function readSimpleEvent(view: DataView, offset: number): CapturedEvent {
  checkRecord(view, offset, SimpleEvent);
  return {
    family: 'ipv4',
    sourceAddress: formatIpv4(u32.read(view, offset + SimpleEvent.offsets.src_ip)),
    destinationAddress: formatIpv4(u32.read(view, offset + SimpleEvent.offsets.dst_ip)),
    ...readTail(view, offset + SimpleEvent.offsets.src_port),
    ipv6: undefined,
  };
}

/**
 * Reads one raw record of the ring `events_v6`, as {@link readSimpleEvent} does.
 *
 * @throws {@link BoundsError} where fewer than 600 bytes are there, {@link ValueError} where `payload_len` is above 512.
 */
export function readSimpleEventV6(view: DataView, offset: number): CapturedEvent {
  checkRecord(view, offset, SimpleEventV6);
  const { offsets } = SimpleEventV6;
  const address = (at: number): string =>
    formatIpv6(new Uint8Array(view.buffer, view.byteOffset + offset + at, 16));
  return {
    family: 'ipv6',
    sourceAddress: address(offsets.src_ip),
    destinationAddress: address(offsets.dst_ip),
    ...readTail(view, offset + offsets.src_port),
    ipv6: {
      hopLimit: u8.read(view, offset + offsets.hop_limit),
      trafficClass: u8.read(view, offset + offsets.traffic_class),
      flowLabel: u32.read(view, offset + offsets.flow_label),
      vlanProtocol: u16.read(view, offset + offsets.vlan_proto),
      vlanTag: u16.read(view, offset + offsets.vlan_tci),
    },
  };
}

/** Field by field and not through the descriptor's `read`, which would copy all 512 bytes of the payload. */
function readTail(
  view: DataView,
  start: number,
): Omit<CapturedEvent, 'family' | 'sourceAddress' | 'destinationAddress' | 'ipv6'> {
  const { offsets } = EventTail;
  const payloadLength = u16.read(view, start + offsets.payload_len);
  if (payloadLength > payloadCapacity) throw payloadTooLong(payloadLength);
  const protocol = u8.read(view, start + offsets.protocol);
  return {
    sourcePort: u16.read(view, start + offsets.src_port),
    destinationPort: u16.read(view, start + offsets.dst_port),
    protocol,
    protocolName: protocolName(protocol),
    tcpFlags: u8.read(view, start + offsets.tcp_flags),
    packetLength: u32.read(view, start + offsets.packet_len),
    ipHeaderLength: u16.read(view, start + offsets.ip_header_len),
    transportHeaderLength: u16.read(view, start + offsets.l4_header_len),
    timestamp: u64.read(view, start + offsets.timestamp),
    payload: new Uint8Array(view.buffer, view.byteOffset + start + offsets.payload, payloadLength).slice(),
    interfaceMode: u8.read(view, start + offsets.interface_mode),
    isWanFacing: u8.read(view, start + offsets.is_wan_facing) !== 0,
    interfaceIndex: u32.read(view, start + offsets.source_ifindex),
    interfaceName: tailFields.source_interface.type.read(view, start + offsets.source_interface),
  };
}

function tailAt(base: number): TailFields {
  const moved = Object.entries<PlacedField<unknown>>(tailFields).map(([name, { offset, type }]) => [
    name,
    { offset: base + offset, type },
  ]);
  return Object.fromEntries(moved) as TailFields;
}

function checkRecord(view: DataView, offset: number, { size }: { readonly size: number }): void {
  if (offset < 0 || offset + size > view.byteLength) throw new BoundsError(offset, size, view.byteLength);
}

function payloadTooLong(length: number): ValueError {
  const wanted = `an integer from 0 to ${String(payloadCapacity)}`;
  return new ValueError(
    'payload_len',
    'u16',
    `Cannot read payload_len of a sniffer event: it is ${String(length)}, not ${wanted}`,
  );
}
