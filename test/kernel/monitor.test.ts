/** `ts-xdp monitor` over veth pairs: what it prints of every packet, what it counts, how it ends. */
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { EtherType, Protocol, ethernet, ipv4, pattern, tcp, udp } from '../fixtures/frames.ts';
import { kindOf, monitoredCases, PROTOCOLS, type MonitoredCase } from '../fixtures/monitored-packets.ts';
import { Cli, notRoot, pause, runCli, STACK, summaryOf } from '../helpers/cli.ts';
import type { CliResult, JsonLine } from '../helpers/cli.ts';
import { ip, xdpState } from '../helpers/kernel-objects.ts';
import { PacketCapture, whyNoTcpdump } from '../helpers/packet-capture.ts';
import { patience } from '../helpers/patience.ts';
import { withVethPair, type VethPair } from '../helpers/veth.ts';

const skip = notRoot;

const monitor = (pair: VethPair, ...more: string[]): string[] => [
  ...['monitor', '--iface', pair.receiver.name, '--netns', String(pair.namespaceName)],
  ...more,
];
const state = (pair: VethPair): number | undefined =>
  xdpState(pair.receiver.name, pair.namespaceName).programId;

function send(pair: VethPair, ...frames: readonly Uint8Array[]): void {
  const socket = pair.openPacketSocket();
  for (const frame of frames) socket.send(frame);
  socket.close();
}

const udpFrame = ethernet(
  EtherType.Ipv4,
  ipv4({ protocol: Protocol.Udp }, udp({ sourcePort: 1, destinationPort: 2 }, pattern(100))),
);

const DAY = 86_400_000;

/** Frames that a veth pair of this MTU takes. */
const cases = monitoredCases.filter(({ severalBuffers }) => !severalBuffers);
const FLAG_NAMES = { FRAG: 0x01, LOW_TTL: 0x02, SYN: 0x10, FIN: 0x20, RST: 0x40 };
const NAMES = new Map<number, string>([...PROTOCOLS, [6, 'TCP'], [17, 'UDP'], [132, 'SCTP']]);

const flagNames = (flags: number): string[] =>
  Object.entries(FLAG_NAMES)
    .filter(([, bit]) => (flags & bit) !== 0)
    .map(([name]) => name);

function protocolName(family: string, protocol: number): string {
  if (family === 'ipv6' && protocol === 58) return 'ICMPv6';
  return NAMES.get(protocol) ?? `PROTO_${String(protocol)}`;
}

/** What JSON says of a packet, its time apart; undefined for a frame that makes no event. */
function expectedPacket({ expected }: MonitoredCase): JsonLine | undefined {
  if (expected === 'ignored') return undefined;
  const { flags, family, protocol, ...rest } = expected;
  return {
    type: 'packet',
    family,
    protocol,
    protocol_name: protocolName(family, protocol),
    ...rest,
    flags: flagNames(flags),
  };
}

/** The line of a packet, its time apart. */
function expectedLine({ expected }: MonitoredCase): string | undefined {
  if (expected === 'ignored') return undefined;
  const { family, protocol, src_ip, src_port, dst_ip, dst_port, packet_size, flags } = expected;
  const end = (address: string, port: number): string =>
    family === 'ipv6' ? `[${address}]:${String(port)}` : `${address}:${String(port)}`;
  const names = flags === 0 ? '' : ` [${flagNames(flags).join(',')}]`;
  return (
    `${protocolName(family, protocol)} ${end(src_ip, src_port)} -> ${end(dst_ip, dst_port)} ` +
    `(${String(packet_size)} bytes)${names}`
  );
}

const isThere = <Value>(value: Value | undefined): value is Value => value !== undefined;
const packetsOf = (lines: readonly JsonLine[]): JsonLine[] => lines.filter(({ type }) => type === 'packet');
const count = (kind: string): string => String(cases.filter((one) => kindOf(one) === kind).length);

