/** What `ts-xdp load` does for the sniffer alone: its configuration and local addresses. */
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { EtherType, Protocol, ethernet, icmpEcho, ipv4, ipv6, pattern, udp } from '../fixtures/frames.ts';
import { Cli, notRoot, pause, summaryOf } from '../helpers/cli.ts';
import { ip } from '../helpers/kernel-objects.ts';
import { countersAddUp, snifferObject } from '../helpers/sniffer-events.ts';
import { withVethPair } from '../helpers/veth.ts';
import type { VethPair } from '../helpers/veth.ts';

const folder = mkdtempSync(join(tmpdir(), 'ts-xdp-sniffer-'));
t.teardown(() => {
  rmSync(folder, { recursive: true });
});

const place = (pair: VethPair): string[] => ['--netns', String(pair.namespaceName), '--json'];

function send(pair: VethPair, ...frames: Uint8Array[]): void {
  const socket = pair.openPacketSocket();
  for (const frame of frames) socket.send(frame);
  socket.close();
}

function toPort(destinationPort: number, destination = '198.51.100.20'): Uint8Array {
  const datagram = udp({ sourcePort: 40000, destinationPort }, pattern(8));
  return ethernet(EtherType.Ipv4, ipv4({ protocol: Protocol.Udp, destination }, datagram));
}

function toAddress6(destination: string): Uint8Array {
  return ethernet(EtherType.Ipv6, ipv6({ nextHeader: Protocol.Icmpv6, destination }, icmpEcho(pattern(8))));
}

const portsOf = (cli: Cli): unknown[] => cli.events.map(({ data }) => data?.['dst_port']);

interface FilterOptions {
  readonly mode?: string;
  readonly included_ports?: readonly number[];
  readonly excluded_ports?: readonly number[];
  readonly default_action?: string;
}

const forms: readonly {
  name: string;
  configuration: (device: string, filter: FilterOptions) => object;
  /** Of the events. */
  interfaceMode: number;
}[] = [
  {
    name: 'interfaces',
    configuration: (name, filter) => ({ interfaces: [{ name, mode: 'gateway', is_wan: true }], filter }),
    interfaceMode: 2,
  },
  {
    name: 'deployment',
    configuration: (name, filter) => ({
      deployment: { mode: 'gateway-only', gateway_interface: { name, mode: 'gateway', role: 'wan' } },
      capture: { filter },
    }),
    interfaceMode: 2,
  },
];

for (const { name, configuration, interfaceMode } of forms) {
  t.test(`--config in the form of ${name}, changed while running`, { skip: notRoot }, (t) =>
    withVethPair(async (pair) => {
      const path = join(folder, `${name}.json`);
      const write = (filter: FilterOptions): void => {
        writeFileSync(path, JSON.stringify(configuration(pair.receiver.name, filter)));
      };
      write({ mode: 'whitelist', included_ports: [443] });
      const cli = new Cli(['load', snifferObject, '--config', path, ...place(pair)]);
      await cli.attached();
      send(pair, toPort(443), toPort(22), toPort(80), toPort(443));
      await cli.until(({ events }) => events.length === 2);
      t.same(portsOf(cli), [443, 443], 'a whitelist of one port');
      t.match(cli.events[0]?.data, { interface_mode: interfaceMode, is_wan_facing: 1 });

      write({ mode: 'blacklist', excluded_ports: [22] });
      await cli.said(`note: the configuration ${path} changed and is in effect\n`);
      send(pair, toPort(443), toPort(22), toPort(80));
      await cli.until(({ events }) => events.length === 4);
      t.same(portsOf(cli).slice(2), [443, 80], 'everything but one port, without a new load');

      writeFileSync(path, '{ "interfaces": ');
      await cli.said('note: the configuration before stays in effect\n');
      t.match(cli.stderr, `error: Cannot use the configuration ${path}: `);
      send(pair, toPort(22), toPort(81));
      await cli.until(({ events }) => events.length === 5);
      t.equal(portsOf(cli).at(-1), 81);

      // As editors do: another file takes the name.
      writeFileSync(
        `${path}.new`,
        JSON.stringify(configuration(pair.receiver.name, { excluded_ports: [81] })),
      );
      renameSync(`${path}.new`, path);
      await cli.until(({ stderr }) => stderr.split('is in effect').length === 3);
      send(pair, toPort(81), toPort(22));
      await cli.until(({ events }) => events.length === 6);
      t.equal(portsOf(cli).at(-1), 22);

      const { code, lines } = await cli.stop();
      t.equal(code, 0);
      const counters = summaryOf({ lines })['counters'] as Record<string, number>;
      t.match(
        counters,
        { seen: 11, filtered: 5, submitted: 6, no_space: 0, ignored: 0 },
        'and nothing was lost',
      );
      t.ok(countersAddUp(counters));
    }),
  );
}

