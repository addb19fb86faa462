/** `ts-xdp policy` over veth pairs: what passes and what does not, what it says, how it ends, and rules that change meanwhile. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import type { Test } from 'tap';
import { EtherType, ethernet, ipv4, ipv6, padded, pattern, Protocol, tcp, udp } from '../fixtures/frames.ts';
import { Cli, notRoot, pause, runCli, STACK, summaryOf } from '../helpers/cli.ts';
import type { CliResult, JsonLine } from '../helpers/cli.ts';
import { runHosted } from '../helpers/command-host.ts';
import { BpfFileSystem, ip, xdpState } from '../helpers/kernel-objects.ts';
import { PacketCapture, whyNoTcpdump } from '../helpers/packet-capture.ts';
import { withVethPair, type VethPair } from '../helpers/veth.ts';

const skip = notRoot;
const skipCapture = notRoot === false ? whyNoTcpdump() : notRoot;
const CLIENT = '192.0.2.10';
const SERVER = '198.51.100.20';

const place = (pair: VethPair): string[] => [
  ...['--iface', pair.receiver.name, '--netns', String(pair.namespaceName)],
];
const state = (pair: VethPair): number | undefined =>
  xdpState(pair.receiver.name, pair.namespaceName).programId;

function send(pair: VethPair, ...frames: readonly Uint8Array[]): void {
  const socket = pair.openPacketSocket();
  for (const frame of frames) socket.send(frame);
  socket.close();
}

const toPort = (port: number): Uint8Array =>
  padded(
    ethernet(
      EtherType.Ipv4,
      ipv4({ protocol: Protocol.Tcp }, tcp({ sourcePort: 40_000, destinationPort: port, flags: 2 })),
    ),
  );
const arp = padded(ethernet(EtherType.Arp, pattern(28)));
const six = ethernet(
  EtherType.Ipv6,
  ipv6({ nextHeader: Protocol.Udp }, udp({ sourcePort: 1, destinationPort: 53 })),
);

function folderOf(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'ts-xdp-policy-'));
  t.teardown(() => {
    rmSync(folder, { recursive: true });
  });
  return folder;
}

function rulesFile(t: Test, document: unknown): string {
  const path = join(folderOf(t), 'rules.json');
  writeFileSync(path, JSON.stringify(document));
  return path;
}

function bpfFileSystem(t: Test): string {
  const files = new BpfFileSystem();
  t.teardown(() => {
    files.close();
  });
  return join(files.path, 'policy');
}

const denialsOf = ({ lines }: Pick<CliResult, 'lines'>): JsonLine[] =>
  lines.filter(({ type }) => type === 'denial');

const https = { source: CLIENT, destination: SERVER, port: 443, action: 'allow' };

for (const mode of ['native', 'generic'])
  t.test(`allowed passes, denied does not, in ${mode} mode`, { skip: skipCapture }, (t) =>
    withVethPair(async (pair) => {
      const rules = rulesFile(t, { rules: [https, { port: 23, protocol: 'tcp', action: 'deny' }] });
      const cli = new Cli(['policy', 'load', ...place(pair), '--rules', rules, '--mode', mode, '--json']);
      t.match(await cli.attached(), { kind: 'xdp', program: 'security_enforce', mode, via: 'link' });
      // It sees what XDP lets through.
      using capture = await PacketCapture.start(pair, 4);
      // What passes comes last, so that what should not would be among the first four.
      send(pair, toPort(443), toPort(80), toPort(443), toPort(23), six, arp, toPort(443));
      await cli.until(({ lines }) => denialsOf({ lines }).length === 3);
      await capture.complete();
      t.equal(capture.count('tcp port 443'), 3);
      t.equal(capture.count('arp'), 1, 'ARP passes');
      t.equal(capture.count('not arp and not tcp port 443'), 0, 'and nothing else');
      const { code, lines } = await cli.stop('SIGINT');
      t.equal(code, 0);
      const facts = denialsOf({ lines }).map(({ time, timestamp, ...rest }) => {
        t.type(timestamp, 'string');
        t.ok(Math.abs(Date.parse(String(time)) - Date.now()) < 60_000, 'the time on the wall');
        return rest;
      });
      const common = {
        type: 'denial',
        interface: pair.receiver.name,
        ifindex: pair.receiver.index,
        family: 'ipv4',
        protocol: 6,
        protocol_name: 'tcp',
        src_ip: CLIENT,
        src_port: 40_000,
        dst_ip: SERVER,
        packet_size: 60,
        rule: null,
        dry_run: false,
      };
      t.strictSame(facts, [
        { ...common, reason: 'default', dst_port: 80 },
        {
          ...common,
          reason: 'rule',
          dst_port: 23,
          rule: { source: null, destination: null, port: 23, protocol: 'tcp' },
        },
        {
          ...common,
          reason: 'default',
          family: 'ipv6',
          src_ip: '2001:db8::a',
          dst_ip: '2001:db8:1::b',
          protocol: 17,
          protocol_name: 'udp',
          src_port: 1,
          dst_port: 53,
          packet_size: 62,
        },
      ]);
      t.strictSame(summaryOf({ lines }), {
        type: 'summary',
        seen: '7',
        not_ip: '1',
        allowed_by_rule: '3',
        allowed_by_default: '0',
        denied_by_rule: '1',
        denied_by_default: '2',
        denied_malformed: '0',
        passed_dry_run: '0',
        logged: '3',
        unlogged: '0',
        lost: '0',
        denials: 3,
        dropped: 0,
      });
      t.equal(state(pair), undefined, 'nothing stays attached');
    }),
  );

t.test('a dry run says what it would deny, and lets it pass', { skip: skipCapture }, (t) =>
  withVethPair(async (pair) => {
    const cli = new Cli(['policy', 'load', ...place(pair), '--dry-run']);
    await cli.until(({ stdout }) => stdout.includes('attached'));
    using capture = await PacketCapture.start(pair, 2);
    send(pair, toPort(22), toPort(22));
    await cli.until(({ stdout }) => stdout.split('dry run').length > 2);
    await capture.complete();
    t.equal(capture.count('tcp port 22'), 2);
    const { code, stdout, stderr } = await cli.stop('SIGTERM');
    t.equal(code, 0);
    t.equal(stderr, 'note: 0 rules; default deny; dry run, everything passes\n');
    const lines = stdout.trimEnd().split('\n');
    const line =
      `denied on ${pair.receiver.name}: default tcp ${CLIENT}:40000 -> ${SERVER}:22 (60 bytes), ` +
      'passed: dry run';
    t.same(
      lines.slice(1, -1).map((text) => text.replace(/^\S+ /, '')),
      [line, line],
    );
    t.equal(
      lines.at(-1),
      'final statistics: 2 packets: allowed 0 (0 by rule, 0 by default), ' +
        'denied 2 (0 by rule, 2 by default, 0 malformed), of which passed by dry run 2, 0 not IP; ' +
        'denials logged: 2, over the rate: 0, lost: 0',
    );
  }),
);

t.test('pinned it stays, its rules change while packets arrive, and unload removes it', { skip }, (t) =>
  withVethPair(async (pair) => {
    const pin = bpfFileSystem(t);
    const policy = async (command: string, ...words: string[]): Promise<JsonLine> => {
      const { code, lines, stderr } = await runHosted(['policy', command, '--pin', pin, ...words, '--json']);
      t.same([code, stderr], [0, ''], command);
      return lines[0] ?? {};
    };
    const rules = rulesFile(t, { rules: [https] });
    const loaded = await runCli([
      ...['policy', 'load', ...place(pair), '--rules', rules, '--pin', pin, '--detach', '--json'],
    ]);
    t.equal(loaded.code, 0);
    t.same(
      loaded.lines.map(({ type }) => type),
      ['attached', 'pinned'],
    );
    const program = state(pair);
    t.ok(program, 'attached without the command');
    const socket = pair.openPacketSocket();
    let sent = 0;
    const traffic = setInterval(() => {
      for (let count = 0; count < 20; count++, sent++) socket.send(toPort(443));
    }, 1);
    try {
      const ssh = ['--source', CLIENT, '--destination', SERVER, '--port', '22', '--protocol', 'tcp'];
      t.same(await policy('add', ...ssh, '--action', 'allow'), {
        result: 'added',
        rule: { source: CLIENT, destination: SERVER, port: 22, protocol: 'tcp', action: 'allow' },
      });
      t.match(await policy('add', ...ssh, '--action', 'deny'), { result: 'changed' });
      t.match(await policy('add', '--protocol', 'icmp', '--action', 'allow'), { result: 'added' });
      t.same(await policy('remove', '--protocol', '1'), {
        result: 'removed',
        rule: { source: null, destination: null, port: null, protocol: 'icmp' },
      });
      const more = rulesFile(t, { rules: [https, { port: 53, action: 'allow' }] });
      t.match(await policy('replace', '--rules', more), { added: 1, changed: 0, removed: 1 });
      t.match(await policy('set', '--ipv6', 'allow'), { default: 'deny', ipv6: 'allow' });
    } finally {
      clearInterval(traffic);
      socket.close();
    }
    t.ok(sent > 0);
    const list = await policy('list');
    t.strictSame(list, {
      default: 'deny',
      ipv6: 'allow',
      dry_run: false,
      rules: [
        { ...https, protocol: null, packets: String(sent), bytes: String(60 * sent) },
        { source: null, destination: null, port: 53, protocol: null, action: 'allow', packets: '0', bytes: '0' },
      ],
    });
    t.match(await policy('stats'), { seen: String(sent), allowed_by_rule: String(sent), denied_by_default: '0' });
    const saved = rulesFile(t, list);
    t.match(await policy('replace', '--rules', saved), { added: 0, changed: 0, removed: 0 }, 'its own output');

    const again = await runHosted(['policy', 'load', ...place(pair), '--pin', pin, '--json']);
    t.same([again.code, again.lines[0]?.error?.code], [1, 'PIN_EXISTS']);
    t.equal(state(pair), program, 'and the one that was there stays');
    const unloaded = await runHosted(['unload', pin]);
    t.equal(unloaded.code, 0);
    t.equal(state(pair), undefined);
    t.notOk(existsSync(pin));
  }),
); // prettier-ignore

t.test('rules are the bytes that bpftool writes and reads', { skip }, (t) =>
  withVethPair(async (pair) => {
    const pin = bpfFileSystem(t);
    t.equal((await runHosted(['policy', 'load', ...place(pair), '--pin', pin, '--detach'])).code, 0);
    const map = ['pinned', join(pin, 'maps/security_policies')];
    const bpftool = (command: string, ...words: string[]): string =>
      execFileSync('bpftool', ['-j', 'map', command, ...map, ...words], { encoding: 'utf8' });
    const [key, allow] = ['c0 00 02 0a c6 33 64 14 01 bb 00 00', '01 00 00 00'].map((text) =>
      text.split(' '),
    );
    bpftool('update', 'key', 'hex', ...(key ?? []), 'value', 'hex', ...(allow ?? []));
    send(pair, toPort(443), toPort(22));
    const list = async (): Promise<unknown> =>
      (await runHosted(['policy', 'list', '--pin', pin, '--json'])).lines[0]?.['rules'];
    t.strictSame(await list(), [{ ...https, protocol: null, packets: '1', bytes: '60' }]);
    const rule = ['--source', '10.1.2.3', '--port', '8080', '--protocol', 'udp', '--action', 'deny'];
    t.equal((await runHosted(['policy', 'add', '--pin', pin, ...rule])).code, 0);
    const entries = JSON.parse(bpftool('dump')) as { key: string[]; value: string[] }[];
    t.strictSame(
      entries.map(({ key, value }) => [key, value].flat().map(Number)).find(([first]) => first === 10),
      [10, 1, 2, 3, 0, 0, 0, 0, 0x1f, 0x90, 17, 0, 0, 0, 0, 0],
    );
    t.equal((await runHosted(['unload', pin])).code, 0);
  }),
);

t.test('a signal ends the command, and what is pinned stays', { skip }, (t) =>
  withVethPair(async (pair) => {
    const pin = bpfFileSystem(t);
    const cli = new Cli(['policy', 'load', ...place(pair), '--pin', pin, '--stats', '100ms', '--json']);
    await cli.line('pinned');
    send(pair, toPort(1));
    await cli.until(({ lines }) => lines.some(({ type, seen }) => type === 'statistics' && seen === '1'));
    const { code, lines } = await cli.stop('SIGINT');
    t.equal(code, 0);
    t.match(summaryOf({ lines }), { seen: '1', denials: 1 });
    t.ok(state(pair), 'still attached');
    send(pair, toPort(2));
    const events = new Cli(['map', 'events', 'pinned', join(pin, 'maps/denials'), '--event', 'denial', '--count', '1', '--json']);
    t.match((await events.ended).lines[0], { data: { dest_port: 2, reason: 2, family: 4 } }, 'and others read on');
    t.equal((await runHosted(['unload', pin])).code, 0);
    t.equal(state(pair), undefined);

    const killed = new Cli(['policy', 'load', ...place(pair), '--json']);
    await killed.attached();
    await killed.stop('SIGKILL');
    for (let wait = 0; wait < 100 && state(pair) !== undefined; wait++) await pause(20);
    t.equal(state(pair), undefined, 'killed, it takes the link along');

    const counted = new Cli(['policy', 'load', ...place(pair), '--count', '3', '--json']);
    await counted.attached();
    send(pair, ...Array.from({ length: 10 }, () => toPort(9)));
    const ended = await counted.ended;
    t.same([ended.code, denialsOf(ended).length], [0, 3]);
  }),
); // prettier-ignore

t.test('the file of rules changes while it runs, and a mistake in it changes nothing', { skip }, (t) =>
  withVethPair(async (pair) => {
    const rules = rulesFile(t, { rules: [https] });
    const cli = new Cli(['policy', 'load', ...place(pair), '--rules', rules, '--default', 'deny', '--json']);
    await cli.attached();
    send(pair, toPort(443), toPort(22));
    await cli.until(({ lines }) => denialsOf({ lines }).length === 1);
    writeFileSync(rules, JSON.stringify({ default: 'allow', rules: [https, { port: 22, action: 'allow' }] }));
    await cli.said(
      `note: the rules ${rules} changed and are in effect: added 1, changed 0, removed 0; default deny\n`,
    );
    send(pair, toPort(443), toPort(22), toPort(80));
    await cli.until(({ lines }) => denialsOf({ lines }).length === 2);
    writeFileSync(rules, '{');
    await cli.said('note: the rules before stay in effect\n');
    send(pair, toPort(22), toPort(81));
    await cli.until(({ lines }) => denialsOf({ lines }).length === 3);
    const { code, lines } = await cli.stop();
    t.equal(code, 0);
    t.same(
      denialsOf({ lines }).map((denial) => denial['dst_port']),
      [22, 80, 81],
    );
    t.match(summaryOf({ lines }), { seen: '7', allowed_by_rule: '4', denied_by_default: '3' });
  }),
);

t.test('a flood is denied to the last packet, and logged up to the rate', { skip }, (t) =>
  withVethPair(async (pair) => {
    const cli = new Cli(['policy', 'load', ...place(pair), '--log-rate', '10', '--json']);
    await cli.attached();
    const start = performance.now();
    const batch = Array.from({ length: 10_000 }, () => toPort(22));
    for (let sent = 0; sent < 5; sent++) send(pair, ...batch);
    await cli.until(({ lines }) => denialsOf({ lines }).length >= 10);
    const seconds = Math.ceil((performance.now() - start) / 1000) + 1;
    const { lines } = await cli.stop();
    const summary = summaryOf({ lines });
    t.match(summary, { seen: '50000', denied_by_default: '50000', lost: '0' });
    t.equal(Number(summary['logged']) + Number(summary['unlogged']), 50_000);
    t.equal(denialsOf({ lines }).length, Number(summary['logged']));
    t.ok(Number(summary['logged']) <= 10 * seconds * availableParallelism(), String(summary['logged']));
  }),
);

t.test('the generic load command has the object deny everything, or what it is told', { skip }, (t) =>
  withVethPair(async (pair) => {
    const settings = ['--set', 'policy_settings[0]={"default_action":0,"dry_run":1,"denials_per_second":9}'];
    const cli = new Cli(['load', 'policy.bpf.o', ...place(pair), ...settings, '--count', '1', '--json'], {
      cwd: tmpdir(),
    });
    await cli.attached();
    send(pair, arp, toPort(22));
    const { code, lines } = await cli.ended;
    t.equal(code, 0);
    t.match(
      lines.find(({ type }) => type === 'event'),
      { map: 'denials', struct: 'denial', data: { dest_port: 22, reason: 2, dry_run: 1, packet_size: 60 } },
    );
    t.match(summaryOf({ lines }), { lost: 0, counters: { seen: 2, ignored: 1, submitted: 1 } });
  }),
);

t.test('jumbo frames', { skip }, (t) =>
  withVethPair(
    async (pair) => {
      const cli = new Cli(['policy', 'load', ...place(pair), '--mode', 'native', '--json']);
      t.match(await cli.attached(), { program: 'enforce_jumbo_frames', mode: 'native' });
      const datagram = udp({ sourcePort: 1, destinationPort: 2 }, pattern(8000));
      send(pair, ethernet(EtherType.Ipv4, ipv4({ protocol: Protocol.Udp }, datagram)));
      t.match(await cli.line('denial'), { dst_port: 2, packet_size: 8042 });
      t.equal((await cli.stop()).code, 0);
    },
    { mtu: 9000 },
  ),
);

t.test('several interfaces, all or none', { skip }, (t) =>
  withVethPair(async (pair) => {
    const netns = String(pair.namespaceName);
    const first = new Cli(['policy', 'load', ...place(pair), '--json']);
    await first.attached();
    const both = ['--iface', pair.sender.name, '--iface', pair.receiver.name, '--netns', netns];
    const second = await runHosted(['policy', 'load', ...both, '--json']);
    t.same([second.code, second.lines[0]?.error?.code], [1, 'ALREADY_ATTACHED']);
    t.equal(xdpState(pair.sender.name, netns).programId, undefined);
    ip(`link delete ${pair.receiver.name}`, netns);
    t.match(await first.line('detached'), { reason: 'target_gone' });
    t.equal((await first.ended).code, 0);
  }),
);

t.test('what is wrong is said, and nothing is attached', { skip }, (t) =>
  withVethPair(async (pair) => {
    const run = async (...words: string[]): Promise<[number | null, string, string]> => {
      const { code, lines, stderr } = await runHosted(['policy', ...words, '--json']);
      t.notMatch(stderr, STACK);
      t.equal(state(pair), undefined);
      return [code, lines[0]?.error?.code ?? '', lines[0]?.error?.message ?? ''];
    };
    const load = (...words: string[]): ReturnType<typeof run> => run('load', ...place(pair), ...words);
    const broken = rulesFile(t, { rules: [https, { port: 'https', action: 'allow' }] });
    t.same(await load('--rules', broken), [
      1,
      'ARGUMENT_INVALID',
      `Cannot use the configuration ${broken}: rules[1].port is "https", not a port from 0 to 65535 or "any"`,
    ]);
    t.same(await load('--rules', '/no/such/file'), [
      1,
      'FILE_NOT_FOUND',
      'Cannot read the rules /no/such/file: no such file',
    ]);
    t.match(await load('--pin', '/tmp/no-bpf-file-system'), [1, 'ARGUMENT_INVALID']);
    t.same(await run('load'), [2, 'USAGE', 'policy load needs an interface: --iface NAME']);
    t.match(await load('--default', 'drop'), [2, 'USAGE']);
    t.match(await run('load', '--iface', 'nope0'), [1, 'INTERFACE_NOT_FOUND']);
    const at = ['--pin', '/sys/fs/bpf/no-such-policy'];
    const noPin = 'Cannot use /sys/fs/bpf/no-such-policy: no policy firewall is pinned there';
    for (const command of ['list', 'stats', 'set'])
      t.same(await run(command, ...at), [1, 'PIN_NOT_FOUND', noPin]);
    t.same(await run('add', ...at, '--port', '1', '--action', 'deny'), [1, 'PIN_NOT_FOUND', noPin]);
    t.same(await run('add', ...at, '--action', 'deny'), [
      2,
      'USAGE',
      'policy add needs a rule: --source, --destination, --port, --protocol',
    ]);
    t.same(await run('add', ...at, '--port', '1'), [
      2,
      'USAGE',
      'policy add needs --action allow or --action deny',
    ]);
    t.same(await run('add', ...at, '--port', '99999', '--action', 'deny'), [
      2,
      'USAGE',
      '99999 is not a port from 0 to 65535 or "any"',
    ]);
    t.same(await run('add', ...at, '--port', '1', '--protocol', 'icmp', '--action', 'deny'), [
      2,
      'USAGE',
      'the rule would match nothing: packets of protocol icmp have no port',
    ]);
    t.match(await load('--log-rate', '4294967296'), [2, 'USAGE']);
    t.same(await run('replace', ...at), [2, 'USAGE', 'policy replace needs --rules FILE']);
    const { code, lines } = await runCli(['policy', 'load', ...place(pair), '--json'], {
      prefix: ['setpriv', '--bounding-set=-all', '--inh-caps=-all'],
    });
    t.same([code, lines[0]?.error?.code], [3, 'PERMISSION_DENIED']);
    t.equal(state(pair), undefined);
  }),
);

t.test('a rule that is not there cannot be removed', { skip }, (t) =>
  withVethPair(async (pair) => {
    const pin = bpfFileSystem(t);
    t.equal((await runHosted(['policy', 'load', ...place(pair), '--pin', pin, '--detach'])).code, 0);
    const { code, stderr } = await runHosted(['policy', 'remove', '--pin', pin, '--port', '80']);
    t.equal(code, 1);
    t.equal(
      stderr,
      'error: Cannot remove any any -> any:80: there is no such rule\n' +
        'hint: ts-xdp policy list shows the rules; a rule is named by all of its fields\n',
    );
    const added = await runHosted(['policy', 'add', '--pin', pin, '--port', 'any', '--action', 'allow']);
    t.equal(added.stdout, 'added allow any any -> any\n', 'a catch-all is said as such');
    send(pair, toPort(80));
    const listed = await runHosted(['policy', 'list', '--pin', pin]);
    t.equal(listed.stdout, 'allow any any -> any  1 packets, 60 bytes\ndefault deny\n');
    t.equal((await runHosted(['unload', pin])).code, 0);
  }),
);