function withoutTime(line: JsonLine): JsonLine {
  const fields = Object.entries(line).filter(([name]) => name !== 'time' && name !== 'timestamp');
  return Object.fromEntries(fields);
}

/** Two rings are read in turn, so packets are in order within each family. */
const byFamily = (packets: readonly JsonLine[]): JsonLine[][] =>
  ['ipv4', 'ipv6'].map((wanted) => packets.filter(({ family }) => family === wanted));

for (const mode of ['native', 'generic']) {
  t.test(`every packet in ${mode} mode, as JSON`, { skip }, (t) =>
    withVethPair(
      async (pair) => {
        const cli = new Cli(monitor(pair, '--mode', mode, '--json'));
        const attached = await cli.attached();
        t.match(attached, { kind: 'xdp', target: pair.receiver.name, mode, via: 'link' });
        const before = process.hrtime.bigint();
        send(pair, ...cases.map(({ frame }) => frame));
        const after = process.hrtime.bigint();
        const expected = cases.map(expectedPacket).filter(isThere);
        await cli.until(({ lines }) => packetsOf(lines).length >= expected.length);
        const { code, lines } = await cli.stop('SIGINT');
        t.equal(code, 0);
        const packets = packetsOf(lines);
        t.strictSame(byFamily(packets.map(withoutTime)), byFamily(expected));
        for (const { time, timestamp } of packets) {
          if (typeof timestamp !== 'string') t.fail('64 bits are decimal strings');
          const at = BigInt(String(timestamp));
          if (at < before || at > after) t.fail(`captured at ${String(at)}, not while sending`);
          if (Math.abs(Date.parse(String(time)) - Date.now()) > 20_000 * patience)
            t.fail(`the time ${String(time)} is not now`);
        }
        t.match(summaryOf({ lines }), {
          total: String(cases.length),
          tcp: count('tcp'),
          udp: count('udp'),
          other: count('other'),
          lost: '0',
          packets: expected.length,
          dropped: 0,
        });
        t.equal(state(pair), undefined, 'nothing stays attached');
      },
      { mtu: 3000 },
    ),
  );
}

t.test('jumbo frames of several buffers', { skip }, (t) =>
  withVethPair(
    async (pair) => {
      const cli = new Cli(monitor(pair, '--mode', 'native', '--json'));
      t.match(await cli.attached(), { program: 'capture_jumbo_packet_data', mode: 'native' });
      const jumbo = monitoredCases.filter(({ severalBuffers }) => severalBuffers);
      send(pair, ...jumbo.map(({ frame }) => frame));
      const expected = jumbo.map(expectedPacket).filter(isThere);
      t.equal(expected.length, 2);
      await cli.until(({ lines }) => packetsOf(lines).length >= expected.length);
      const { lines } = await cli.stop();
      t.strictSame(byFamily(packetsOf(lines).map(withoutTime)), byFamily(expected));
    },
    { mtu: 9000 },
  ),
);

t.test('every packet for people, with the time on the wall', { skip }, (t) =>
  withVethPair(
    async (pair) => {
      // Far from UTC and no whole number of hours, so that neither can be taken for it.
      const cli = new Cli(monitor(pair, '--verbose'), { environment: { TZ: 'Asia/Kathmandu' } });
      await cli.until(({ stdout }) => stdout.includes('attached'));
      const now = Date.now();
      send(pair, ...cases.map(({ frame }) => frame));
      const expected = cases.map(expectedLine).filter(isThere);
      await cli.until(({ stdout }) => stdout.split('\n').length > expected.length + 1);
      const { code, stdout, stderr } = await cli.stop();
      t.same([code, stderr], [0, '']);
      const lines = stdout.trimEnd().split('\n');
      t.match(
        lines.shift(),
        /^attached capture_\w*packet_data to \S+ \(native mode, by link, program \d+\)$/,
      );
      t.match(
        lines.pop(),
        new RegExp(
          `^final statistics after \\d+\\.\\d s: ${String(cases.length)} packets \\(\\d+\\.\\d\\d/s\\), ` +
            `TCP ${count('tcp')} \\(\\d+\\.\\d%\\), UDP ${count('udp')} \\(\\d+\\.\\d%\\), ` +
            `other ${count('other')} \\(\\d+\\.\\d%\\); lost: 0$`,
        ),
      );
      t.same(lines.map((line) => line.slice('[00:00:00.000] '.length)).sort(), expected.sort());
      const offset = (5 * 60 + 45) * 60_000;
      for (const line of lines) {
        const shown = Date.parse(`1970-01-01T${line.slice(1, '[00:00:00.000'.length)}Z`);
        const late = (shown - ((now + offset) % DAY) + DAY) % DAY;
        // Sent after `now` was taken; a clock may be read a little earlier than another.
        if (!(late < 20_000 * patience || late > DAY - 1000)) t.fail(`${line} is not now`);
      }
    },
    { mtu: 3000 },
  ),
);

