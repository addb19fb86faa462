/** `npm run demo`: its parts that judge, with events made up here, and the whole of it on this kernel. */
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import t from 'tap';
import { compareEvent } from '../../scripts/demo/compare-event.ts';
import { checkCounters } from '../../scripts/demo/counter-checks.ts';
import { checkPrivileges, describeFailure, exitCodeOf, Interruption } from '../../scripts/demo/failure.ts';
import { ipv4Packets } from '../../scripts/demo/ipv4-packets.ts';
import { ipv6Packets } from '../../scripts/demo/ipv6-packets.ts';
import { Ledger } from '../../scripts/demo/ledger.ts';
import { otherPackets } from '../../scripts/demo/other-packets.ts';
import { Report } from '../../scripts/demo/report.ts';
import { Terminal } from '../../scripts/demo/terminal.ts';
import { NetlinkError, SyscallError, UnsupportedFeatureError } from '../../src/errors.ts';
import { BpfProgram } from '../../src/programs/index.ts';
import { WallClock } from '../../src/sys/index.ts';
import { thrown } from '../helpers/thrown.ts';
import { projectRoot as root } from '../helpers/project-root.ts';

const compiled = join(root, 'build/scripts/demo.js');
const notRoot = process.getuid?.() === 0 ? false : 'making interfaces and loading a BPF program need root';

const place = {
  interface_mode: 2,
  is_wan_facing: 1,
  source_ifindex: 7,
  source_interface: 'veth7',
};

/** A ledger whose clock stands at `now.time`, in nanoseconds. */
function ledgerAt(now: { time: bigint }): Ledger {
  return new Ledger(place, () => now.time);
}

/** The event that the sniffer must make of a packet, decoded. */
function eventOf(packet: { fields: object | undefined }, timestamp: bigint): Record<string, unknown> {
  return { ...packet.fields, ...place, timestamp };
}

function printed(): { report: Report; text: () => string } {
  const stream = new PassThrough();
  const clock = new WallClock({ monotonic: () => 0n, realtime: () => 0n });
  return {
    report: new Report(new Terminal(stream, {}), clock),
    text: () => String(stream.read() ?? ''),
  };
}

t.test('an event that differs in one field is told apart by that field', (t) => {
  const expected = {
    src_ip: 0xc0000201,
    tcp_flags: 2,
    source_interface: 'veth7',
    payload: Uint8Array.of(1, 2, 3),
    timestamp: { from: 10n, to: 20n },
  };
  const event = { ...expected, payload: Uint8Array.of(1, 2, 3), timestamp: 15n };
  t.same(compareEvent(event, expected), []);
  t.same(compareEvent({ ...event, timestamp: 10n }, expected), [], 'both ends of the window are in it');
  t.same(compareEvent({ ...event, timestamp: 20n }, expected), []);

  const cases: [string, Record<string, unknown>, string, string, string][] = [
    ['a number', { tcp_flags: 18 }, 'tcp_flags', '2', '18'],
    ['a number of another type', { src_ip: 0xc0000201n }, 'src_ip', '3221225985', '3221225985n'],
    ['text', { source_interface: 'veth8' }, 'source_interface', '"veth7"', '"veth8"'],
    [
      'one byte',
      { payload: Uint8Array.of(1, 2, 4) },
      'payload',
      '3 bytes, from byte 2: 03',
      '3 bytes, from byte 2: 04',
    ],
    ['fewer bytes', { payload: Uint8Array.of(1, 2) }, 'payload', '3 bytes, from byte 2: 03', '2 bytes'],
    ['bytes where there were none', { payload: 'abc' }, 'payload', '010203', '"abc"'],
    ['a time before the packet was sent', { timestamp: 9n }, 'timestamp', '10 to 20', '9n'],
    ['a time after the event was read', { timestamp: 21n }, 'timestamp', '10 to 20', '21n'],
    ['a field that nobody expects', { ttl: 64 }, 'ttl', 'no such field', '64'],
  ];
  for (const [name, change, field, wanted, found] of cases)
    t.same(compareEvent({ ...event, ...change }, expected), [{ field, expected: wanted, found }], name);

  const without: Record<string, unknown> = { ...event };
  delete without['tcp_flags'];
  t.same(compareEvent(without, expected), [{ field: 'tcp_flags', expected: '2', found: 'no such field' }]);
  t.end();
});

