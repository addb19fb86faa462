/** Where and how `ts-xdp load` attaches: modes, what refuses them, other programs, other namespaces. */
import { spawn, execFileSync } from 'node:child_process';
import t from 'tap';
import { attachTc, Collection, ObjectFile } from '../../src/index.ts';
import { EtherType, Protocol, ethernet, ipv4, ipv6, pattern, udp } from '../fixtures/frames.ts';
import { Cli, notRoot, summaryOf } from '../helpers/cli.ts';
import { runHosted } from '../helpers/command-host.ts';
import { ip, leftObjects, xdpState } from '../helpers/kernel-objects.ts';
import { noClang, ObjectFolder, uniqueTag } from '../helpers/object-source.ts';
import { snifferObject } from '../helpers/sniffer-events.ts';
import { withVethPair } from '../helpers/veth.ts';
import type { VethPair } from '../helpers/veth.ts';

const skip = notRoot || noClang;
const folder = new ObjectFolder();
const tag = uniqueTag();
const object = skip === false ? folder.compile('variants', { name: `${tag}_x`, defines: { TAG: tag } }) : '';
t.teardown(() => {
  folder.close();
});

const NATIVE = 1;
const GENERIC = 2;

const on = (pair: VethPair, ...more: string[]): string[] => [
  ...['load', object, '--iface', pair.receiver.name, '--netns', String(pair.namespaceName), '--json'],
  ...more,
];
const payload = udp({ sourcePort: 1, destinationPort: 2 }, pattern(8));
const frame = ethernet(EtherType.Ipv4, ipv4({ protocol: Protocol.Udp }, payload));

t.test('the mode that won is reported, and what was refused before', { skip }, (t) =>
  withVethPair(async (pair) => {
    const netns = String(pair.namespaceName);
    const rows = [
      { device: pair.receiver.name, list: 'native,generic', mode: 'native', state: NATIVE },
      { device: pair.receiver.name, list: 'generic,native', mode: 'generic', state: GENERIC },
      { device: pair.receiver.name, list: 'generic', mode: 'generic', state: GENERIC },
      { device: 'lo', list: undefined, mode: 'generic', state: GENERIC },
      { device: 'lo', list: 'offload,native,generic', mode: 'generic', state: GENERIC },
    ];
    for (const via of ['link', 'netlink']) {
      // By netlink one of each kind of device will do.
      const some = rows.filter((_, index) => via === 'link' || index % 3 === 0);
      for (const { device, list, mode, state } of some) {
        const chosen = list === undefined ? [] : ['--mode', list];
        const args = ['load', object, '--iface', device, '--netns', netns, '--via', via, ...chosen, '--json'];
        const cli = new Cli(args);
        const attached = await cli.attached();
        t.match(attached, { target: device, mode, via }, `${device} ${list ?? ''} ${via}`);
        t.same(
          xdpState(device, netns),
          { mode: state, programId: attached['program_id'] },
          'by the word of iproute2',
        );
        const refused = attached['refused'] as
          { mode: string; obstacle: string; errno: string }[] | undefined;
        const before = (list ?? 'native,generic')
          .split(',')
          .slice(0, (list ?? 'native,generic').split(',').indexOf(mode));
        t.same(refused?.map((one) => one.mode) ?? [], before);
        for (const one of refused ?? []) {
          await cli.said(`note: ${one.mode} mode was refused on ${device}: `);
          if (one.mode === 'native') t.match(one, { errno: 'EOPNOTSUPP', obstacle: 'driver' });
        }
        t.equal((await cli.stop()).code, 0);
        t.equal(xdpState(device, netns).programId, undefined);
      }
    }
  }),
);