t.test('without --verbose packets are counted and not shown', { skip }, (t) =>
  withVethPair(async (pair) => {
    const cli = new Cli(monitor(pair, '--stats', '200ms'));
    await cli.until(({ stdout }) => stdout.includes('attached'));
    send(pair, ...Array.from({ length: 300 }, () => udpFrame));
    await cli.until(({ stdout }) => stdout.includes('300 packets'));
    const { code, stdout } = await cli.stop();
    t.equal(code, 0);
    const [, ...lines] = stdout.trimEnd().split('\n');
    t.ok(
      lines.every((line) =>
        /^(final )?statistics after \d+\.\d s: \d+ packets \(.*\), TCP 0 \(0\.0%\), UDP \d+ \(.*\), other 0 \(0\.0%\); lost: 0$/.test(
          line,
        ),
      ),
      stdout,
    );
    t.match(lines.at(-1), 'UDP 300 (100.0%)');
    t.match(lines.at(-2), /packets \(\d+\.\d\d\/s, \d+\.\d\d\/s of late\)/);
  }),
);

t.test('statistics come in between, as JSON', { skip }, (t) =>
  withVethPair(async (pair) => {
    const cli = new Cli(monitor(pair, '--stats', '0.1', '--json'));
    await cli.attached();
    const [tcpFrame] = cases.filter(({ name }) => name === 'TCP with payload').map(({ frame }) => frame);
    send(pair, udpFrame, tcpFrame ?? udpFrame, tcpFrame ?? udpFrame, tcpFrame ?? udpFrame);
    const line = await cli.until(({ lines }) =>
      lines.find((one) => one.type === 'statistics' && one['total'] === '4'),
    );
    t.match(line, {
      tcp: '3',
      udp: '1',
      other: '0',
      lost: '0',
      tcp_percent: 75,
      udp_percent: 25,
      other_percent: 0,
    });
    t.ok(Number(line['packets_per_second']) > 0);
    t.ok(Number(line['recent_packets_per_second']) >= 0);
    const { lines } = await cli.stop();
    t.match(summaryOf({ lines }), { total: '4', packets: 4 });
  }),
);

t.test('a signal ends it at once, also where no packet arrives, and many of them', { skip }, (t) =>
  withVethPair(async (pair) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      const cli = new Cli(monitor(pair, '--json'));
      await cli.attached();
      for (let times = 0; times < 5; times++) cli.signal(signal);
      const { code, signal: killed, lines, stderr } = await cli.ended;
      t.same([code, killed, stderr], [0, null, ''], signal);
      t.match(summaryOf({ lines }), {
        total: '0',
        packets: 0,
        lost: '0',
        packets_per_second: 0,
        tcp_percent: 0,
      });
      t.equal(state(pair), undefined);
    }
    const killed = new Cli(monitor(pair, '--json'));
    await killed.attached();
    await killed.stop('SIGKILL');
    for (let wait = 0; wait < 100 && state(pair) !== undefined; wait++) await pause(20);
    t.equal(state(pair), undefined, 'killed, it takes the link along');
  }),
);

