/** Every example as it is run from a checkout: on interfaces, sockets and processes of its own, by what it prints. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { hashSources, type BuildRecord } from '../../scripts/build-bpf.ts';
import { planGeneration } from '../../src/cli/gen/plan.ts';
import {
  concat,
  ethernet,
  EtherType,
  icmpEcho,
  ipv4,
  ipv6,
  MAC_A,
  Protocol,
  tcp,
  udp,
} from '../fixtures/frames.ts';
import { Cli, notRoot, projectRoot } from '../helpers/cli.ts';
import { makeCgroup } from '../helpers/control-group.ts';
import { needTracefs } from '../helpers/tracefs.ts';
import { until } from '../helpers/until.ts';
import { type VethPair, withVethPair } from '../helpers/veth.ts';

const examples = join(projectRoot, 'examples');
const sources = readdirSync(join(examples, 'bpf')).filter((name) => name.endsWith('.bpf.c'));
const built = existsSync(join(projectRoot, 'build/examples'));
const skip =
  notRoot || (built ? false : 'the examples are not compiled: node scripts/run.mjs build:examples');
const peers = join(projectRoot, 'test/fixtures/processes/tcp-peers.mjs');

/** Not `ip netns exec`, which would hide the file systems below /sys. */
function inNamespace({ namespaceName }: VethPair): string[] {
  return ['nsenter', `--net=/run/netns/${String(namespaceName)}`];
}

/** Starts the compiled example, and waits until it says that it has begun. */
async function start(
  name: string,
  { begun, args = [], pair }: { begun: string; args?: readonly string[]; pair?: VethPair },
): Promise<Cli> {
  const example = new Cli(args, {
    command: [process.execPath, join(projectRoot, 'build/examples', `${name}.js`)],
    prefix: pair ? inNamespace(pair) : [],
    input: true,
  });
  await example.until(({ stdout }) => stdout.includes(begun));
  return example;
}

/** What it prints in answer to a line. */
async function answer(example: Cli, line: string, lines = 1): Promise<string[]> {
  const before = example.stdout.length;
  example.write(line);
  const complete = /\n/g;
  const text = await example.until(({ stdout }) => {
    const said = stdout.slice(before);
    return (said.match(complete)?.length ?? 0) >= lines && said;
  });
  return text.trimEnd().split('\n');
}

const datagram = udp({ sourcePort: 40000, destinationPort: 53 }, new Uint8Array(10));

/** To the receiver's own address, so that its network stack takes what the programs pass. */
function frameFrom(source: string, payload = datagram, protocol: number = Protocol.Udp): Uint8Array {
  const frame = ethernet(EtherType.Ipv4, ipv4({ protocol, source }, payload));
  return concat(MAC_A, frame.subarray(MAC_A.length));
}

function send(pair: VethPair, ...frames: readonly Uint8Array[]): void {
  const socket = pair.openPacketSocket();
  for (const frame of frames) socket.send(frame);
  socket.close();
}

/** IPv4 packets that the network stack of the namespace has received. */
function receivedPackets(pair: VethPair): number {
  const lines = execFileSync('nsenter', [...inNamespace(pair).slice(1), 'cat', '/proc/net/snmp'], {
    encoding: 'utf8',
  }).split('\n');
  const [names = [], values = []] = lines
    .filter((line) => line.startsWith('Ip:'))
    .map((line) => line.split(' '));
  return Number(values[names.indexOf('InReceives')]);
}

async function endsWell(t: Test, example: Cli): Promise<string> {
  const { code, stdout, stderr } = await example.ended;
  t.equal(code, 0);
  t.equal(stderr, '');
  return stdout;
}

t.test('objects and modules are those of the sources', (t) => {
  for (const source of sources) {
    const object = join('examples/bpf', source.replace(/c$/, 'o'));
    const record = JSON.parse(readFileSync(join(projectRoot, `${object}.json`), 'utf8')) as BuildRecord;
    t.equal(record.sourceSha256, hashSources(`examples/bpf/${source}`, projectRoot), object);
    const generated = object.replace(/\.bpf\.o$/, '.ts');
    // The one whose types are known at run time only.
    if (source === 'tasks-to-csv.bpf.c') continue;
    const output = join(projectRoot, generated);
    t.equal(readFileSync(output, 'utf8'), planGeneration(join(projectRoot, object), { output }).generate());
  }
  t.end();
});

