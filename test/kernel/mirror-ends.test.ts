/** `ts-xdp mirror`: how it attaches and ends, what it refuses, and that nothing is left in any case. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import t from 'tap';
import { ObjectFile } from '../../src/elf/index.ts';
import { Collection } from '../../src/loader/index.ts';
import { Mirror, type MirrorOptions } from '../../src/mirror/index.ts';
import { withNetworkNamespace } from '../../src/sys/index.ts';
import { __sk_buff, TC_ACT_UNSPEC } from '../../src/uapi/index.ts';
import { EtherType, ethernet, ipv4, ipv4Bytes, pattern, Protocol, udp } from '../fixtures/frames.ts';
import { Cli, runCli, summaryOf } from '../helpers/cli.ts';
import { ip } from '../helpers/kernel-objects.ts';
import { mapIdOf, whyNoVxlan, withMirrorWorld, type MirrorWorld } from '../helpers/mirror-world.ts';
import { inProject } from '../helpers/project-root.ts';
import { withVethPair } from '../helpers/veth.ts';
import { until } from '../helpers/until.ts';

const skip = whyNoVxlan();

const frame = (length: number): Uint8Array =>
  ethernet(
    EtherType.Ipv4,
    ipv4({ protocol: Protocol.Udp }, udp({ sourcePort: 1, destinationPort: 2 }, pattern(length))),
  );
const hex = (frames: readonly Uint8Array[]): string[] =>
  frames.map((one) => Buffer.from(one).toString('hex'));
const tc = (world: MirrorWorld, args: string): string =>
  execFileSync('tc', ['-n', world.namespaceName, ...args.split(' ')], { encoding: 'utf8' });

t.test('by a clsact qdisc, which goes again, and stays where it was there before', { skip }, (t) =>
  withMirrorWorld(async (world) => {
    const { name } = world.pair.receiver;
    for (const prepare of [(): string => '', (): string => tc(world, `qdisc add dev ${name} clsact`)]) {
      prepare();
      const before = world.state();
      const cli = new Cli(world.command('--via', 'netlink', '--json'));
      await cli.line('mirroring');
      t.match(cli.lines[0], {
        type: 'attached',
        kind: 'tc',
        via: 'netlink',
        direction: 'ingress',
        link_id: null,
      });
      world.send('ingress', frame(1));
      world.send('egress', frame(2));
      t.same(hex(await world.remote.frames(2)), hex([frame(1), frame(2)]));
      const { code, lines } = await cli.stop('SIGTERM');
      t.equal(code, 0);
      t.match(summaryOf({ lines }), { mirrored: '2' });
      t.equal(world.state(), before);
    }
  }),
);

t.test('other programs of the interface run, too', { skip }, (t) =>
  withMirrorWorld(async (world) => {
    const cli = new Cli(world.command('--json'));
    t.match(await cli.attached(), { kind: 'tcx', via: 'link', program: 'mirror_ingress' });
    await cli.line('mirroring');
    const second = new Cli(world.command('--port', '4790', '--json'));
    await second.line('mirroring');
    world.send('ingress', frame(5));
    t.same(hex(await world.remote.frames(1)), hex([frame(5)]));
    const [{ lines: ofSecond }, { lines }] = [await second.stop(), await cli.stop()];
    t.match(summaryOf({ lines }), { seen: '1', mirrored: '1' });
    t.match(summaryOf({ lines: ofSecond }), { seen: '1', mirrored: '1' });
  }),
);

t.test('through a device that is there, which stays', { skip }, (t) =>
  withMirrorWorld(async (world) => {
    const { remote, namespaceName } = world;
    ip(`link add vx type vxlan id 42 dstport 4789 remote ${remote.address}`, namespaceName);
    ip('link set vx up', namespaceName);
    const before = world.state();
    const where = ['--iface', world.pair.receiver.name, '--netns', namespaceName];
    const cli = new Cli(['mirror', ...where, '--device', 'vx', '--json']);
    t.match(await cli.line('mirroring'), {
      devices: [{ name: 'vx' }],
      targets: [{ target: 'vx', vni: null }],
    });
    world.send('ingress', frame(9), frame(10));
    t.same(hex(await remote.frames(2)), hex([frame(9), frame(10)]));
    ip('link set vx down', namespaceName);
    world.send('ingress', frame(11));
    ip('link set vx up', namespaceName);
    const { lines } = await cli.stop();
    t.match(summaryOf({ lines }), {
      seen: '3',
      mirrored: '3',
      targets: [{ target: 'vx', packets: '2', dropped: '1' }],
    });
    t.equal(world.state(), before);
  }),
);

t.test('the frame keeps its mark, and the next program decides about it', { skip }, (t) =>
  withVethPair((pair) => {
    // Test runs are where this thread is, and here the kernel sends nothing of its own.
    withNetworkNamespace(pair.netns, () => {
      using collection = Collection.load(ObjectFile.open(inProject('bpf/mirror.bpf.o')), { pinRoot: false });
      using mirror = Mirror.start(collection, {
        interfaces: [pair.receiver.name],
        devices: [pair.sender.name],
        direction: 'egress',
      });
      for (const direction of ['ingress', 'egress']) {
        const program = collection.program(`mirror_${direction}`);
        const context = __sk_buff.encode({ mark: 77 });
        const { returnValue, context: after } = program.testRun({ data: frame(20), context });
        t.equal(returnValue | 0, TC_ACT_UNSPEC, direction);
        t.equal(__sk_buff.decode(after).mark, 77, direction);
      }
      const bytes = 2n * BigInt(frame(20).length);
      t.match(mirror.read(), { mirrored: 2n, targets: [{ packets: 2n, bytes, dropped: 0n }] });
      // As the tunnel's own packet has it.
      const context = __sk_buff.encode({ mark: 0x5458_6d03 });
      collection.program('mirror_egress').testRun({ data: frame(20), context });
      t.match(mirror.read(), { mirrored: 2n, tunnel: 1n, seen: 3n });
    });
  }),
);

t.test('copies for a device that is gone are counted as lost', { skip }, (t) =>
  withMirrorWorld(async (world) => {
    const cli = new Cli(world.command('--json'));
    await cli.line('mirroring');
    ip('link delete mirror4789', world.namespaceName);
    world.send('ingress', frame(1), frame(2), frame(3));
    const { code, stderr, lines } = await cli.stop();
    t.same([code, stderr], [0, '']);
    t.match(summaryOf({ lines }), { mirrored: '3', targets: [{ packets: '0', dropped: '3' }] });
  }),
);

t.test('nobody puts frames into this host through the tunnel', { skip }, (t) =>
  withMirrorWorld(async (world) => {
    const cli = new Cli(world.command('--json'));
    await cli.line('mirroring');
    const { remote, namespaceName } = world;
    const mac = Buffer.from(
      /link\/ether (\S+)/.exec(ip(`link show ${remote.underlay}`, namespaceName))?.[1]?.replaceAll(':', '') ??
        '',
      'hex',
    );
    const endpoints = {
      source: ipv4Bytes(remote.address),
      destination: ipv4Bytes(remote.localAddress),
    };
    const packet = ethernet(
      EtherType.Ipv4,
      ipv4(
        { protocol: Protocol.Udp, source: remote.address, destination: remote.localAddress },
        udp(
          { sourcePort: 9, destinationPort: 4789, endpoints },
          Uint8Array.from([8, 0, 0, 0, 0, 0, 42, 0, ...frame(3)]),
        ),
      ),
    );
    packet.set(mac, 0);
    remote.send(packet);
    const id = mapIdOf(cli, 'mirror_counters');
    const strangers = async (): Promise<number> => {
      const { stdout } = await runCli(['map', 'dump', 'id', id, '--json']);
      const counts = [...stdout.matchAll(/"strangers":"?(\d+)/g)].map(([, count]) => Number(count));
      return counts.reduce((sum, count) => sum + count, 0);
    };
    let found = 0;
    for (let attempt = 0; attempt < 10 && found === 0; attempt++) found = await strangers();
    t.equal(found, 1);
    const { lines } = await cli.stop();
    t.match(summaryOf({ lines }), { seen: '0' });
  }),
);

t.test('everything ends with the mirrored interface', { skip }, (t) =>
  withMirrorWorld(async (world) => {
    const cli = new Cli(world.command('--json'));
    await cli.line('mirroring');
    ip(`link delete ${world.pair.receiver.name}`, world.namespaceName);
    const { code, lines } = await cli.ended;
    t.equal(code, 0);
    t.match(summaryOf({ lines }), { seen: '0' });
    t.notMatch(ip('-o link', world.namespaceName), 'mirror4789');
  }),
);

t.test('lines for people', { skip }, (t) =>
  withMirrorWorld(async (world) => {
    const cli = new Cli(world.command('--stats', '0.1', '--direction', 'ingress'));
    await cli.until(({ stdout }) => stdout.includes('mirroring'));
    world.send('ingress', frame(100));
    await cli.until(({ stdout }) => stdout.includes(': 1 frames'));
    const { code, stdout, stderr } = await cli.stop('SIGINT');
    t.same([code, stderr], [0, '']);
    const [attached, mirroring, ...rest] = stdout.trimEnd().split('\n');
    const { name } = world.pair.receiver;
    t.match(
      attached,
      new RegExp(`^attached mirror_ingress to ${name} \\(ingress, by link, program \\d+\\)$`),
    );
    t.equal(mirroring, `mirroring to ${world.remote.address} through mirror4789`);
    t.match(
      rest.at(-1),
      new RegExp(
        `^final statistics after \\d+\\.\\d s: 1 frames, mirrored 1, not wanted 0, the tunnel's own 0; ` +
          `to ${world.remote.address} 1 \\(142 bytes, 0 refused\\); lost in the tunnel: 0$`,
      ),
    );
    t.match(rest.at(-2), /^statistics after/);
  }),
);

type Wanted = Partial<MirrorOptions>;

/** What is there before, what is asked for, and the error. */
const refusals: [
  name: string,
  prepare: (world: MirrorWorld) => unknown,
  wanted: (world: MirrorWorld) => Wanted,
  error: { code: string; message: string | RegExp; hint?: string },
][] = [
  [
    'an interface that is not there',
    () => undefined,
    ({ pair }) => ({ interfaces: [pair.receiver.name, 'absent'] }),
    { code: 'INTERFACE_NOT_FOUND', message: 'Cannot find interface absent: there is none of that name' },
  ],
  [
    'an address that is none',
    () => undefined,
    () => ({ remotes: ['host.example'] }),
    {
      code: 'ARGUMENT_INVALID',
      message: 'Cannot use "host.example" as an IP address: it is neither IPv4 nor IPv6',
    },
  ],
  [
    'no route',
    () => undefined,
    ({ remote }) => ({ remotes: [remote.address, '203.0.113.9'] }),
    { code: 'NETLINK_FAILED', message: /^Cannot find the route to 203\.0\.113\.9: .*ENETUNREACH/ },
  ],
  [
    'more hosts than there is room for',
    () => undefined,
    () => ({ remotes: Array.from({ length: 17 }, (_, index) => `198.18.0.${String(index + 2)}`) }),
    { code: 'ARGUMENT_INVALID', message: 'Cannot mirror to more than 16 targets' },
  ],
  [
    'a device of that name',
    ({ namespaceName }) => ip('link add mirror4789 type veth peer name other', namespaceName),
    () => ({}),
    {
      code: 'ALREADY_ATTACHED',
      message: 'Cannot create the tunnel device mirror4789: an interface of that name is there',
      hint: 'a mirror runs, or one was killed: end it, remove what it left with "ip link delete mirror4789", or choose another port',
    },
  ],
  [
    'a port that another VXLAN device has',
    ({ namespaceName }) => {
      ip('link delete mirror4789', namespaceName);
      ip('link add vx type vxlan id 7 dstport 4789', namespaceName);
      ip('link set vx up', namespaceName);
    },
    () => ({}),
    {
      code: 'ATTACH_REFUSED',
      message:
        'Cannot create the tunnel device mirror4789: port 4789 belongs to another VXLAN device or a socket',
      hint: 'choose another port, or send through a device that is there',
    },
  ],
  [
    'an interface into itself',
    () => undefined,
    ({ pair }) => ({ remotes: [], devices: [pair.receiver.name] }),
    {
      code: 'ARGUMENT_INVALID',
      message: /^Cannot mirror \S+ into itself: the tunnel must be another device$/,
    },
  ],
  [
    'more rules than there is room for',
    () => undefined,
    () => ({ port: 4790, rules: Array.from({ length: 17 }, () => ({ protocol: 6 })) }),
    { code: 'ARGUMENT_INVALID', message: 'Cannot mirror by 17 rules: 16 have room' },
  ],
  [
    'the last of many steps',
    (world) => tc(world, `qdisc add dev ${world.pair.sender.name} ingress`),
    ({ pair }) => ({
      port: 4790,
      via: 'netlink',
      interfaces: [pair.receiver.name, pair.sender.name],
    }),
    {
      code: 'ATTACH_REFUSED',
      message:
        /^Cannot attach mirror_egress to \S+ \(egress\): an ingress qdisc is there, which sees no outgoing packets$/,
    },
  ],
];