t.test('an MTU that native XDP cannot carry is named', { skip }, (t) =>
  withVethPair(
    async (pair) => {
      const netns = String(pair.namespaceName);
      const { name } = pair.receiver;
      const reason = 'veth: Peer MTU is too large to set XDP';
      for (const via of ['link', 'netlink']) {
        const cli = new Cli(on(pair, '--via', via));
        const attached = await cli.attached();
        t.match(attached, { mode: 'generic', via });
        t.same(attached['refused'], [{ mode: 'native', reason, errno: 'ERANGE', obstacle: 'mtu' }]);
        await cli.said(`note: native mode was refused on ${name}: ${reason}\n`);
        t.equal((await cli.stop()).code, 0);

        const native = await runHosted(on(pair, '--via', via, '--mode', 'native'));
        t.equal(native.code, 1);
        t.same(native.lines, [
          {
            error: {
              code: 'ATTACH_REFUSED',
              message: `Cannot attach to ${name}: native: ${reason} (ERANGE)`,
              hint: `lower the MTU (ip link set dev ${name} mtu 3498 or less), use an xdp.frags program, or --mode generic`,
              target: name,
              obstacle: 'mtu',
              tried: ['native'],
            },
          },
        ]);
        t.same(
          xdpState(name, netns),
          { mode: undefined, programId: undefined },
          'asking for the reason left nothing',
        );
      }
      const place = ['--iface', name, '--netns', netns, '--mode', 'native', '--json'];
      const frags = new Cli(['load', snifferObject, '--prog', 'xdp_frags_sniffer', ...place]);
      t.match(await frags.attached(), { program: 'xdp_frags_sniffer', mode: 'native' }, 'xdp.frags can');
      await frags.stop();
      t.same(await leftObjects(tag), []);
    },
    { mtu: 9000 },
  ),
);

t.test('--replace takes the place of what is there, and of nothing else', { skip }, (t) =>
  withVethPair(async (pair) => {
    const netns = String(pair.namespaceName);
    const { name } = pair.receiver;
    const sniffer = ['load', snifferObject, '--iface', name, '--netns', netns, '--json'];

    await t.test('by netlink: it is ours then', async (t) => {
      const left = new Cli([...sniffer, '--via', 'netlink', '--mode', 'generic', '--detach']);
      t.equal((await left.ended).code, 0);
      const before = xdpState(name, netns);
      t.equal(before.programId, left.lines[0]?.['program_id'], 'netlink stays');
      const cli = new Cli(on(pair, '--replace'));
      const attached = await cli.attached();
      t.match(attached, { via: 'netlink', mode: 'generic', link_id: null }, 'in the mode that it was in');
      t.equal(xdpState(name, netns).programId, attached['program_id']);
      t.equal((await cli.stop()).code, 0);
      t.equal(xdpState(name, netns).programId, undefined);
    });

    await t.test("another process's link: what was there comes back", async (t) => {
      const first = new Cli(sniffer);
      const { program_id: firstProgram, link_id: link } = await first.attached();
      const second = new Cli(on(pair, '--replace'));
      const attached = await second.attached();
      t.match(attached, { via: 'link', mode: 'native', link_id: link });
      t.equal(xdpState(name, netns).programId, attached['program_id']);
      t.equal((await second.stop()).code, 0);
      t.equal(xdpState(name, netns).programId, firstProgram, 'put back');
      const socket = pair.openPacketSocket();
      socket.send(frame);
      socket.close();
      await first.line('event');
      t.equal((await first.stop()).code, 0);
      t.equal(xdpState(name, netns).programId, undefined);
    });

    await t.test('the owner of the link goes first', async (t) => {
      const first = new Cli(sniffer);
      await first.attached();
      const second = new Cli(on(pair, '--replace'));
      const { program_id: program } = await second.attached();
      t.equal((await first.stop()).code, 0);
      t.equal(xdpState(name, netns).programId, program, 'the second holds the link too');
      t.equal((await second.stop()).code, 0);
      t.equal(xdpState(name, netns).programId, undefined);
    });

    await t.test('where nothing is attached it attaches', async (t) => {
      const cli = new Cli(on(pair, '--replace'));
      t.match(await cli.attached(), { via: 'link', mode: 'native' });
      t.equal((await cli.stop()).code, 0);
    });
    t.same(await leftObjects(tag), []);
  }),
);

