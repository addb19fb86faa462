import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { SocketAddress } from 'node:net';
import t from 'tap';
import { BoundsError, BtfError, ValueError } from '../../src/errors.ts';
import { formatIpv4, formatIpv6 } from '../../src/netlink/index.ts';
import {
  capturedEventFromRecord,
  InterfaceMode,
  protocolName,
  readSimpleEvent,
  readSimpleEventV6,
  SimpleEvent,
  SimpleEventV6,
  TcpFlag,
  tcpFlagNames,
} from '../../src/sniffer/index.ts';
import type { CapturedEvent } from '../../src/sniffer/index.ts';
import { inProject } from '../helpers/project-root.ts';

const payload = new TextEncoder().encode('GET / HTTP/1.1\r\n');

/** The fields of `struct simple_event` as a BTF decoder gives them. */
const ipv4Record = {
  src_ip: 0xc0000201,
  dst_ip: 0x0a000001,
  src_port: 49152,
  dst_port: 443,
  protocol: 6,
  tcp_flags: 0x18,
  packet_len: 82,
  ip_header_len: 24,
  l4_header_len: 20,
  timestamp: 0x1122334455667788n,
  payload_len: payload.length,
  payload: padded(payload),
  interface_mode: 2,
  is_wan_facing: 1,
  source_ifindex: 7,
  source_interface: 'veth0',
};

const ipv4Event: CapturedEvent = {
  family: 'ipv4',
  sourceAddress: '192.0.2.1',
  destinationAddress: '10.0.0.1',
  sourcePort: 49152,
  destinationPort: 443,
  protocol: 6,
  protocolName: 'TCP',
  tcpFlags: TcpFlag.Psh | TcpFlag.Ack,
  packetLength: 82,
  ipHeaderLength: 24,
  transportHeaderLength: 20,
  timestamp: 0x1122334455667788n,
  payload,
  interfaceMode: InterfaceMode.Gateway,
  isWanFacing: true,
  interfaceIndex: 7,
  interfaceName: 'veth0',
  ipv6: undefined,
};

const source6 = Uint8Array.of(0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);
const destination6 = Uint8Array.of(0xfe, 0x80, 0, 0, 0, 0, 0, 0, 2, 0x11, 0x22, 0xff, 0xfe, 0x33, 0x44, 0x55);

const ipv6Record = {
  ...ipv4Record,
  src_ip: source6,
  dst_ip: destination6,
  protocol: 58,
  tcp_flags: 0,
  vlan_proto: 0x88a8,
  vlan_tci: 0x2064,
  hop_limit: 64,
  traffic_class: 0xb8,
  flow_label: 0xfedcb,
};

const ipv6Event: CapturedEvent = {
  ...ipv4Event,
  family: 'ipv6',
  sourceAddress: '2001:db8::1',
  destinationAddress: 'fe80::211:22ff:fe33:4455',
  protocol: 58,
  protocolName: 'ICMPv6',
  tcpFlags: 0,
  ipv6: { hopLimit: 64, trafficClass: 0xb8, flowLabel: 0xfedcb, vlanProtocol: 0x88a8, vlanTag: 0x2064 },
};