t.test('count-packets, together and for each CPU', { skip }, (t) =>
  withVethPair(async (pair) => {
    const device = pair.receiver.name;
    for (const [args, printed] of [
      [[device], /^7 packets$/],
      [[device, 'per-cpu'], /^7 packets \((?:CPU \d+: \d+(?:, )?)+\)$/],
    ] as const) {
      const example = await start('count-packets', { begun: `counting on ${device}`, args, pair });
      send(pair, ...Array.from({ length: 7 }, () => frameFrom('192.0.2.7')));
      example.signal('SIGINT');
      const last = (await endsWell(t, example)).trimEnd().split('\n').at(-1) ?? '';
      t.match(last, printed);
      const each = [...last.matchAll(/CPU \d+: (\d+)/g)].map(([, count]) => Number(count));
      if (each.length > 0)
        t.equal(
          each.reduce((sum, count) => sum + count, 0),
          7,
        );
    }
  }),
);

t.test('count-protocols', { skip }, (t) =>
  withVethPair(async (pair) => {
    const device = pair.receiver.name;
    const example = await start('count-protocols', { begun: `counting on ${device}`, args: [device], pair });
    const ping = icmpEcho(new Uint8Array(8));
    const segment = tcp({ sourcePort: 1, destinationPort: 2, flags: 2 });
    send(pair, ...Array.from({ length: 3 }, () => frameFrom('192.0.2.7')));
    send(pair, frameFrom('192.0.2.7', segment, Protocol.Tcp), frameFrom('192.0.2.7', ping, Protocol.Icmp));
    send(pair, ethernet(EtherType.Ipv6, ipv6({ nextHeader: Protocol.Udp }, datagram)));
    send(pair, ethernet(0x88b5, new Uint8Array(50)));
    example.signal('SIGINT');
    const last = (await endsWell(t, example)).trimEnd().split('\n\n').at(-1)?.split('\n') ?? [];
    const rows = last.filter((line) => line.includes('packets')).map((line) => line.split(/ {2,}/));
    t.same(rows.shift(), ['IPv4 UDP', '3 packets', `${String(3 * (14 + 20 + 18))} bytes`]);
    t.same(rows.sort(), [
      ['0x88b5', '1 packets', '64 bytes'],
      ['IPv4 ICMP', '1 packets', `${String(14 + 20 + ping.length)} bytes`],
      ['IPv4 TCP', '1 packets', `${String(14 + 20 + segment.length)} bytes`],
      ['IPv6 UDP', '1 packets', `${String(14 + 40 + 18)} bytes`],
    ]);
  }),
);

t.test('firewall', { skip }, (t) =>
  withVethPair(async (pair) => {
    const device = pair.receiver.name;
    const example = await start('firewall', { begun: `guarding ${device}`, args: [device], pair });
    t.same(await answer(example, 'block 192.0.2.0/24'), ['blocked 192.0.2.0/24']);
    t.same(await answer(example, 'block 192.0.2.7'), ['blocked 192.0.2.7']);
    const before = receivedPackets(pair);
    send(pair, ...['192.0.2.1', '192.0.2.2', '192.0.2.7', '198.51.100.1'].map((source) => frameFrom(source)));
    const networks = await answer(example, 'list', 2);
    t.same(networks.sort(), ['192.0.2.0/24 dropped 2', '192.0.2.7/32 dropped 1']);
    t.equal(receivedPackets(pair) - before, 1, 'the network stack saw the fourth alone');

    t.same(await answer(example, 'allow 192.0.2.0/24'), ['allowed 192.0.2.0/24']);
    t.same(await answer(example, 'allow 192.0.2.0/24'), ['192.0.2.0/24 was not blocked']);
    send(pair, frameFrom('192.0.2.1'));
    t.equal(receivedPackets(pair) - before, 2);
    example.write('block 192.0.2.0/33', 'open');
    await example.until(({ stderr }) => stderr.includes('commands: '));
    t.equal(
      example.stderr,
      '192.0.2.0/33 is no IPv4 network\ncommands: block NETWORK, allow NETWORK, list\n',
    );
    example.endInput();
    t.equal((await example.ended).code, 0);
    send(pair, frameFrom('192.0.2.7'));
    t.equal(receivedPackets(pair) - before, 3, 'nothing is blocked when it has ended');
  }),
);

