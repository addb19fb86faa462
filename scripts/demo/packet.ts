import type { Endpoints } from '../../test/fixtures/frames.ts';

/** What an event says that depends on the packet alone, by the names of the C struct. */
export type PacketFields = Readonly<Record<string, number | Uint8Array>>;

/** One frame that the demo sends. */
export interface DemoPacket {
  /** The row of the summary that it belongs to. */
  readonly kind: string;
  readonly frame: Uint8Array;
  readonly tagged: boolean;
  /** What the sniffer must say of it; undefined where it makes no event of it. */
  readonly fields: PacketFields | undefined;
}

/** What a packet is sent with so that its event can be told from all others: an address and a port of its own. */
export interface Origin {
  readonly endpoints: Endpoints;
  readonly sourcePort: number;
}

/** What follows the IP header, and what an event must say of it. */
export interface Segment {
  readonly bytes: Uint8Array;
  readonly fields: {
    readonly protocol: number;
    readonly src_port: number;
    readonly dst_port: number;
    readonly tcp_flags: number;
    readonly l4_header_len: number;
  };
  /** All of it, however much of it an event has room for. */
  readonly payload: Uint8Array;
}

/** Builds a segment where the packet starts: ports and checksum depend on that. */
export type SegmentBuilder = (origin: Origin) => Segment;

/** `simple_event` and `simple_event_v6` hold this much payload, and zeros behind a shorter one. */
const PAYLOAD_SIZE = 512;

export function payloadFields(payload: Uint8Array): PacketFields {
  const room = new Uint8Array(PAYLOAD_SIZE);
  room.set(payload.subarray(0, PAYLOAD_SIZE));
  return { payload_len: Math.min(payload.length, PAYLOAD_SIZE), payload: room };
}

/** What both kinds of event carry, and what only one of them does besides. */
export function packetFields(
  frame: Uint8Array,
  facts: { readonly segment: Segment; readonly ipHeaderLength: number; readonly more: PacketFields },
): PacketFields {
  const { segment, ipHeaderLength, more } = facts;
  return {
    ...segment.fields,
    ...payloadFields(segment.payload),
    packet_len: frame.length,
    ip_header_len: ipHeaderLength,
    ...more,
  };
}