function padded(bytes: Uint8Array): Uint8Array {
  const all = new Uint8Array(512);
  all.set(bytes);
  return all;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

t.test('a record decoded by BTF becomes an event', (t) => {
  t.strictSame(capturedEventFromRecord(ipv4Record), ipv4Event);
  t.strictSame(capturedEventFromRecord(ipv6Record), ipv6Event);
  t.strictSame(
    capturedEventFromRecord({
      ...ipv4Record,
      timestamp: 5,
      source_interface: new TextEncoder().encode('veth0\0\0\0'),
      payload: Array.from(padded(payload)),
      some_field_of_tomorrow: 1,
    }),
    { ...ipv4Event, timestamp: 5n },
    'small 64-bit integers as numbers, char and byte arrays as arrays, and unknown fields do no harm',
  );
  t.equal(capturedEventFromRecord({ ...ipv4Record, payload_len: 0 }).payload.length, 0);
  t.equal(capturedEventFromRecord({ ...ipv4Record, payload_len: 512 }).payload.length, 512);
  t.equal(capturedEventFromRecord({ ...ipv4Record, is_wan_facing: 0 }).isWanFacing, false);
  t.end();
});

t.test('the event owns its payload', (t) => {
  const bytes = SimpleEvent.encode(ipv4Record);
  const event = readSimpleEvent(viewOf(bytes), 0);
  const decoded = capturedEventFromRecord({ ...ipv4Record, payload: bytes.subarray(32, 544) });
  bytes.fill(0xee);
  t.strictSame(event.payload, payload);
  t.strictSame(decoded.payload, payload);
  t.end();
});

t.test('each field is there and of its type, or the error names it', (t) => {
  const broken = (field: string, value: unknown): (() => unknown) => {
    const record: Record<string, unknown> = { ...ipv4Record, [field]: value };
    return () => capturedEventFromRecord(record);
  };
  const hint =
    'The object was built from another version of the sniffer; name the struct of its events yourself.';
  for (const field of Object.keys(ipv4Record)) {
    const record: Record<string, unknown> = { ...ipv4Record };
    Reflect.deleteProperty(record, field);
    t.throws(
      () => capturedEventFromRecord(record),
      new BtfError(`Cannot read a sniffer event: its struct has no field ${field}`, { hint }),
      `without ${field}`,
    );
  }
  const cases: [field: string, value: unknown, type: string, what: string][] = [
    ['src_port', 65536, 'u16', 'it is 65536, not an integer from 0 to 65535'],
    ['dst_port', -1, 'u16', 'it is -1, not an integer from 0 to 65535'],
    ['protocol', 1.5, 'u8', 'it is 1.5, not an integer from 0 to 255'],
    ['tcp_flags', '2', 'u8', 'it is a string, not an integer from 0 to 255'],
    ['packet_len', 2 ** 32, 'u32', 'it is 4294967296, not an integer from 0 to 4294967295'],
    ['timestamp', 1n << 64n, 'u64', 'it is 18446744073709551616, not an unsigned integer of 64 bits'],
    ['timestamp', 2 ** 53, 'u64', 'it is 9007199254740992, not an unsigned integer of 64 bits'],
    ['payload_len', 513, 'u16', 'it is 513, not an integer from 0 to 512'],
    ['payload', new Uint8Array(511), 'u8[512]', 'it is an array of 511, not an array of 512 bytes'],
    ['payload', null, 'u8[512]', 'it is null, not an array of 512 bytes'],
    ['source_interface', 3, 'char[]', 'it is 3, not a string'],
    ['dst_ip', source6, 'u32', 'it is an array of 16, not an integer from 0 to 4294967295'],
    ['src_ip', new Uint8Array(4), 'u8[16]', 'it is an array of 4, not an array of 16 bytes'],
    ['src_ip', {}, 'u8[16]', 'it is an object, not an array of 16 bytes'],
  ];
  for (const [field, value, type, what] of cases) {
    const expected = new ValueError(field, type, `Cannot read ${field} of a sniffer event: ${what}`);
    t.throws(broken(field, value), expected, `${field}: ${what}`);
  }
  const element = [...new Array<number>(15).fill(0), 256];
  t.throws(
    broken('src_ip', element),
    new ValueError(
      'src_ip[15]',
      'u8',
      'Cannot read src_ip[15] of a sniffer event: it is 256, not an integer from 0 to 255',
    ),
  );
  t.throws(() => capturedEventFromRecord({ ...ipv6Record, flow_label: undefined }), {
    message: 'Cannot read a sniffer event: its struct has no field flow_label',
  });
  t.end();
});

t.test('raw records are read where they lie', (t) => {
  const bytes = new Uint8Array(1200);
  bytes.set(SimpleEvent.encode(ipv4Record), 9);
  bytes.set(SimpleEventV6.encode(ipv6Record), 600);
  const view = new DataView(bytes.buffer, 1);
  t.strictSame(readSimpleEvent(view, 8), ipv4Event);
  t.strictSame(readSimpleEventV6(view, 599), ipv6Event);
  t.throws(() => readSimpleEvent(view, 634), new BoundsError(634, 566, 1199));
  t.throws(() => readSimpleEventV6(view, 600), new BoundsError(600, 600, 1199));
  t.throws(() => readSimpleEvent(view, -1), BoundsError);
  viewOf(bytes).setUint16(9 + 30, 600, true);
  t.throws(
    () => readSimpleEvent(view, 8),
    new ValueError(
      'payload_len',
      'u16',
      'Cannot read payload_len of a sniffer event: it is 600, not an integer from 0 to 512',
    ),
  );
  t.end();
});

const events = inProject('bpf/include/sniffer/events.h');
const compiler = ['/usr/bin/cc', '/usr/bin/gcc', '/usr/bin/clang'].find((path) => existsSync(path));

t.test(
  'a C program fills the structs of events.h',
  { skip: compiler === undefined && 'no C compiler' },
  (t) => {
    const fill = (name: string, addresses: string, more: string): string => `
    struct ${name} ${name} = { ${addresses}
      .src_port = 49152, .dst_port = 443, .packet_len = 82, .ip_header_len = 24, .l4_header_len = 20,
      .timestamp = 0x1122334455667788, .payload_len = ${String(payload.length)}, .payload = "GET / HTTP/1.1\\r\\n",
      .interface_mode = 2, .is_wan_facing = 1, .source_ifindex = 7, .source_interface = "veth0", ${more} };
    fwrite(&${name}, sizeof ${name}, 1, stdout);`;
    const directory = t.testdir({
      'fill.c': `
      #include <stdio.h>
      #include <linux/types.h>
      #include "${events}"
      int main(void) {
        ${fill('simple_event', '.src_ip = 0xc0000201, .dst_ip = 0x0a000001,', '.protocol = 6, .tcp_flags = 0x18')}
        ${fill(
          'simple_event_v6',
          `.src_ip = {${source6.join()}}, .dst_ip = {${destination6.join()}},`,
          '.protocol = 58, .vlan_proto = 0x88a8, .vlan_tci = 0x2064, .hop_limit = 64, .traffic_class = 0xb8, .flow_label = 0xfedcb',
        )}
        return 0;
      }`,
    });
    execFileSync(compiler ?? '', ['-o', `${directory}/fill`, `${directory}/fill.c`]);
    const output = execFileSync(`${directory}/fill`);
    t.equal(output.length, SimpleEvent.size + SimpleEventV6.size);
    t.strictSame(readSimpleEvent(viewOf(output), 0), ipv4Event);
    t.strictSame(readSimpleEventV6(viewOf(output), SimpleEvent.size), ipv6Event);
    t.strictSame(Buffer.from(SimpleEvent.encode(ipv4Record)), output.subarray(0, SimpleEvent.size));
    t.strictSame(Buffer.from(SimpleEventV6.encode(ipv6Record)), output.subarray(SimpleEvent.size));
    t.end();
  },
);

t.test('IPv4 addresses in host order become dotted text', (t) => {
  t.equal(formatIpv4(0x7f000001), '127.0.0.1');
  t.equal(formatIpv4(0xffffffff), '255.255.255.255');
  t.equal(formatIpv4(0), '0.0.0.0');
  t.equal(formatIpv4(0x80000000), '128.0.0.0');
  t.end();
});

t.test('IPv6 text is that of RFC 5952', (t) => {
  const bytesOf = (groups: readonly number[]): Uint8Array =>
    Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 255]));
  const cases: [groups: number[], text: string, why: string][] = [
    [[0, 0, 0, 0, 0, 0, 0, 0], '::', 'all zero'],
    [[0, 0, 0, 0, 0, 0, 0, 1], '::1', 'loopback'],
    [[1, 0, 0, 0, 0, 0, 0, 0], '1::', 'zeros at the end'],
    [[0x2001, 0xdb8, 0, 1, 1, 1, 1, 1], '2001:db8:0:1:1:1:1:1', 'a single zero group is written out'],
    [[0x2001, 0, 0, 1, 0, 0, 0, 1], '2001:0:0:1::1', 'the longest run is cut'],
    [[0x2001, 0xdb8, 0, 0, 1, 0, 0, 1], '2001:db8::1:0:0:1', 'the first of equal runs is cut'],
    [[0xfe80, 0, 0, 0, 0x0a0b, 0, 0, 0xabcd], 'fe80::a0b:0:0:abcd', 'lower case without leading zeros'],
    [[0, 0, 0, 0, 0, 0xffff, 0xc000, 0x0201], '::ffff:192.0.2.1', 'an IPv4-mapped address'],
    [[0, 0, 0, 0, 0, 0xffff, 0, 0], '::ffff:0.0.0.0', 'a mapped zero address'],
    [[0, 0, 0, 0, 0xffff, 0, 1, 2], '::ffff:0:1:2', 'not mapped: the prefix is one group short'],
  ];
  for (const [groups, text, why] of cases) {
    t.equal(formatIpv6(bytesOf(groups)), text, why);
    t.equal(new SocketAddress({ address: text, family: 'ipv6' }).address, text, `${why}, by inet_ntop`);
  }
  // Every pattern of zero and non-zero groups; the URL parser serialises hosts by the same rules, but never as IPv4.
  let compared = 0;
  for (let pattern = 0; pattern < 256; pattern++) {
    const groups = Array.from({ length: 8 }, (_, index) =>
      (pattern >> index) & 1 ? 0x1 + index * 0x1f3 : 0,
    );
    const text = formatIpv6(bytesOf(groups));
    const full = groups.map((group) => group.toString(16).padStart(4, '0')).join(':');
    if (`[${text}]` === new URL(`http://[${full}]/`).hostname) compared += 1;
    else t.fail(`${full} became ${text}`);
  }
  t.equal(compared, 256);
  t.end();
});

t.test('protocols and TCP flags have their names', (t) => {
  const names: [number, string][] = [
    [1, 'ICMP'],
    [2, 'IGMP'],
    [6, 'TCP'],
    [17, 'UDP'],
    [41, 'IPv6'],
    [47, 'GRE'],
    [50, 'ESP'],
    [51, 'AH'],
    [58, 'ICMPv6'],
    [89, 'OSPF'],
    [132, 'SCTP'],
    [255, 'Reserved'],
    [0, 'PROTO_0'],
    [254, 'PROTO_254'],
  ];
  for (const [number, name] of names) t.equal(protocolName(number), name);
  t.strictSame(tcpFlagNames(0), []);
  t.strictSame(tcpFlagNames(0x12), ['SYN', 'ACK']);
  t.strictSame(tcpFlagNames(0xff), ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG', 'ECE', 'CWR']);
  t.end();
});