t.test('--count is exact, --duration ends it too, and a reader that goes away', { skip }, (t) =>
  withVethPair(async (pair) => {
    const frames = Array.from({ length: 100 }, () => udpFrame);
    const counted = new Cli(monitor(pair, '--count', '7', '--json'));
    await counted.attached();
    send(pair, ...frames);
    const { code, lines } = await counted.ended;
    t.equal(code, 0);
    t.equal(packetsOf(lines).length, 7);
    t.match(summaryOf({ lines }), { packets: 7 });

    const quiet = new Cli(monitor(pair, '--count', '7'));
    await quiet.until(({ stdout }) => stdout.includes('attached'));
    send(pair, ...frames);
    const ended = await quiet.ended;
    t.same([ended.code, ended.stdout.split('\n').length], [0, 3], 'it counts what it does not show');

    const timed = await runCli(monitor(pair, '--duration', '300ms', '--json'));
    t.equal(timed.code, 0);
    t.match(summaryOf(timed), { total: '0' });

    const left = new Cli(monitor(pair, '--verbose'));
    await left.until(({ stdout }) => stdout.includes('attached'));
    left.closeOutput();
    send(pair, ...frames);
    const closed = await left.ended;
    t.same([closed.code, closed.signal, closed.stderr], [0, null, '']);
    t.equal(state(pair), undefined);
  }),
);

t.test('stopped until the ring overflows: each packet is read, or lost and counted', { skip }, (t) =>
  withVethPair(async (pair) => {
    const folder = mkdtempSync(join(tmpdir(), 'ts-xdp-monitor-'));
    const path = join(folder, 'packets.json');
    const file = openSync(path, 'w');
    const cli = new Cli(monitor(pair, '--json'), { stdout: file, timeout: 60_000 });
    closeSync(file);
    for (let wait = 0; wait < 400 && state(pair) === undefined; wait++) await pause(10);
    const total = 500_000;
    cli.signal('SIGSTOP');
    const batch = Array.from({ length: 50_000 }, () => udpFrame);
    for (let sent = 0; sent < total; sent += batch.length) send(pair, ...batch);
    cli.signal('SIGCONT');
    const { code } = await cli.stop();
    t.equal(code, 0);
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
    rmSync(folder, { recursive: true });
    const summary = JSON.parse(lines.at(-1) ?? '') as JsonLine;
    t.equal(summary['total'], String(total));
    t.equal(summary['udp'], String(total));
    const [packets, lost] = [Number(summary['packets']), Number(summary['lost'])];
    t.equal(packets + lost, total, 'records = submitted + no space');
    t.ok(lost > 100_000, `a ring of 16 MiB holds about 350,000 events; ${String(lost)} were lost`);
    const printed = lines.filter((line) => line.startsWith('{"type":"packet"')).length;
    t.equal(printed + Number(summary['dropped']), packets, 'printed + dropped = read');
  }),
);