t.test('--netns takes a name and the id of a process in it', { skip }, (t) =>
  withVethPair(async (pair) => {
    const netns = String(pair.namespaceName);
    const sleeper = spawn('ip', ['netns', 'exec', netns, 'sleep', '60'], { stdio: 'ignore' });
    try {
      const inode = execFileSync('stat', ['-L', '-c', '%i', `/run/netns/${netns}`], { encoding: 'utf8' });
      const pid = String(sleeper.pid);
      for (let wait = 0; wait < 100; wait++) {
        if (execFileSync('stat', ['-L', '-c', '%i', `/proc/${pid}/ns/net`], { encoding: 'utf8' }) === inode)
          break;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      for (const reference of [netns, pid, `/proc/${pid}/ns/net`]) {
        const place = ['--iface', pair.receiver.name, '--netns', reference, '--json'];
        const cli = new Cli(['load', snifferObject, ...place]);
        t.match(await cli.attached(), { target: pair.receiver.name, ifindex: pair.receiver.index });
        const socket = pair.openPacketSocket();
        socket.send(frame);
        socket.close();
        t.match((await cli.line('event')).data, { source_interface: pair.receiver.name });
        t.equal((await cli.stop()).code, 0, reference);
      }
    } finally {
      sleeper.kill();
    }
    const gone = await runHosted(['load', object, '--iface', 'lo', '--netns', '4194303', '--json']);
    t.match(gone.lines[0]?.error, { code: 'NETNS_NOT_FOUND', subject: '4194303' });
  }),
);

t.test('a program bound to its device reads what the driver knows', { skip }, async (t) => {
  const bound = ['load', snifferObject, '--prog', 'xdp_bound_sniffer', '--json'];
  await withVethPair(async (pair) => {
    const { receiver, sender } = pair;
    using tagging = Collection.load(ObjectFile.open(folder.compile('push-vlan')));
    using filter = attachTc(tagging.program('push_vlan'), {
      ...{ interface: sender.name, direction: 'egress', netns: pair.netns },
    });
    t.ok(filter);
    const cli = new Cli([...bound, '--iface', receiver.name, '--netns', String(pair.namespaceName)]);
    t.match(await cli.attached(), { program: 'xdp_bound_sniffer', mode: 'native' });
    const socket = pair.openPacketSocket();
    socket.send(ethernet(EtherType.Ipv6, ipv6({ nextHeader: Protocol.Udp }, payload)));
    socket.close();
    t.match(
      (await cli.line('event')).data,
      { vlan_proto: 0x8100, vlan_tci: 7 },
      'the tag is not in the packet',
    );
    const { code, lines } = await cli.stop();
    t.equal(code, 0);
    t.match(summaryOf({ lines }), { counters: { vlan: 1 } });
  });
  const { code, lines, stderr } = await runHosted([...bound, '--iface', 'lo']);
  t.same([code, stderr], [4, '']);
  t.match(lines, [
    {
      error: {
        code: 'UNSUPPORTED_FEATURE',
        message:
          'Cannot load program xdp_bound_sniffer: it is bound to the interface of index 1, whose driver has no metadata for programs',
        hint: 'choose a program that is not bound to a device (--prog)',
      },
    },
  ]);
});

t.test('several interfaces are one stream', { skip }, (t) =>
  withVethPair(async (pair) => {
    const netns = String(pair.namespaceName);
    const { receiver, sender } = pair;
    ip('link add br0 type bridge', netns);
    ip('link set br0 up', netns);
    const devices = [
      '--iface',
      receiver.name,
      '--iface',
      sender.name,
      '--iface',
      'br0',
      '--iface',
      receiver.name,
    ];
    const cli = new Cli(['load', snifferObject, ...devices, '--netns', netns, '--json']);
    const lines = await cli.until(({ lines }) => {
      const attached = lines.filter(({ type }) => type === 'attached');
      return attached.length === 3 && attached;
    });
    t.same(
      lines.map(({ target, mode }) => [target, mode]),
      [
        [receiver.name, 'native'],
        [sender.name, 'native'],
        ['br0', 'generic'],
      ],
      'named twice is attached once',
    );
    t.equal(new Set(lines.map((line) => line['program_id'])).size, 1, 'the program is loaded once');
    const socket = pair.openPacketSocket();
    socket.send(frame);
    socket.close();
    t.match((await cli.line('event')).data, {
      source_ifindex: receiver.index,
      source_interface: receiver.name,
    });
    const { code, lines: all } = await cli.stop();
    t.equal(code, 0);
    t.match(summaryOf({ lines: all }), { events: 1 });
    for (const device of [receiver.name, sender.name, 'br0'])
      t.equal(xdpState(device, netns).programId, undefined);
  }),
);

t.test('one interface of two that refuses: neither is attached', { skip }, (t) =>
  withVethPair(async (pair) => {
    const netns = String(pair.namespaceName);
    const devices = ['--iface', pair.receiver.name, '--iface', 'lo'];
    for (const via of ['link', 'netlink']) {
      const args = ['load', object, ...devices, '--netns', netns, '--mode', 'native', '--via', via, '--json'];
      const { code, lines } = await runHosted(args);
      t.equal(code, 1);
      t.equal(lines.length, 1, 'not even reported as attached');
      t.match(lines[0]?.error, {
        code: 'ATTACH_REFUSED',
        target: 'lo',
        obstacle: 'driver',
        tried: ['native'],
      });
      t.equal(xdpState(pair.receiver.name, netns).programId, undefined);
    }
    t.same(await leftObjects(tag), []);
  }),
);