t.test('exec-snoop', { skip }, async (t) => {
  const example = await start('exec-snoop', { begun: 'ARGUMENTS' });
  const words = ['a b', '', '"', `--of=${String(process.pid)}`];
  const child = spawn('/bin/true', words, { uid: 65534 });
  await once(child, 'exit');
  const start_of = `${String(child.pid).padStart(7)} ${String(process.pid).padStart(7)}  65534 `;
  const line = await example.until(({ stdout }) =>
    stdout.split('\n').find((line) => line.startsWith(start_of)),
  );
  t.equal(
    line.slice(start_of.length),
    `true             /bin/true "a b" "" "\\"" --of=${String(process.pid)}`,
  );
  example.signal('SIGTERM');
  await endsWell(t, example);
});

t.test('exit-snoop', { skip }, async (t) => {
  needTracefs();
  const example = await start('exit-snoop', { begun: 'EXIT' });
  const ends = [
    ['exit 0', '0'],
    ['exit 42', '42'],
    ['kill -9 $$', 'SIGKILL'],
  ] as const;
  for (const [script, shown] of ends) {
    const { pid } = spawnSync('bash', ['--norc', '-c', script]);
    const begin = `${String(pid).padStart(7)} bash `;
    const line = await example.until(({ stdout }) => stdout.split('\n').find((one) => one.startsWith(begin)));
    t.equal(line.slice(begin.length).trim(), shown, script);
  }
  example.signal('SIGTERM');
  await endsWell(t, example);
});

t.test('tail-call-table', { skip }, (t) =>
  withVethPair(async (pair) => {
    const device = pair.receiver.name;
    const example = await start('tail-call-table', { begun: `sorting on ${device}`, args: [device], pair });
    const segment = (flags: number): Uint8Array =>
      frameFrom('192.0.2.7', tcp({ sourcePort: 1, destinationPort: 2, flags }), Protocol.Tcp);
    const [fin, syn, ack] = [1, 2, 16];
    send(pair, segment(syn), segment(ack), segment(syn | ack), segment(fin), frameFrom('192.0.2.7'));
    example.signal('SIGINT');
    t.match(await endsWell(t, example), /^SYN 2, ACK 1, others 2\n$/m);
  }),
);

t.test('tcp-connect', { skip }, (t) =>
  withVethPair(
    async (pair) => {
      const enter = inNamespace(pair).slice(1);
      execFileSync('nsenter', [...enter, 'ip', 'link', 'set', 'lo', 'up']);
      const example = await start('tcp-connect', { begun: 'CONNECTION' });
      // Node 24 calls its main thread MainThread, those before leave it the name of the program.
      const ownName = readFileSync('/proc/self/comm', 'utf8').trimEnd();
      for (const [address, shown] of [
        ['127.0.0.1', '127.0.0.1'],
        ['::1', '[::1]'],
      ] as const) {
        const { stdout, pid } = spawnSync('nsenter', [...enter, process.execPath, peers, address], {
          encoding: 'utf8',
          env: {},
        });
        const { port } = JSON.parse(stdout) as { port: number };
        const line = await example.until(({ stdout }) =>
          stdout.split('\n').find((line) => line.endsWith(`-> ${shown}:${String(port)}`)),
        );
        const [, who, name, latency, source] =
          /^ *(\d+) (\S+) +(\d+\.\d{3}) ms connected (\S+):\d+ -> \S+$/.exec(line) ?? [];
        t.same([Number(who), name, source], [pid, ownName, shown], line);
        t.ok(Number(latency) > 0);
      }
      const { status } = spawnSync('nsenter', [
        ...enter,
        'bash',
        '--norc',
        '-c',
        'exec 3<>/dev/tcp/127.0.0.1/7',
      ]);
      t.not(status, 0);
      await example.until(({ stdout }) => /\bbash .* ms failed {4}\S+ -> 127\.0\.0\.1:7\n/.exec(stdout)?.[0]);
      example.signal('SIGINT');
      await endsWell(t, example);
    },
    { ipv6: true },
  ),
);