t.test('what is refused leaves nothing', { skip }, (t) =>
  withMirrorWorld((world) => {
    const { pair, remote } = world;
    using collection = Collection.load(ObjectFile.open(inProject('bpf/mirror.bpf.o')), { pinRoot: false });
    for (const [name, prepare, wanted, error] of refusals) {
      prepare(world);
      const before = world.state();
      const usual = { interfaces: [pair.receiver.name], remotes: [remote.address], netns: pair.netns };
      t.throws(() => Mirror.start(collection, { ...usual, ...wanted(world) }), error, name);
      t.equal(world.state(), before, `${name}: nothing is left`);
    }
  }),
);

t.test('a command that is refused leaves no pin', { skip }, (t) =>
  withMirrorWorld(async (world) => {
    const cli = new Cli(world.command('--remote', '203.0.113.9', '--json'));
    const { code, lines } = await cli.ended;
    t.equal(code, 1);
    t.match(lines, [{ error: { code: 'NETLINK_FAILED' } }]);
    t.notOk(existsSync(`/sys/fs/bpf/ts-xdp-mirror-${String(cli.pid)}`));
    const wrongRule = await runCli([...world.command(), '--only', 'tpc', '--json']);
    t.match(wrongRule.lines, [{ error: { message: 'Cannot mirror by the rule "tpc": "tpc" is not known' } }]);
  }),
);