t.test('it counts what tcpdump counts', { skip: notRoot === false ? whyNoTcpdump() : notRoot }, (t) =>
  withVethPair(
    async (pair) => {
      // Of malformed headers a filter and the monitor may think differently.
      const wellFormed = cases.filter(({ name, expected }) => expected !== 'ignored' || name === 'ARP');
      using capture = await PacketCapture.start(pair, wellFormed.length);
      const cli = new Cli(monitor(pair, '--json'));
      await cli.attached();
      send(pair, ...wellFormed.map(({ frame }) => frame));
      await cli.until(({ lines }) => packetsOf(lines).length >= wellFormed.length - 1);
      await capture.complete();
      const { lines } = await cli.stop();
      t.equal(summaryOf({ lines })['total'], String(capture.count('')), 'all of them');
      // pcap-filter follows no chain of extension headers, so protocols are compared in IPv4 only.
      const packets = packetsOf(lines).filter(({ family }) => family === 'ipv4');
      t.equal(packets.length, capture.countTagged('ip'), 'IPv4');
      t.equal(packetsOf(lines).length - packets.length, capture.countTagged('ip6'), 'IPv6');
      for (const [number, name] of NAMES) {
        const named = packets.filter(({ protocol_name }) => protocol_name === name);
        t.equal(named.length, capture.countTagged(`ip proto ${String(number)}`), name);
      }
      const flagged = (flag: string): number =>
        packets.filter(({ flags }) => (flags as readonly string[]).includes(flag)).length;
      t.equal(flagged('FRAG'), capture.countTagged('ip[6:2] & 0x3fff != 0'), 'fragments');
      t.equal(flagged('LOW_TTL'), capture.countTagged('ip[8] < 10'), 'low TTLs');
      const whole = 'ip proto 6 and ip[6:2] & 0x1fff = 0 and ip[2:2] >= 40';
      for (const [flag, bit] of [
        ['FIN', 1],
        ['SYN', 2],
        ['RST', 4],
      ] as const)
        t.equal(flagged(flag), capture.countTagged(`${whole} and tcp[13] & ${String(bit)} != 0`), flag);
    },
    { mtu: 3000 },
  ),
);

t.test('what cannot be watched says why, and nothing stays', { skip }, (t) =>
  withVethPair(async (pair) => {
    const netns = String(pair.namespaceName);
    const { name } = pair.receiver;
    const run = async (...args: string[]): Promise<CliResult> => {
      const result = await runCli(['monitor', ...args, '--json']);
      t.notMatch(result.stderr, STACK);
      return result;
    };
    const unknown = await run('--iface', 'nope0', '--netns', netns);
    t.same(
      [unknown.code, unknown.lines[0]?.error?.code, unknown.lines[0]?.error?.message],
      [1, 'INTERFACE_NOT_FOUND', 'Cannot find interface nope0: there is none of that name'],
    );
    const nowhere = await run('--netns', 'no-such-namespace');
    t.same([nowhere.code, nowhere.lines[0]?.error?.code], [1, 'NETNS_NOT_FOUND']);
    for (const wrong of [
      ['--stats', '0'],
      ['--count', 'x'],
      ['--mode', 'fast'],
      ['--iface'],
      ['extra'],
      ['--nope'],
    ]) {
      const { code, lines } = await run(...wrong);
      t.same([code, lines[0]?.error?.code], [2, 'USAGE'], wrong.join(' '));
    }
    const first = new Cli(monitor(pair, '--json'));
    await first.attached();
    const holder = state(pair);
    const second = await run('--iface', name, '--netns', netns);
    t.same([second.code, second.lines.length, second.lines[0]?.error?.code], [1, 1, 'ALREADY_ATTACHED']);
    t.equal(state(pair), holder, 'and the one that was there stays');
    const both = await run('--iface', pair.sender.name, '--iface', name, '--netns', netns);
    t.same([both.code, both.lines[0]?.error?.code], [1, 'ALREADY_ATTACHED']);
    t.equal(xdpState(pair.sender.name, netns).programId, undefined, 'all or none');
    t.equal((await first.stop()).code, 0);

    const unprivileged = await runCli([...monitor(pair), '--json'], {
      prefix: ['setpriv', '--bounding-set=-all', '--inh-caps=-all'],
    });
    t.same([unprivileged.code, unprivileged.lines[0]?.error?.code], [3, 'PERMISSION_DENIED']);
    t.equal(state(pair), undefined);
  }),
);

