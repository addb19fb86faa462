/** `ts-xdp load` with the shipped sniffer: every field of every event against the packet that was sent. */
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { packetCases } from '../fixtures/packets.ts';
import { Cli, notRoot, runCli, summaryOf } from '../helpers/cli.ts';
import { countersAddUp, expectedEvent, seenEvent, snifferObject } from '../helpers/sniffer-events.ts';
import { patience } from '../helpers/patience.ts';
import { withVethPair } from '../helpers/veth.ts';

/** Frames of one buffer; a veth pair takes native XDP up to an MTU of 3498. */
const cases = packetCases.filter(({ severalBuffers }) => severalBuffers !== true);
const wanted = (seenOn: { name: string; index: number }): Record<string, unknown>[] =>
  cases.flatMap((one) => {
    const event = expectedEvent(one, seenOn);
    return event ? [event] : [];
  });
/** Two rings are read in turn, so events are in order within each. */
const byRing = (events: readonly Record<string, unknown>[]): unknown[] => [
  events.filter(({ map }) => map === 'events'),
  events.filter(({ map }) => map === 'events_v6'),
];

for (const via of ['link', 'netlink']) {
  for (const mode of ['native', 'generic']) {
    t.test(`every packet by ${via} in ${mode} mode`, { skip: notRoot }, (t) =>
      withVethPair(
        async (pair) => {
          const { receiver } = pair;
          const place = ['--iface', receiver.name, '--netns', String(pair.namespaceName)];
          const cli = new Cli(['load', snifferObject, ...place, '--via', via, '--mode', mode, '--json']);
          const attached = await cli.attached();
          t.match(attached, { program: 'xdp_sniffer_enhanced', target: receiver.name, mode, via });
          const before = process.hrtime.bigint();
          const socket = pair.openPacketSocket();
          for (const { frame } of cases) socket.send(frame);
          socket.close();
          const after = process.hrtime.bigint();
          const expected = wanted(receiver);
          await cli.until(({ events }) => events.length >= expected.length);
          const { code, lines, stderr } = await cli.stop('SIGINT');
          t.equal(code, 0);
          const events = lines.filter(({ type }) => type === 'event');
          t.strictSame(byRing(events.map(seenEvent)), byRing(expected));
          for (const { time, data } of events) {
            const timestamp = BigInt(String(data?.['timestamp']));
            if (timestamp < before || timestamp > after)
              t.fail(`captured at ${String(timestamp)}, not while sending`);
            if (Math.abs(Date.parse(String(time)) - Date.now()) > 20_000 * patience)
              t.fail(`the time ${String(time)} is not now`);
          }
          const counters = summaryOf({ lines })['counters'] as Record<string, number>;
          t.strictSame(counters, {
            seen: cases.length,
            ignored: cases.length - expected.length,
            filtered: 0,
            no_space: 0,
            submitted: expected.length,
            vlan: cases.filter(({ tagged }) => tagged).length,
            payload_unreadable: 0,
          });
          t.ok(countersAddUp(counters));
          t.match(summaryOf({ lines }), { events: expected.length, lost: 0, dropped: 0 });
          t.match(stderr, `note: filled the sniffer's maps: ${receiver.name} (gateway); 0 local addresses\n`);
        },
        { mtu: 3000 },
      ),
    );
  }
}

t.test('for people: who spoke to whom', { skip: notRoot }, (t) =>
  withVethPair(async (pair) => {
    const { receiver } = pair;
    const folder = mkdtempSync(join(tmpdir(), 'ts-xdp-empty-'));
    const place = ['--iface', receiver.name, '--netns', String(pair.namespaceName)];
    // A bare name in an empty folder is the object that comes with the package.
    const cli = new Cli(['load', 'sniffer.bpf.o', ...place, '--count', '5'], { cwd: folder });
    t.teardown(() => {
      rmdirSync(folder);
    });
    await cli.until(({ stdout }) => stdout.includes('attached'));
    const shown = new Set([
      'UDP with 9 bytes of payload',
      'UDP over IPv6 with 9 bytes of payload',
      'QinQ',
      'IPv6 with one VLAN tag',
      'ICMPv6 echo has no ports',
    ]);
    const socket = pair.openPacketSocket();
    for (const { name, frame } of cases) if (shown.has(name)) socket.send(frame);
    socket.close();
    const { code, stdout, stderr } = await cli.ended;
    t.equal(code, 0);
    t.equal(
      stderr,
      'note: there is no sniffer.bpf.o here; using the one that comes with ts-xdp\n' +
        `note: filled the sniffer's maps: ${receiver.name} (gateway); 0 local addresses\n`,
    );
    const [attached = '', ...rest] = stdout.trimEnd().split('\n');
    t.match(attached, /^attached xdp_sniffer_enhanced to \S+ \(native mode, by link, program \d+\)$/);
    t.match(
      rest.pop(),
      /^5 events in \d+\.\d s; lost: 0; seen 5, ignored 0, filtered 0, no_space 0, submitted 5, /,
    );
    const from4 = '192.0.2.10';
    const to4 = '198.51.100.20';
    const [from6, to6] = ['2001:db8::a', '2001:db8:1::b'];
    t.ok(rest.every((line) => /^\d\d:\d\d:\d\d\.\d{6} /.test(line)));
    t.same(
      rest.map((line) => line.slice('00:00:00.000000 '.length)).sort(),
      [
        `${receiver.name} TCP ${from4}:40000 > ${to4}:443 [PSH,ACK] 80 bytes, 18 of payload`,
        `${receiver.name} UDP ${from4}:40000 > ${to4}:443 51 bytes, 9 of payload`,
        `${receiver.name} UDP [${from6}]:40000 > [${to6}]:443 71 bytes, 9 of payload`,
        `${receiver.name} UDP [${from6}]:40000 > [${to6}]:443 vlan 100 84 bytes, 18 of payload`,
        `${receiver.name} ICMPv6 ${from6} > ${to6} 80 bytes, 18 of payload`,
      ].sort(),
    );
  }),
);

t.test('--count is exact, whatever waits in the ring', { skip: notRoot }, (t) =>
  withVethPair(async (pair) => {
    const place = ['--iface', pair.receiver.name, '--netns', String(pair.namespaceName)];
    const cli = new Cli(['load', snifferObject, ...place, '--count', '7', '--json']);
    await cli.attached();
    const socket = pair.openPacketSocket();
    const frame = cases.find(({ name }) => name === 'UDP with 9 bytes of payload')?.frame ?? new Uint8Array();
    for (let copy = 0; copy < 100; copy++) socket.send(frame);
    socket.close();
    const { code, lines } = await cli.ended;
    t.equal(code, 0);
    t.equal(lines.filter(({ type }) => type === 'event').length, 7);
    t.match(summaryOf({ lines }), { events: 7 });
    const missing = await runCli(['load', './sniffer.bpf.o', ...place, '--json'], { cwd: '/' });
    t.match(missing.lines[0]?.error, { code: 'FILE_NOT_FOUND', path: './sniffer.bpf.o' }, 'a path is a path');
  }),
);
