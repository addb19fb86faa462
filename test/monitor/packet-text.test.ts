import t from 'tap';
import {
  describeMonitoredPacket,
  monitoredProtocolName,
  packetFlagNames,
  packetFromIpv4,
  packetFromIpv6,
} from '../../src/monitor/index.ts';
import { ipv4Number, ipv6Bytes } from '../fixtures/frames.ts';

const common = { src_port: 80, dst_port: 4242, packet_size: 60, timestamp: 7n };
const addresses = { src_ip: ipv4Number('10.0.0.1'), dst_ip: ipv4Number('10.0.0.2') };
/** 2026-11-20T15:04:05.000Z, and almost a millisecond more. */
const noon = BigInt(Date.UTC(2026, 10, 20, 15, 4, 5)) * 1_000_000n + 999_999n;

function inZone(zone: string, action: () => void): void {
  const before = process.env['TZ'];
  process.env['TZ'] = zone;
  try {
    action();
  } finally {
    if (before === undefined) delete process.env['TZ'];
    else process.env['TZ'] = before;
  }
}

t.test('a line says when, what, from where to where, how much, and which flags', (t) => {
  const syn = packetFromIpv4({ ...common, ...addresses, protocol: 6, flags: 0x10 });
  const plain = packetFromIpv6({
    ...common,
    src_ip: ipv6Bytes('fd00::1'),
    dst_ip: ipv6Bytes('2001:db8::2'),
    protocol: 17,
    flags: 0,
  });
  inZone('UTC', () => {
    t.equal(
      describeMonitoredPacket(syn, noon),
      '[15:04:05.000] TCP 10.0.0.1:80 -> 10.0.0.2:4242 (60 bytes) [SYN]',
    );
    t.equal(
      describeMonitoredPacket(plain, noon + 1n),
      '[15:04:05.001] UDP [fd00::1]:80 -> [2001:db8::2]:4242 (60 bytes)',
    );
  });
  inZone('America/St_Johns', () => {
    t.match(describeMonitoredPacket(syn, noon), '[11:34:05.000] TCP ', 'in the time zone of the machine');
  });
  t.end();
});

t.test('every protocol number has the name that the original gave it', (t) => {
  const named: Record<number, string> = {
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
  for (let protocol = 0; protocol < 256; protocol++) {
    const name = named[protocol] ?? `PROTO_${String(protocol)}`;
    t.equal(monitoredProtocolName({ family: 'ipv4', protocol }), name);
    t.equal(monitoredProtocolName({ family: 'ipv6', protocol }), protocol === 58 ? 'ICMPv6' : name);
  }
  t.end();
});

t.test('flags are named lowest bit first, and others are not', (t) => {
  t.same(packetFlagNames(0), []);
  t.same(packetFlagNames(0x73), ['FRAG', 'LOW_TTL', 'SYN', 'FIN', 'RST']);
  t.same(packetFlagNames(0x42), ['LOW_TTL', 'RST']);
  t.same(packetFlagNames(0x8c), []);
  t.end();
});
