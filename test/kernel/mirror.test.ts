/** `ts-xdp mirror` over veth pairs: what arrives at the other end of the tunnel, what is counted, what is left. */
import { existsSync } from 'node:fs';
import t from 'tap';
import { ObjectFile } from '../../src/elf/index.ts';
import { Collection } from '../../src/loader/index.ts';
import { Mirror, parseMirrorRule } from '../../src/mirror/index.ts';
import { interfaceByName } from '../../src/netlink/index.ts';
import { PacketSocket } from '../../src/sys/index.ts';
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
import { inProject } from '../helpers/project-root.ts';
import { mapIdOf, receive, whyNoVxlan, withMirrorWorld, type MirrorWorld } from '../helpers/mirror-world.ts';

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
    const dump = await runCli(['map', 'dump', 'pinned', String(started['statistics_pin']), '--json']);
    const [entry] = JSON.parse(dump.stdout) as { formatted: unknown }[];
    t.same(entry?.formatted, {
      key: 0,
      value: { stat: { pcnt: 2 * all.length, bcnt: 2 * Number(bytesOf(all)), dcnt: 0 } },
    });
    t.match(started['statistics_pin'], /\/mirror_stats$/);

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

t.test('only one direction is mirrored where only one is asked for', { skip }, (t) =>
  withMirrorWorld(async (world) => {
    for (const direction of ['ingress', 'egress'] as const) {
      const cli = new Cli(world.command('--direction', direction, '--json'));
      await cli.line('mirroring');
      const other = direction === 'ingress' ? 'egress' : 'ingress';
      world.send(other, udpFrame(10), udpFrame(11));
      world.send(direction, udpFrame(20), udpFrame(21), udpFrame(22));
      t.same(hex(await world.remote.frames(3)), hex([udpFrame(20), udpFrame(21), udpFrame(22)]));
      const { lines } = await cli.stop();
      const attached = lines.filter(({ type }) => type === 'attached');
      t.match(attached, [{ program: `mirror_${direction}`, direction, target: world.pair.receiver.name }]);
      t.equal(attached.length, 1);
      t.match(summaryOf({ lines }), { seen: '3', mirrored: '3' });
      t.same(world.remote.rest(), []);
    }
  }),
);

t.test('the kernel fragments copies that the way does not take whole, and says so', { skip }, (t) =>
  withMirrorWorld(
    async (world) => {
      const cli = new Cli(world.command('--json'));
      const { notes } = await cli.line('mirroring');
      t.same(notes, [
        `packets of more than 1450 bytes go to ${world.remote.address} in fragments: u0 has MTU 1500, ` +
          `and those of ${world.pair.receiver.name} take 1550`,
      ]);
      const large = [udpFrame(1450 - 28), udpFrame(1451 - 28), udpFrame(1500 - 28)];
      world.send('ingress', ...large);
      world.send('egress', ...large);
      t.same(hex(await world.remote.frames(6)), hex([...large, ...large]));
      // The smallest goes whole, and each of the others in two.
      t.equal((await world.remote.tunnelPackets(10)).length, 10);
      const { lines, stderr } = await cli.stop();
      t.match(stderr, /^note: packets of more than 1450 bytes go to/);
      t.match(summaryOf({ lines }), { mirrored: '6', tunnel_lost: '0' });
    },
    { mtu: 1500 },
  ),
);

t.test('a tunnel over IPv6 takes what fits and loses the rest, which is counted', { skip }, (t) =>
  withMirrorWorld(
    async (world) => {
      const cli = new Cli(world.command('--json'));
      const { notes } = await cli.line('mirroring');
      t.match(notes, [
        /^packets of more than 1430 bytes are lost on the way to 2001:db8:0::2: u0 has MTU 1500/,
      ]);
      const fits = udpFrame(1430 - 28);
      world.send('ingress', udpFrame(1431 - 28), fits, udpFrame(1472));
      t.same(hex(await world.remote.frames(1)), hex([fits]));
      const { lines } = await cli.stop();
      t.match(summaryOf({ lines }), { mirrored: '3', tunnel_lost: '2' });
    },
    { mtu: 1500, ipv6: true },
  ),
);

t.test('several hosts get the same, and each is counted', { skip }, (t) =>
  withMirrorWorld(
    async (world) => {
      const cli = new Cli(world.command('--json'));
      await cli.line('mirroring');
      world.send('ingress', ...untagged);
      for (const remote of world.remotes)
        t.same(hex(await remote.frames(untagged.length)), hex(untagged), remote.address);
      const { lines } = await cli.stop();
      t.match(summaryOf({ lines }), {
        seen: String(untagged.length),
        mirrored: String(untagged.length),
        targets: world.remotes.map(({ address }) => ({
          target: address,
          packets: String(untagged.length),
          bytes: bytesOf(untagged),
          dropped: '0',
        })),
      });
    },
    { remotes: 3 },
  ),
);