t.test('command lines that make no sense', { skip }, async (t) => {
  const wrong: [args: string[], message: string][] = [
    [['--remote', '192.0.2.1'], 'nothing says what to mirror: give --iface NAME'],
    [['--iface', 'lo'], 'nothing says where to: give --remote ADDRESS, or --device NAME of a tunnel'],
    [
      ['--iface', 'lo', '--remote', '192.0.2.1', '--device', 'vx'],
      '--remote and --device exclude each other: a device that is there knows its remote',
    ],
    [
      ['--iface', 'lo', '--device', 'vx', '--vni', '1'],
      '--vni and --port are for --remote: a device that is there has its own',
    ],
  ];
  for (const [args, message] of wrong) {
    const { code, lines } = await runCli(['mirror', ...args, '--json']);
    t.equal(code, 2);
    t.match(lines[0], { error: { code: 'USAGE', message } });
  }
});

const BYTES = 100_000;
const SERVER = `
  const hash = require('node:crypto').createHash('sha256');
  require('node:net').createServer((socket) => {
    socket.on('data', (data) => hash.update(data)).on('end', () => {
      console.log(hash.digest('hex'));
      process.exit(0);
    });
  }).listen(7000, () => console.log('listening'));`;
const CLIENT = `
  const socket = require('node:net').connect(7000, process.argv[1]);
  socket.end(Buffer.alloc(${String(BYTES)}, Array.from({ length: 251 }, (_, i) => String.fromCharCode(i % 127)).join('')));`;