t.test('the ledger finds what is right, wrong, repeated, foreign and missing', (t) => {
  const now = { time: 100n };
  const ledger = ledgerAt(now);
  const [first, second, third] = ipv4Packets();
  const [sixth] = ipv6Packets();
  const [arp] = otherPackets();
  for (const packet of [first!, second!, third!, sixth!, arp!]) ledger.recordSent(packet);
  t.equal(ledger.flawless, false, 'nothing was seen yet');
  now.time = 200n;

  t.same(ledger.recordEvent(eventOf(first!, 150n)), { kind: 'right' });
  t.same(ledger.recordEvent(eventOf(sixth!, 150n)), { kind: 'right' });
  t.same(ledger.missing, [second, third]);
  const wrong = { ...eventOf(second!, 99n), dst_port: 80, source_interface: 'veth0' };
  t.same(ledger.recordEvent(wrong), {
    kind: 'wrong',
    differences: [
      { field: 'dst_port', expected: '443', found: '80' },
      { field: 'source_interface', expected: '"veth7"', found: '"veth0"' },
      { field: 'timestamp', expected: '100 to 200', found: '99n' },
    ],
  });
  t.same(ledger.recordEvent(eventOf(first!, 150n)), { kind: 'repeated' });
  t.same(ledger.recordEvent({ ...eventOf(first!, 150n), src_ip: 0x0a000001 }), { kind: 'foreign' });
  t.same(
    { sent: ledger.sent, events: ledger.events, foreign: ledger.foreign, ignorable: ledger.ignorable },
    { sent: 5, events: 5, foreign: 1, ignorable: 1 },
  );
  t.same(ledger.missing, [third]);
  t.equal(ledger.flawless, false);
  t.same(ledger.results(), [
    { kind: 'TCP flags', sent: 3, ignorable: 0, seen: 3, fields: 32, rightFields: 29 },
    { kind: 'TCP over IPv6', sent: 1, ignorable: 0, seen: 1, fields: 21, rightFields: 21 },
    { kind: 'ARP', sent: 1, ignorable: 1, seen: 0, fields: 0, rightFields: 0 },
  ]);
  t.end();
});

t.test('one fault of any kind is enough for the ledger not to be flawless', (t) => {
  const [packet] = ipv4Packets();
  const judge = (...events: Record<string, unknown>[]): boolean => {
    const ledger = ledgerAt({ time: 1n });
    ledger.recordSent(packet!);
    for (const event of events) ledger.recordEvent(event);
    return ledger.flawless;
  };
  const right = eventOf(packet!, 1n);
  t.equal(judge(right), true);
  t.equal(judge(), false, 'missing');
  t.equal(judge({ ...right, protocol: 17 }), false, 'wrong');
  t.equal(judge(right, right), false, 'seen twice');
  t.equal(judge(right, { ...right, src_ip: 1 }), true, 'what others send is no fault');
  t.end();
});

t.test('the report shows what differs, what is missing, and stays within 100 columns', (t) => {
  const now = { time: 1_000_000_000n };
  const ledger = ledgerAt(now);
  const packets = [...ipv4Packets(), ...ipv6Packets(), ...otherPackets()];
  for (const packet of packets) ledger.recordSent(packet);
  const { report, text } = printed();
  const [lost, ...others] = packets.filter(({ fields }) => fields);
  for (const packet of others) {
    const event = eventOf(packet, now.time);
    if (packet === others[0]) {
      event['tcp_flags'] = 1;
      event['payload'] = Uint8Array.from({ length: 512 }, (_, index) => [0x61, 0x62, 0x63][index] ?? 0);
    }
    report.event(event, ledger.recordEvent(event));
  }
  report.summary(ledger);
  const lines = text().split('\n');
  t.same(lines.slice(0, 5), [
    'WRONG 00:00:01.000000 TCP    192.0.2.2:4001 > 198.51.100.20:443           54    0 FIN',
    '      tcp_flags: expected 18',
    '                    found 1',
    '      payload: expected 512 bytes, from byte 0: 00000000000000000000000000000000…',
    '                  found 512 bytes, from byte 0: 61626300000000000000000000000000…',
  ]);
  t.ok(lines.some((line) => /^TCP flags +8 +7 +112 +110$/.test(line)));
  t.ok(lines.includes(`missing: ${lost!.kind}, from 192.0.2.1, 54 bytes`));
  t.same(
    lines.filter((line) => line.length > 100),
    [],
  );
  t.end();
});