t.test(
  'its own packets are not mirrored, where the mirrored interface is the way to the remote',
  { skip },
  (t) =>
    withMirrorWorld(
      async (world) => {
        const { remote, namespaceName } = world;
        const mirrored = ['--iface', remote.underlay, '--netns', namespaceName, '--remote', remote.address];
        const cli = new Cli(['mirror', ...mirrored, '--json']);
        await cli.line('mirroring');
        const frames = Array.from({ length: 40 }, (_, index) => udpFrame(1400 + index));
        remote.send(ethernet(0x9999, pattern(100)));
        sendBy(world, remote.underlay, frames);
        const copies = await remote.frames(frames.length + 1);
        t.same(hex(copies).sort(), hex([ethernet(0x9999, pattern(100)), ...frames]).sort());
        const { lines } = await cli.stop();
        t.match(summaryOf({ lines }), { mirrored: String(frames.length + 1), tunnel_lost: '0' });
        // Those above 1,450 bytes left in two fragments, whose mark is that of the whole.
        const { seen, tunnel } = summaryOf({ lines });
        t.ok(Number(tunnel) > frames.length + 1);
        t.equal(Number(seen), Number(tunnel) + frames.length + 1);
        t.same(remote.rest(), []);
      },
      { mtu: 1500 },
    ),
);

t.test('what comes back from a mirror at the other end is not mirrored again', { skip }, (t) =>
  withMirrorWorld(async (world) => {
    const cli = new Cli(world.command('--json'));
    await cli.line('mirroring');
    const tunnelPacket = (vni: number, port = 4789): Uint8Array =>
      ethernet(
        EtherType.Ipv4,
        ipv4(
          { protocol: Protocol.Udp },
          udp(
            { sourcePort: 50_000, destinationPort: port },
            Uint8Array.from([8, 0, 0, 0, 0, 0, vni, 0, ...udpFrame(3)]),
          ),
        ),
      );
    const others = [tunnelPacket(43), tunnelPacket(42, 4790)];
    world.send('ingress', tunnelPacket(42), ...others);
    t.same(hex(await world.remote.frames(2)), hex(others));
    const { lines } = await cli.stop();
    t.match(summaryOf({ lines }), { seen: '3', tunnel: '1', mirrored: '2' });
  }),
);

const rules: [rules: string[], taken: readonly Uint8Array[]][] = [
  [['arp'], [arpFrame]],
  [['tcp'], [tcpFrame]],
  [['tcp,port=443'], [tcpFrame]],
  [['tcp,port=5000'], [tcpFrame]],
  [['tcp,port=444'], []],
  [['udp,ip6'], [ipv6Frame]],
  [['port=6'], [ipv6Frame]],
  [
    ['ether=0x88cc', 'arp'],
    [arpFrame, untagged[6] ?? arpFrame],
  ],
  [['host=2001:db8::/32'], [ipv6Frame]],
  [['host=2001:db9::/32', 'host=192.0.2.11', 'host=192.0.2.8/30,proto=6'], [tcpFrame]],
  [['icmp,host=198.51.100.20'], [untagged[5] ?? arpFrame]],
];

t.test('rules choose what is mirrored', { skip }, (t) =>
  withMirrorWorld(async (world) => {
    const last = ethernet(0x9999, pattern(60));
    for (const [only, taken] of rules) {
      using collection = Collection.load(ObjectFile.open(inProject('bpf/mirror.bpf.o')), { pinRoot: false });
      using mirror = Mirror.start(collection, {
        interfaces: [world.pair.receiver.name],
        remotes: [world.remote.address],
        netns: world.pair.netns,
        rules: [...only, 'ether=0x9999'].map(parseMirrorRule),
      });
      const sent = untagged.filter((frame) => frame !== untagged[7]);
      world.send('egress', ...sent, last);
      const expected = [...sent.filter((frame) => taken.includes(frame)), last];
      t.same(hex(await world.remote.frames(expected.length)), hex(expected), only.join(' '));
      const { mirrored, filtered } = mirror.read();
      t.same([mirrored, filtered], [expected.length, sent.length + 1 - expected.length].map(BigInt));
    }
  }),
);

t.test('it is paused and narrowed by its maps while it runs', { skip }, (t) =>
  withMirrorWorld(async (world) => {
    const cli = new Cli(world.command('--json'));
    await cli.line('mirroring');
    const id = mapIdOf(cli, 'mirror_config');
    const configure = async (changes: Record<string, number>): Promise<void> => {
      const dump = await runCli(['map', 'dump', 'id', id, '--json']);
      const [entry] = JSON.parse(dump.stdout) as { formatted: { value: object } }[];
      const value = JSON.stringify({ ...entry?.formatted.value, ...changes });
      const { code, stderr } = await runCli(['map', 'update', 'id', id, 'key', '0', 'value', value]);
      t.same([code, stderr], [0, '']);
    };
    await configure({ enabled: 0 });
    world.send('ingress', udpFrame(1));
    await configure({ enabled: 1 });
    world.send('ingress', udpFrame(2));
    // No rule is there, so nothing is wanted.
    await configure({ filtered: 1 });
    world.send('ingress', udpFrame(3));
    await configure({ filtered: 0 });
    world.send('ingress', udpFrame(4));
    t.same(hex(await world.remote.frames(2)), hex([udpFrame(2), udpFrame(4)]));
    const { lines } = await cli.stop();
    t.match(summaryOf({ lines }), { seen: '4', mirrored: '2', filtered: '2' });
  }),
);

function sendBy({ pair }: MirrorWorld, name: string, frames: readonly Uint8Array[]): void {
  const { index } = interfaceByName(pair.socket, name);
  const socket = PacketSocket.open({ ifindex: index, netns: pair.netns });
  for (const frame of frames) socket.send(frame);
  socket.close();
}