/** Sequence number and payload of a TCP segment over IPv4. */
function segmentOf(bytes: Uint8Array): { sequence: number; payload: Uint8Array } | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getUint16(12) !== 0x0800 || view.getUint8(23) !== 6 || view.getUint16(36) !== 7000)
    return undefined;
  const header = 14 + (view.getUint8(14) & 15) * 4;
  const start = header + (view.getUint8(header + 12) >> 4) * 4;
  return { sequence: view.getUint32(header + 4), payload: bytes.subarray(start) };
}

for (const mtu of [1500, 9000]) {
  t.test(`what TCP leaves to segmentation offload arrives in full, MTU ${String(mtu)}`, { skip }, (t) =>
    withMirrorWorld(
      async (world) => {
        const { remote, namespaceName } = world;
        const run = (netns: string, code: string, ...args: string[]): ReturnType<typeof spawn> =>
          spawn('ip', ['netns', 'exec', netns, process.execPath, '-e', code, ...args], {
            stdio: ['ignore', 'pipe', 'inherit'],
            env: { PATH: process.env['PATH'] },
          });
        const cli = new Cli([
          ...['mirror', '--iface', remote.underlay, '--netns', namespaceName],
          ...['--remote', remote.address, '--direction', 'egress', '--json'],
        ]);
        await cli.line('mirroring');
        const server = run(remote.namespaceName, SERVER);
        let said = '';
        server.stdout?.on('data', (data: Buffer) => (said += data.toString()));
        await until(() => said.includes('listening'));
        run(namespaceName, CLIENT, remote.address);
        await until(() => server.exitCode !== null);
        const segments = new Map<number, Uint8Array>();
        let longest = 0;
        const total = (): number => [...segments.values()].reduce((sum, { length }) => sum + length, 0);
        await until(() => {
          for (const copy of remote.rest()) {
            longest = Math.max(longest, copy.length);
            const segment = segmentOf(copy);
            if (segment && segment.payload.length > 0) segments.set(segment.sequence, segment.payload);
          }
          return total() >= BYTES;
        });
        t.equal(total(), BYTES);
        const sorted = [...segments].sort(([one], [other]) => one - other).map(([, payload]) => payload);
        const expected = Buffer.alloc(
          BYTES,
          Array.from({ length: 251 }, (_, index) => String.fromCharCode(index % 127)).join(''),
        );
        t.ok(Buffer.concat(sorted).equals(expected), 'byte for byte');
        // Where the way has room, segmentation is left to the device below the tunnel, here to nobody.
        if (mtu === 9000) t.ok(longest > mtu + 14, `the longest copy has ${String(longest)} bytes`);
        const { lines } = await cli.stop();
        const { mirrored } = summaryOf({ lines });
        t.ok(Number(mirrored) >= BYTES / mtu, `${String(mirrored)} frames, counted as they are on the wire`);
        t.match(summaryOf({ lines }), { tunnel_lost: '0' });
      },
      { mtu },
    ),
  );
}
