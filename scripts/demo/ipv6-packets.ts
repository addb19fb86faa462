import {
  concat,
  ethernet,
  EtherType,
  ipv6,
  ipv6Authentication,
  ipv6Bytes,
  IPV6_DESTINATION,
  ipv6Fragment,
  ipv6Options,
  pattern,
  Protocol,
  TcpFlag,
} from '../../test/fixtures/frames.ts';
import type { VlanTag } from '../../test/fixtures/frames.ts';
import type { DemoPacket, SegmentBuilder } from './packet.ts';
import { packetFields } from './packet.ts';
import { firstFragment, icmpv6Segment, laterFragment, tcpSegment, udpSegment } from './segments.ts';

/** An extension header, which names the protocol of what follows it. */
interface Extension {
  readonly protocol: number;
  readonly bytes: (nextHeader: number) => Uint8Array;
}

interface Ipv6Recipe {
  readonly kind: string;
  readonly segment: SegmentBuilder;
  readonly extensions?: readonly Extension[];
  readonly ip?: { readonly trafficClass: number; readonly flowLabel: number; readonly hopLimit: number };
  readonly tags?: readonly VlanTag[];
}

const { Fin, Syn, Psh, Ack } = TcpFlag;
const hello = udpSegment({ port: 53, payload: pattern(32) });
const request = tcpSegment({ port: 80, flags: Psh | Ack, payload: pattern(700) });
/** Of 1808 bytes. Fragments start at multiples of 8 bytes. */
const large = udpSegment({ port: 2049, payload: pattern(1800) });
const FIRST_FRAGMENT = 1200;

const hopByHop: Extension = { protocol: Protocol.HopByHop, bytes: (next) => ipv6Options(next) };
const routing: Extension = { protocol: Protocol.Routing, bytes: (next) => ipv6Options(next, 3) };
const authentication: Extension = { protocol: Protocol.Authentication, bytes: ipv6Authentication };
const destinationOptions: Extension = {
  protocol: Protocol.DestinationOptions,
  bytes: (next) => ipv6Options(next, 2),
};
const fragment = (offset: number, more: boolean): Extension => ({
  protocol: Protocol.Fragment,
  bytes: (next) => ipv6Fragment(next, offset / 8, more),
});
const customer: VlanTag = { protocol: EtherType.Vlan, tci: 0x6064 };
const service: VlanTag = { protocol: EtherType.QinQ, tci: 0x20c8 };

const recipes: readonly Ipv6Recipe[] = [
  ...[Syn, Syn | Ack, Fin | Ack].map((flags) => ({
    kind: 'TCP over IPv6',
    segment: tcpSegment({ port: 443, flags }),
  })),
  { kind: 'TCP over IPv6', segment: request },
  ...[0, 1, 512, 513, 1400].map((length) => ({
    kind: 'UDP over IPv6',
    segment: udpSegment({ port: 53, payload: pattern(length) }),
  })),
  { kind: 'ICMPv6 echo', segment: icmpv6Segment(pattern(56)) },
  {
    kind: 'traffic class, flow label, hop limit',
    segment: hello,
    ip: { trafficClass: 0xb8, flowLabel: 0xabcde, hopLimit: 255 },
  },
  ...[
    [hopByHop],
    [destinationOptions],
    [hopByHop, destinationOptions, routing, authentication, destinationOptions],
  ].flatMap((extensions) =>
    [hello, request].map((segment) => ({ kind: 'IPv6 extension headers', segment, extensions })),
  ),
  {
    kind: 'IPv6 fragments',
    segment: firstFragment(large, FIRST_FRAGMENT),
    extensions: [fragment(0, true)],
  },
  {
    kind: 'IPv6 fragments',
    segment: laterFragment(large, FIRST_FRAGMENT),
    extensions: [fragment(FIRST_FRAGMENT, false)],
  },
  { kind: '802.1Q tag, IPv6', segment: hello, tags: [customer] },
  { kind: 'QinQ, IPv6', segment: request, tags: [service, customer] },
];

function buildPacket(recipe: Ipv6Recipe, index: number): DemoPacket {
  const { kind, segment: build, extensions = [], tags = [] } = recipe;
  const { trafficClass, flowLabel, hopLimit } = recipe.ip ?? { trafficClass: 0, flowLabel: 0, hopLimit: 64 };
  const source = `2001:db8::${(index + 1).toString(16)}`;
  const endpoints = { source: ipv6Bytes(source), destination: ipv6Bytes(IPV6_DESTINATION) };
  const segment = build({ endpoints, sourcePort: 5000 + index });
  const headers = chain(extensions, segment.fields.protocol);
  const header = { source, nextHeader: headers.first, trafficClass, flowLabel, hopLimit };
  const frame = ethernet(EtherType.Ipv6, ipv6(header, concat(headers.bytes, segment.bytes)), tags);
  return {
    kind,
    frame,
    tagged: tags.length > 0,
    fields: packetFields(frame, {
      segment,
      ipHeaderLength: 40 + headers.bytes.length,
      more: {
        src_ip: endpoints.source,
        dst_ip: endpoints.destination,
        vlan_proto: tags[0]?.protocol ?? 0,
        vlan_tci: tags[0]?.tci ?? 0,
        hop_limit: hopLimit,
        traffic_class: trafficClass,
        flow_label: flowLabel,
      },
    }),
  };
}

interface Headers {
  /** The protocol of the first of them. */
  readonly first: number;
  readonly bytes: Uint8Array;
}

/** Built from the last to the first, because each names the one behind it. */
function chain(extensions: readonly Extension[], last: number): Headers {
  return extensions.reduceRight<Headers>(
    ({ first, bytes }, extension) => ({
      first: extension.protocol,
      bytes: concat(extension.bytes(first), bytes),
    }),
    { first: last, bytes: new Uint8Array(0) },
  );
}

/** Each from an address of its own in 2001:db8::/32 (RFC 3849). */
export function ipv6Packets(): DemoPacket[] {
  return recipes.map(buildPacket);
}