t.test('tail-calls', { skip }, (t) =>
  withVethPair(async (pair) => {
    const device = pair.receiver.name;
    const example = await start('tail-calls', { begun: `dispatching on ${device}`, args: [device], pair });
    const frame = frameFrom('192.0.2.1');
    const before = receivedPackets(pair);
    send(pair, frame);
    t.equal(receivedPackets(pair) - before, 1, 'without a handler a packet passes');
    t.same(await answer(example, 'udp pass'), ['udp: pass']);
    send(pair, frame);
    t.equal(receivedPackets(pair) - before, 2);
    t.same(await answer(example, 'udp drop'), ['udp: drop']);
    send(pair, frame, frame);
    t.equal(receivedPackets(pair) - before, 2);
    t.same(await answer(example, 'udp none'), ['udp: none']);
    send(pair, frame);
    t.equal(receivedPackets(pair) - before, 3);
    t.same(await answer(example, 'counts', 4), ['icmp 0', 'tcp 0', 'udp 3', 'unhandled 2']);
    example.endInput();
    await endsWell(t, example);
  }),
);

t.test('sockmap', { skip }, (t) =>
  withVethPair(async (pair) => {
    const enter = inNamespace(pair).slice(1);
    execFileSync('nsenter', [...enter, 'ip', 'link', 'set', 'lo', 'up']);
    const cgroup = makeCgroup('example');
    try {
      const example = await start('sockmap', { begun: 'shortcutting', args: [cgroup] });
      const bytes = 1_000_000;
      const script = `echo $$ > ${cgroup}/cgroup.procs && exec ${process.execPath} ${peers} 127.0.0.1 ${String(bytes)}`;
      const { stdout, stderr } = spawnSync('nsenter', [...enter, 'bash', '--norc', '-c', script], {
        encoding: 'utf8',
        env: {},
      });
      t.equal(stderr, '');
      const { received, intact } = JSON.parse(stdout) as { received: number; intact: boolean };
      t.same([received, intact], [bytes, true]);
      const [, lo] = /lo: *(\d+)/.exec(
        execFileSync('nsenter', [...enter, 'cat', '/proc/net/dev'], { encoding: 'utf8' }),
      )!;
      t.ok(Number(lo) < 10_000, `the loopback interface carried ${String(lo)} bytes only`);
      example.signal('SIGINT');
      const [, connections, messages, redirected] = (await endsWell(t, example)).trimEnd().split('\n');
      t.equal(connections, '1 connections');
      t.match(messages, /^\d+ messages redirected$/);
      t.equal(redirected, `${String(2 * bytes + 1)} bytes redirected`, 'there and back, and the greeting');
    } finally {
      await until(() => readFileSync(join(cgroup, 'cgroup.procs'), 'utf8') === '');
      rmdirSync(cgroup);
    }
  }),
);

t.test('tasks-to-csv', { skip }, async (t) => {
  const example = new Cli([], {
    command: [process.execPath, join(projectRoot, 'build/examples/tasks-to-csv.js')],
  });
  const [header, ...rows] = (await endsWell(t, example)).trimEnd().split('\n');
  t.equal(
    header,
    'process,thread,parent,priority,started_nanoseconds,user_nanoseconds,system_nanoseconds,command',
  );
  const own = String(process.pid);
  const threads = readdirSync('/proc/self/task').sort();
  const mine = rows.map((row) => row.split(',')).filter(([process]) => process === own);
  t.same(mine.map(([, thread]) => thread).sort(), threads, 'every thread of this process');
  const main = mine.find(([, thread]) => thread === own) ?? [];
  t.equal(main[2], String(process.ppid));
  t.equal(main[7], readFileSync('/proc/self/comm', 'utf8').trimEnd());
  // In ticks of 10 ms; fields 14 and 22 of proc(5), counted after the command in parentheses.
  const stat = readFileSync('/proc/self/stat', 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  t.equal(Math.floor(Number(main[4]) / 1e7), Number(stat[19]), 'started when /proc says');
});
