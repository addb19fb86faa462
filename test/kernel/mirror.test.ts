/** `ts-xdp mirror` over veth pairs: what arrives at the other end of the tunnel, what is counted, what is left. */
import { existsSync } from 'node:fs';
import t from 'tap';
import {
  EtherType,
  ethernet,
  icmpEcho,
  ipv4,
  ipv6,
  padded,
  pattern,
  Protocol,
  tcp,
  udp,
} from '../fixtures/frames.ts';
import { Cli, runCli, summaryOf } from '../helpers/cli.ts';
import { receive, whyNoVxlan, withMirrorWorld } from '../helpers/mirror-world.ts';

const skip = whyNoVxlan();

/** Ethernet, IPv4, UDP and VXLAN header of the tunnel. */
const TUNNEL_HEADERS = 50;

const udpFrame = (length: number, ports = { sourcePort: 1, destinationPort: 2 }): Uint8Array =>
  ethernet(EtherType.Ipv4, ipv4({ protocol: Protocol.Udp }, udp(ports, pattern(length))));
const tcpFrame = ethernet(
  EtherType.Ipv4,
  ipv4({ protocol: Protocol.Tcp }, tcp({ sourcePort: 443, destinationPort: 5000, flags: 0x18 }, pattern(40))),
);
const arpFrame = padded(ethernet(EtherType.Arp, pattern(28)));
const ipv6Frame = ethernet(
  EtherType.Ipv6,
  ipv6({ nextHeader: Protocol.Udp }, udp({ sourcePort: 5, destinationPort: 6 }, pattern(77))),
);

/** Without VLAN tags, which a packet socket does not show in the frame. */
const untagged: readonly Uint8Array[] = [
  udpFrame(100),
  udpFrame(0),
  tcpFrame,
  arpFrame,
  ipv6Frame,
  ethernet(EtherType.Ipv4, ipv4({ protocol: Protocol.Icmp }, icmpEcho(pattern(56)))),
  // Link Layer Discovery Protocol, and something that nobody knows.
  padded(ethernet(0x88cc, pattern(50))),
  ethernet(0x9999, pattern(300)),
  udpFrame(1500 - 28),
];
const tagged: readonly Uint8Array[] = [
  ethernet(EtherType.Ipv4, ipv4({ protocol: Protocol.Udp }, udp({ sourcePort: 7, destinationPort: 8 })), [
    { protocol: EtherType.Vlan, tci: 0x6064 },
  ]),
  ethernet(EtherType.Arp, pattern(46), [
    { protocol: EtherType.QinQ, tci: 100 },
    { protocol: EtherType.Vlan, tci: 200 },
  ]),
];

const hex = (frames: readonly Uint8Array[]): string[] =>
  frames.map((frame) => Buffer.from(frame).toString('hex'));
const bytesOf = (frames: readonly Uint8Array[]): string =>
  String(frames.reduce((sum, { length }) => sum + length, 0));

t.test('every frame of both directions arrives byte for byte, and goes its way', { skip }, (t) =>
  withMirrorWorld(async (world) => {
    const before = world.state();
    const cli = new Cli(world.command('--json'));
    const started = await cli.line('mirroring');
    t.match(started, {
      devices: [{ name: 'mirror4789' }],
      targets: [{ target: world.remote.address, vni: 42 }],
      notes: [],
    });
    for (const direction of ['ingress', 'egress'] as const) {
      const other = world.listen(direction);
      world.send(direction, ...untagged);
      t.same(hex(await world.remote.frames(untagged.length)), hex(untagged), `copies, ${direction}`);
      t.same(hex(await receive(other, untagged.length)), hex(untagged), `originals, ${direction}`);
      other.close();
    }
    const tunnelled = await world.remote.tunnelPackets(2 * untagged.length);
    t.same(
      hex(tunnelled.map((packet) => packet.subarray(TUNNEL_HEADERS))),
      hex([...untagged, ...untagged]),
      'the packets of the tunnel hold the frame and nothing else',
    );
    world.send('ingress', ...tagged);
    world.send('egress', ...tagged);
    const packets = await world.remote.tunnelPackets(2 * tagged.length);
    t.same(
      hex(packets.map((packet) => packet.subarray(TUNNEL_HEADERS))),
      hex([...tagged, ...tagged]),
      'VLAN tags are in the copy, wherever the kernel keeps them',
    );

    const all = [...untagged, ...tagged];
    const dump = await runCli(['map', 'dump', 'name', 'mirror_stats', '--json']);
    const [entry] = JSON.parse(dump.stdout) as { formatted: unknown }[];
    t.same(entry?.formatted, {
      key: 0,
      value: { stat: { pcnt: 2 * all.length, bcnt: 2 * Number(bytesOf(all)), dcnt: 0 } },
    });
    t.ok(existsSync(String(started['statistics_pin'])), 'the statistics are pinned by their name');

    const { code, stderr, lines } = await cli.stop('SIGINT');
    t.same([code, stderr], [0, '']);
    t.match(summaryOf({ lines }), {
      seen: String(2 * all.length),
      mirrored: String(2 * all.length),
      filtered: '0',
      tunnel: '0',
      tunnel_lost: '0',
      targets: [
        {
          target: world.remote.address,
          packets: String(2 * all.length),
          bytes: String(2 * Number(bytesOf(all))),
          dropped: '0',
        },
      ],
    });
    t.equal(world.state(), before, 'nothing is left');
    t.notOk(existsSync(String(started['statistics_pin'])), 'neither is the pin');
  }),
);