t.test('several interfaces, and one that goes away meanwhile', { skip }, (t) =>
  withVethPair(async (pair) => {
    const netns = String(pair.namespaceName);
    const cli = new Cli([
      'monitor',
      '--netns',
      netns,
      '--iface',
      'lo',
      '--iface',
      pair.receiver.name,
      '--json',
    ]);
    await cli.until(({ lines }) => lines.filter(({ type }) => type === 'attached').length === 2);
    ip('link set lo up', netns);
    send(pair, udpFrame);
    await cli.until(({ lines }) => packetsOf(lines).length === 1);
    ip(`link delete ${pair.receiver.name}`, netns);
    t.match(await cli.line('detached'), { target: pair.receiver.name, reason: 'target_gone' });
    const { code, lines } = await cli.stop();
    t.equal(code, 0);
    t.match(summaryOf({ lines }), { total: '1' });
    t.equal(xdpState('lo', netns).programId, undefined);
  }),
);

t.test('what somebody else detaches ends it with 1, after the totals', { skip }, (t) =>
  withVethPair(async (pair) => {
    const cli = new Cli(monitor(pair, '--json'));
    const { link_id: link } = await cli.attached();
    send(pair, udpFrame, udpFrame);
    await cli.until(({ lines }) => packetsOf(lines).length === 2);
    t.equal((await runCli(['link', 'detach', 'id', String(link)])).code, 0);
    const { code, lines } = await cli.ended;
    t.equal(code, 1);
    t.match(lines.at(-2), { type: 'summary', total: '2', packets: 2 });
    t.match(lines.at(-1)?.error, { code: 'ATTACH_CHANGED' });
  }),
);

t.test('lo is watched where nothing else is named, and a real connection is seen', { skip }, (t) =>
  withVethPair(async (pair) => {
    const netns = String(pair.namespaceName);
    ip('link set lo up', netns);
    const cli = new Cli(['monitor', '--netns', netns, '-v']);
    await cli.until(({ stdout }) => stdout.includes('attached'));
    t.match(cli.stdout, /^attached \w+ to lo \(generic mode, by link, program \d+\)\n/);
    const connect = new Cli([], {
      command: [process.execPath, '-e', CONNECT],
      prefix: ['ip', 'netns', 'exec', netns],
    });
    t.equal((await connect.ended).code, 0);
    const port = /port (\d+)/.exec(connect.stdout)?.[1] ?? '';
    const { code, stdout } = await cli.stop();
    t.equal(code, 0);
    const flags = (from: string, to: string): string[] =>
      stdout.split('\n').flatMap((line) => {
        const [, names = ''] =
          new RegExp(`TCP 127.0.0.1:${from} -> 127.0.0.1:${to} \\(\\d+ bytes\\)(?: \\[(.*)\\])?`).exec(
            line,
          ) ?? [];
        return names === '' ? [] : [names];
      });
    t.same(flags('\\d+', port), ['SYN', 'FIN'], 'the client');
    t.same(flags(port, '\\d+'), ['SYN', 'FIN'], 'the server');
  }),
);

/** One connection that both sides end in order. */
const CONNECT = `
  const net = require('node:net');
  const server = net.createServer((socket) => socket.end('hello'));
  server.listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    const client = net.connect(port, '127.0.0.1');
    client.resume().on('close', () => { console.log('port ' + port); server.close(); });
  });
`;

t.test('the generic load command reads the object as well', { skip }, (t) =>
  withVethPair(async (pair) => {
    const place = ['--iface', pair.receiver.name, '--netns', String(pair.namespaceName)];
    const cli = new Cli(['load', 'monitor.bpf.o', ...place, '--count', '1', '--json'], { cwd: tmpdir() });
    await cli.attached();
    send(
      pair,
      ethernet(
        EtherType.Ipv4,
        ipv4({ protocol: Protocol.Tcp }, tcp({ sourcePort: 80, destinationPort: 4242, flags: 2 })),
      ),
    );
    const { code, lines } = await cli.ended;
    t.equal(code, 0);
    t.match(
      lines.find(({ type }) => type === 'event'),
      {
        map: 'packet_ringbuf',
        struct: 'packet_data',
        data: { src_port: 80, dst_port: 4242, protocol: 6, packet_size: 54, flags: 0x10 },
      },
    );
    t.match(summaryOf({ lines }), { lost: 0, counters: { seen: 1, submitted: 1 } });
  }),
);