t.test('no two packets have the same source, by which events are matched', (t) => {
  const packets = [...ipv4Packets(), ...ipv6Packets()];
  const sources = packets.map(({ fields }) => JSON.stringify(fields?.['src_ip']));
  t.ok(packets.length >= 50);
  t.equal(new Set(sources).size, packets.length);
  t.ok(packets.every(({ frame }) => frame.length <= 1514));
  t.end();
});

t.test('counters that do not add up are wrong', (t) => {
  const ledger = { sent: 10, events: 7, ignorable: 3, foreign: 0, tagged: 2 };
  const right = {
    seen: 10n,
    ignored: 3n,
    filtered: 0n,
    no_space: 0n,
    submitted: 7n,
    vlan: 2n,
    payload_unreadable: 0n,
  };
  const wrong = (change: Record<string, bigint>, events = ledger.events): string[] =>
    checkCounters({ ...right, ...change }, { ...ledger, events }).flatMap(({ text, holds }) =>
      holds ? [] : [text],
    );
  t.same(wrong({}), []);
  t.same(wrong({}, 6), ['submitted 7 = events read 6']);
  t.same(wrong({ seen: 9n }), [
    'seen 9 = ignored 3 + filtered 0 + no_space 0 + submitted 7',
    'seen 9 = sent 10 + sent by others -1',
    'ignored 3 = sent to be ignored 3 + sent by others -1',
  ]);
  t.same(wrong({ ignored: 2n, no_space: 1n }), [
    'ignored 2 = sent to be ignored 3 + sent by others 0',
    'filtered 0, no_space 1, payload_unreadable 0',
  ]);
  t.same(wrong({ vlan: 3n }), ['vlan 3 = sent with a tag 2']);
  t.same(wrong({ seen: 12n, ignored: 5n }), [], 'two frames of others, which were no IP packets');
  const without: Record<string, bigint> = { ...right };
  delete without['seen'];
  t.notOk(checkCounters(without, ledger)[0]!.holds, 'a counter that is not there');
  t.end();
});

t.test('exit codes and messages', (t) => {
  const noVeth = new NetlinkError('RTM_NEWLINK', 95, 'EOPNOTSUPP', undefined, 'Cannot create the veth pair');
  const taken = new NetlinkError('RTM_NEWLINK', 17, 'EEXIST', undefined, 'Cannot create the veth pair');
  t.equal(exitCodeOf(new UnsupportedFeatureError('ring buffer maps', '5.8', 'Cannot')), 4);
  t.equal(exitCodeOf(noVeth), 4);
  t.equal(exitCodeOf(taken), 1);
  t.equal(exitCodeOf(new Error('bug')), 1);
  t.equal(exitCodeOf(new Interruption('SIGINT')), 130);
  t.equal(exitCodeOf(new Interruption('SIGTERM')), 143);
  t.equal(describeFailure(noVeth), 'demo: Cannot create the veth pair');
  const refused = thrown(() => {
    checkPrivileges(new Set(['CAP_SYS_ADMIN', 'CAP_NET_RAW']));
  });
  t.equal(exitCodeOf(refused), 3);
  t.equal(
    refused.message,
    'Cannot run the demo: it makes network interfaces and loads a BPF program, which needs CAP_NET_ADMIN',
  );
  checkPrivileges(new Set(['CAP_BPF', 'CAP_PERFMON', 'CAP_NET_RAW', 'CAP_NET_ADMIN']));
  t.end();
});

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The interfaces that it made and that are still there. */
  readonly left: readonly string[];
}

