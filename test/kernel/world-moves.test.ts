/** What happens to the interfaces while `ts-xdp load` is attached: said, and the rest goes on. */
import t from 'tap';
import { EtherType, Protocol, ethernet, ipv4, pattern, udp } from '../fixtures/frames.ts';
import { Cli, notRoot, summaryOf } from '../helpers/cli.ts';
import { ip, xdpState } from '../helpers/kernel-objects.ts';
import { snifferObject } from '../helpers/sniffer-events.ts';
import { addNamespace, deleteNamespace, VethPair, withVethPair } from '../helpers/veth.ts';

const skip = notRoot;
const datagram = udp({ sourcePort: 1, destinationPort: 2 }, pattern(8));
const frame = ethernet(EtherType.Ipv4, ipv4({ protocol: Protocol.Udp }, datagram));

/** A second pair in the namespace of the first, removed with it. */
function addPair(netns: string, name: string): string {
  ip(`link add ${name}a type veth peer name ${name}b`, netns);
  ip(`link set ${name}a up`, netns);
  ip(`link set ${name}b up`, netns);
  return `${name}a`;
}

function start(pair: VethPair, devices: readonly string[], ...more: string[]): Cli {
  const list = devices.flatMap((device) => ['--iface', device]);
  return new Cli(['load', snifferObject, ...list, '--netns', String(pair.namespaceName), '--json', ...more]);
}

async function event(cli: Cli, pair: VethPair): Promise<Record<string, unknown> | undefined> {
  const before = cli.events.length;
  const socket = pair.openPacketSocket();
  socket.send(frame);
  socket.close();
  return cli.until(({ events }) => events[before]?.data);
}

const attachedIn = ({ lines }: Cli): Cli['lines'] => lines.filter(({ type }) => type === 'attached');
const change = (cli: Cli, name: string): Promise<unknown> =>
  cli.until(({ lines }) => lines.find((line) => line.type === 'interface' && line['change'] === name));

t.test('renamed: events carry the new name', { skip }, (t) =>
  withVethPair(async (pair) => {
    const netns = String(pair.namespaceName);
    const { name, index } = pair.receiver;
    const cli = start(pair, [name]);
    await cli.attached();
    t.equal((await event(cli, pair))?.['source_interface'], name);
    ip(`link set ${name} name renamed0`, netns);
    t.same(await change(cli, 'renamed'), {
      type: 'interface',
      change: 'renamed',
      target: 'renamed0',
      ifindex: index,
    });
    t.match(cli.stderr, `note: ${name} is called renamed0 now\n`);
    t.match(await event(cli, pair), { source_interface: 'renamed0', source_ifindex: index });
    t.equal((await cli.stop()).code, 0);
    t.equal(xdpState('renamed0', netns).programId, undefined, 'detached under its new name');
    ip(`link set renamed0 name ${name}`, netns);
  }),
);

t.test('down and up: said, and then packets come again', { skip }, (t) =>
  withVethPair(async (pair) => {
    const netns = String(pair.namespaceName);
    const { name, index } = pair.receiver;
    for (const via of ['link', 'netlink']) {
      const cli = start(pair, [name], '--via', via);
      await cli.attached();
      await event(cli, pair);
      ip(`link set ${name} down`, netns);
      t.same(await change(cli, 'down'), { type: 'interface', change: 'down', target: name, ifindex: index });
      ip(`link set ${name} up`, netns);
      t.same(await change(cli, 'up'), { type: 'interface', change: 'up', target: name, ifindex: index });
      t.match(cli.stderr, `note: ${name} is down\nnote: ${name} is up\n`);
      await event(cli, pair);
      const { code, lines } = await cli.stop();
      t.equal(code, 0);
      t.match(summaryOf({ lines }), { events: 2, lost: 0 });
    }
  }),
);

t.test('an interface that is down from the start is attached, and its coming up is said', { skip }, (t) =>
  withVethPair(async (pair) => {
    const netns = String(pair.namespaceName);
    const { name } = pair.receiver;
    ip(`link set ${name} down`, netns);
    const cli = start(pair, [name]);
    await cli.attached();
    ip(`link set ${name} up`, netns);
    await change(cli, 'up');
    await event(cli, pair);
    t.equal((await cli.stop()).code, 0);
  }),
);

for (const via of ['link', 'netlink']) {
  t.test(`deleted among two (${via}): the rest goes on, and without any it ends`, { skip }, (t) =>
    withVethPair(async (pair) => {
      const netns = String(pair.namespaceName);
      const { name, index } = pair.receiver;
      const other = addPair(netns, 'gone');
      const cli = start(pair, [other, name], '--via', via);
      const lines = await cli.until((now) => attachedIn(now).length === 2 && attachedIn(now));
      ip(`link delete ${other}`, netns);
      t.same(await change(cli, 'removed'), {
        type: 'interface',
        change: 'removed',
        target: other,
        ifindex: lines[0]?.['ifindex'],
      });
      t.match(cli.stderr, `note: ${other} is gone\n`);
      t.match(await cli.line('detached'), { kind: 'xdp', target: other, via, reason: 'target_gone' });
      t.match(await event(cli, pair), { source_ifindex: index }, 'the other goes on');
      ip(`link delete ${name}`, netns);
      const { code, signal, lines: all, stderr } = await cli.ended;
      t.same([code, signal], [0, null], stderr);
      t.match(stderr, `note: xdp_sniffer_enhanced is no longer attached to ${name}: the interface is gone\n`);
      t.match(summaryOf({ lines: all }), { events: 1, lost: 0 });
    }),
  );
}

t.test(
  'moved to another namespace: it is gone from here, and nothing stays attached there',
  { skip },
  async (t) => {
    const elsewhere = `tx${process.pid.toString(36)}-moved`;
    addNamespace(elsewhere);
    try {
      for (const via of ['link', 'netlink']) {
        await withVethPair(async (pair) => {
          const netns = String(pair.namespaceName);
          const other = addPair(netns, 'move');
          const cli = start(pair, [other, pair.receiver.name], '--via', via);
          await cli.until((now) => attachedIn(now).length === 2);
          ip(`link set ${other} netns ${elsewhere}`, netns);
          t.match(await change(cli, 'removed'), { target: other });
          await event(cli, pair);
          const { code, stderr } = await cli.stop();
          t.equal(code, 0, stderr);
          if (via === 'link')
            t.equal(xdpState(other, elsewhere).programId, undefined, 'a link goes with its holder');
          ip(`link delete ${other}`, elsewhere);
        });
      }
    } finally {
      deleteNamespace(elsewhere);
    }
  },
);

t.test('the namespace is deleted: attached until the end, for the command keeps it', { skip }, async (t) => {
  const pair = VethPair.open();
  const netns = String(pair.namespaceName);
  const cli = start(pair, [pair.receiver.name]);
  try {
    await cli.attached();
    deleteNamespace(netns);
    t.match(await event(cli, pair), { source_interface: pair.receiver.name });
    const { code, lines } = await cli.stop();
    t.equal(code, 0);
    t.match(summaryOf({ lines }), { events: 1 });
  } finally {
    addNamespace(netns);
    pair.close();
  }
});