t.test('changes under traffic lose no packet', { skip: notRoot }, (t) =>
  withVethPair(async (pair) => {
    const path = join(folder, 'traffic.json');
    const write = (excluded: number): void => {
      const interfaces = [{ name: pair.receiver.name, mode: 'gateway' }];
      writeFileSync(path, JSON.stringify({ interfaces, filter: { excluded_ports: [excluded] } }));
    };
    write(1);
    const cli = new Cli(['load', snifferObject, '--config', path, ...place(pair)]);
    await cli.attached();
    const frame = toPort(9000);
    for (let round = 2; round < 7; round++) {
      write(round);
      for (let burst = 0; burst < 10; burst++) {
        send(pair, ...Array.from({ length: 20 }, () => frame));
        await pause(5);
      }
      await cli.until(({ stderr }) => stderr.split('is in effect').length === round);
    }
    await cli.until(({ events }) => events.length === 1000);
    const { lines } = await cli.stop();
    t.match(summaryOf({ lines }), {
      events: 1000,
      lost: 0,
      counters: { seen: 1000, submitted: 1000, filtered: 0 },
    });
  }),
);

t.test(
  'host_based captures what is for this host, also for addresses that come and go',
  { skip: notRoot },
  (t) =>
    withVethPair(
      async (pair) => {
        const { receiver } = pair;
        const netns = String(pair.namespaceName);
        ip(`address add 192.0.2.77/24 dev ${receiver.name}`, netns);
        const path = join(folder, 'host.json');
        writeFileSync(path, JSON.stringify({ interfaces: [{ name: receiver.name, mode: 'host_based' }] }));
        const cli = new Cli(['load', snifferObject, '--config', path, ...place(pair)]);
        await cli.attached();
        t.match(cli.stderr, `note: filled the sniffer's maps: ${receiver.name} (host_based); `);
        const probe = async (port: number): Promise<unknown[]> => {
          const before = cli.events.length;
          send(
            pair,
            toPort(port, '192.0.2.77'),
            toPort(port, '192.0.2.78'),
            toAddress6('fd00:5::1'),
            toPort(port, '192.0.2.77'),
          );
          await cli.until(
            ({ events }) =>
              events.slice(before).filter(({ data }) => data?.['dst_ip'] === 0xc000024d).length === 2,
          );
          await pause(30);
          return cli.events.slice(before).map(({ data }) => data?.['dst_ip']);
        };
        const [first, second] = [0xc000024d, 0xc000024e];
        t.same(await probe(1), [first, first], 'an address that was there');
        t.match(cli.events[0]?.data, { interface_mode: 1 });
        ip(`address add 192.0.2.78/24 dev ${receiver.name}`, netns);
        await pause(100);
        t.same(await probe(2), [first, second, first], 'an address that came');
        ip(`address add fd00:5::1/64 dev ${receiver.name} nodad`, netns);
        await pause(100);
        t.same(
          (await probe(3)).sort(),
          [first, second, first, 'fd000005000000000000000000000001'].sort(),
          'of IPv6',
        );
        ip(`address delete 192.0.2.78/24 dev ${receiver.name}`, netns);
        await pause(100);
        t.same(
          (await probe(4)).filter((address) => address === second),
          [],
          'an address that went',
        );
        const { code, lines } = await cli.stop();
        t.equal(code, 0);
        t.ok(countersAddUp(summaryOf({ lines })['counters'] as Record<string, number>));
      },
      { ipv6: true },
    ),
);