function runDemo(onFirstOutput: (child: ChildProcess) => void = () => undefined): Promise<Ended> {
  const child = spawn(process.execPath, [compiled], { stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.once('data', () => {
    onFirstOutput(child);
  });
  child.stdout.on('data', (data: Buffer) => (stdout += data.toString()));
  child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
  return new Promise((resolve, reject) => {
    child.on('error', reject).on('close', (code) => {
      const left = readdirSync('/sys/class/net').filter((name) =>
        name.startsWith(`xdpdemo${child.pid ?? ''}`),
      );
      resolve({ code, stdout, stderr, left });
    });
  });
}

/** The kernel frees a program some time after its last reference went. */
async function programIsGone(id: number): Promise<boolean> {
  for (let attempt = 0; attempt < 100; attempt++) {
    try {
      BpfProgram.fromId(id).close();
    } catch (error) {
      if (error instanceof SyscallError && error.errnoName === 'ENOENT') return true;
      throw error;
    }
    await setTimeout(20);
  }
  return false;
}

t.test('npm run demo', { skip: notRoot }, async (t) => {
  await t.test('sees every packet with every field right, and leaves nothing', async (t) => {
    // As npm runs it; this also compiles what the other runs start.
    const built = spawnSync(process.execPath, [join(root, 'scripts/run.mjs'), 'demo'], { encoding: 'utf8' });
    t.equal(built.status, 0, built.stdout + built.stderr);

    const { code, stdout, stderr, left } = await runDemo();
    t.equal(code, 0, stdout + stderr);
    t.equal(stderr, '');
    t.same(left, []);
    const sent = ipv4Packets().length + ipv6Packets().length;
    const ignored = otherPackets().length;
    const fields = ipv4Packets().length * 16 + ipv6Packets().length * 21;
    t.match(stdout, new RegExp(`^all +${sent + ignored} +${sent} +${fields} +${fields}$`, 'm'));
    t.equal(stdout.match(/^ok {4}\d\d:\d\d:\d\d\.\d{6} /gm)?.length, sent);
    t.match(stdout, `submitted ${sent} = events read ${sent}`);
    t.notMatch(stdout, /WRONG|TWICE|missing|\u001b/);
    const id = Number(/, id (\d+),/.exec(stdout)?.[1]);
    t.ok(id > 0);
    t.ok(await programIsGone(id), 'the program is gone');
  });

  await t.test('twice at once', async (t) => {
    for (const { code, stdout, stderr, left } of await Promise.all([runDemo(), runDemo()])) {
      t.equal(code, 0, stdout + stderr);
      t.same(left, []);
    }
  });

  for (const [signal, expected] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    await t.test(`removes everything on ${signal}`, async (t) => {
      const { code, stderr, left } = await runDemo((child) => child.kill(signal));
      t.equal(code, expected);
      t.equal(stderr, `demo: interrupted by ${signal}; what the demo made is removed\n`);
      t.same(left, []);
    });
  }

  await t.test('goes on to the end when nobody reads what it prints', async (t) => {
    const { code, stderr, left } = await runDemo((child) => child.stdout?.destroy());
    t.equal(code, 0);
    t.equal(stderr, '');
    t.same(left, []);
  });

  await t.test('says what is missing to a process without privileges', (t) => {
    const { status, stdout, stderr } = spawnSync(
      'setpriv',
      ['--bounding-set=-all', '--inh-caps=-all', process.execPath, compiled],
      { encoding: 'utf8' },
    );
    t.equal(status, 3);
    t.equal(stdout, '');
    t.equal(
      stderr,
      'demo: Cannot run the demo: it makes network interfaces and loads a BPF program, ' +
        'which needs CAP_BPF, CAP_PERFMON, CAP_NET_RAW, CAP_NET_ADMIN\n' +
        'hint: this root has been denied them, as in a container: docker run --privileged grants them\n',
    );
    t.end();
  });
});
