import {
  ethernet,
  EtherType,
  ipv4,
  ipv4Bytes,
  IPV4_DESTINATION,
  ipv4Number,
  padded,
  pattern,
  TcpFlag,
} from '../../test/fixtures/frames.ts';
import type { Ipv4Fields, VlanTag } from '../../test/fixtures/frames.ts';
import type { DemoPacket, SegmentBuilder } from './packet.ts';
import { packetFields } from './packet.ts';
import { firstFragment, icmpSegment, laterFragment, tcpSegment, udpSegment } from './segments.ts';

interface Ipv4Recipe {
  readonly kind: string;
  readonly segment: SegmentBuilder;
  /** Beside addresses and protocol. */
  readonly ip?: Omit<Ipv4Fields, 'source' | 'destination' | 'protocol'>;
  readonly tags?: readonly VlanTag[];
  /** Fill the frame up to 60 bytes with something that is no payload. */
  readonly padded?: true;
}

const { Fin, Syn, Rst, Psh, Ack, Urg, Ece, Cwr } = TcpFlag;
const request = new TextEncoder().encode('GET / HTTP/1.1\r\nHost: example.com\r\n\r\n');
/** Two NOPs and a time stamp (RFC 7323). */
const tcpTimestamp = Uint8Array.of(1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2);
const routerAlert = Uint8Array.of(0x94, 4, 0, 0);
const recordRoute = Uint8Array.from({ length: 40 }, (_, index) => [7, 39, 4][index] ?? 0);
const customer: VlanTag = { protocol: EtherType.Vlan, tci: 0x6064 };
const service: VlanTag = { protocol: EtherType.QinQ, tci: 0x20c8 };
const oldService: VlanTag = { protocol: EtherType.Vlan, tci: 0x20c8 };
const hello = udpSegment({ port: 53, payload: pattern(32) });
/** Of 1808 bytes. Fragments start at multiples of 8 bytes. */
const large = udpSegment({ port: 2049, payload: pattern(1800) });
const FIRST_FRAGMENT = 1200;

const recipes: readonly Ipv4Recipe[] = [
  ...[Syn, Syn | Ack, Ack, Fin | Ack, Rst, Rst | Ack, Urg | Ack, Ece | Cwr | Syn].map((flags) => ({
    kind: 'TCP flags',
    segment: tcpSegment({ port: 443, flags }),
  })),
  ...[new Uint8Array(0), tcpTimestamp, new Uint8Array(40)].map((options) => ({
    kind: 'TCP options and payload',
    segment: tcpSegment({ port: 80, flags: Psh | Ack, options, payload: request }),
  })),
  ...[0, 1, 100, 512, 513, 1400].map((length) => ({
    kind: 'UDP payload of 0 to 1400 bytes',
    segment: udpSegment({ port: 53, payload: pattern(length) }),
  })),
  ...[0, 56, 600].map((length) => ({ kind: 'ICMP echo', segment: icmpSegment(pattern(length)) })),
  ...[routerAlert, recordRoute].map((options) => ({
    kind: 'IPv4 options',
    segment: hello,
    ip: { options },
  })),
  {
    kind: 'IPv4 fragments',
    segment: firstFragment(large, FIRST_FRAGMENT),
    ip: { moreFragments: true },
  },
  {
    kind: 'IPv4 fragments',
    segment: laterFragment(large, FIRST_FRAGMENT),
    ip: { fragmentOffset: FIRST_FRAGMENT / 8 },
  },
  { kind: 'padded to 60 bytes', segment: tcpSegment({ port: 443, flags: Syn }), padded: true },
  { kind: 'padded to 60 bytes', segment: udpSegment({ port: 53, payload: pattern(3) }), padded: true },
  { kind: '802.1Q tag', segment: hello, tags: [customer] },
  {
    kind: '802.1Q tag',
    segment: tcpSegment({ port: 80, flags: Psh | Ack, payload: request }),
    tags: [customer],
  },
  { kind: 'QinQ', segment: hello, tags: [service, customer] },
  { kind: 'QinQ', segment: hello, tags: [oldService, customer] },
];

function buildPacket(recipe: Ipv4Recipe, index: number): DemoPacket {
  const { kind, segment: build, ip = {}, tags = [] } = recipe;
  const source = `192.0.2.${index + 1}`;
  const endpoints = { source: ipv4Bytes(source), destination: ipv4Bytes(IPV4_DESTINATION) };
  const segment = build({ endpoints, sourcePort: 4000 + index });
  const { protocol } = segment.fields;
  const packet = ethernet(EtherType.Ipv4, ipv4({ ...ip, source, protocol }, segment.bytes), tags);
  const frame = recipe.padded ? padded(packet, 60, 0xee) : packet;
  return {
    kind,
    frame,
    tagged: tags.length > 0,
    fields: packetFields(frame, {
      segment,
      ipHeaderLength: 20 + (ip.options?.length ?? 0),
      more: { src_ip: ipv4Number(source), dst_ip: ipv4Number(IPV4_DESTINATION) },
    }),
  };
}

/** Each from an address of its own in TEST-NET-1 (RFC 5737). */
export function ipv4Packets(): DemoPacket[] {
  return recipes.map(buildPacket);
}
