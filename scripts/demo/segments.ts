import { icmpEcho, Protocol, tcp, udp } from '../../test/fixtures/frames.ts';
import type { SegmentBuilder } from './packet.ts';

const NO_PORTS = { src_port: 0, dst_port: 0, tcp_flags: 0 };
const NOTHING = new Uint8Array(0);

export function tcpSegment(facts: {
  readonly port: number;
  readonly flags: number;
  readonly options?: Uint8Array;
  readonly payload?: Uint8Array;
}): SegmentBuilder {
  const { port, flags, options = NOTHING, payload = NOTHING } = facts;
  return ({ endpoints, sourcePort }) => ({
    bytes: tcp({ sourcePort, destinationPort: port, flags, options, endpoints }, payload),
    fields: {
      protocol: Protocol.Tcp,
      src_port: sourcePort,
      dst_port: port,
      tcp_flags: flags,
      l4_header_len: 20 + options.length,
    },
    payload,
  });
}

export function udpSegment(facts: { readonly port: number; readonly payload: Uint8Array }): SegmentBuilder {
  const { port, payload } = facts;
  return ({ endpoints, sourcePort }) => ({
    bytes: udp({ sourcePort, destinationPort: port, endpoints }, payload),
    fields: {
      protocol: Protocol.Udp,
      src_port: sourcePort,
      dst_port: port,
      tcp_flags: 0,
      l4_header_len: 8,
    },
    payload,
  });
}

export function icmpSegment(payload: Uint8Array): SegmentBuilder {
  return () => ({
    bytes: icmpEcho(payload),
    fields: { ...NO_PORTS, protocol: Protocol.Icmp, l4_header_len: 8 },
    payload,
  });
}

export function icmpv6Segment(payload: Uint8Array): SegmentBuilder {
  return ({ endpoints }) => ({
    bytes: icmpEcho(payload, endpoints),
    fields: { ...NO_PORTS, protocol: Protocol.Icmpv6, l4_header_len: 8 },
    payload,
  });
}

/** The first `length` bytes of a segment that does not fit into one packet. */
export function firstFragment(whole: SegmentBuilder, length: number): SegmentBuilder {
  return (origin) => {
    const { bytes, fields } = whole(origin);
    return {
      bytes: bytes.subarray(0, length),
      fields,
      payload: bytes.subarray(fields.l4_header_len, length),
    };
  };
}

/** What follows them. Only the first fragment has the transport header, and so the ports. */
export function laterFragment(whole: SegmentBuilder, offset: number): SegmentBuilder {
  return (origin) => {
    const { bytes, fields } = whole(origin);
    const rest = bytes.subarray(offset);
    return {
      bytes: rest,
      fields: { ...NO_PORTS, protocol: fields.protocol, l4_header_len: 0 },
      payload: rest,
    };
  };
}
