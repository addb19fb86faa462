/** How `ts-xdp load` ends: by signals, by its reader, by force; and what a slow reader costs. */
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { EtherType, Protocol, ethernet, ipv4, pattern, udp } from '../fixtures/frames.ts';
import { Cli, notRoot, pause, runCli, STACK, summaryOf } from '../helpers/cli.ts';
import type { CliResult, JsonLine } from '../helpers/cli.ts';
import { xdpState } from '../helpers/kernel-objects.ts';
import { countersAddUp, snifferObject } from '../helpers/sniffer-events.ts';
import { withVethPair } from '../helpers/veth.ts';
import type { VethPair } from '../helpers/veth.ts';

const skip = notRoot;
const frame = ethernet(
  EtherType.Ipv4,
  ipv4({ protocol: Protocol.Udp }, udp({ sourcePort: 1, destinationPort: 2 }, pattern(100))),
);

const load = (pair: VethPair, ...more: string[]): string[] => [
  ...['load', snifferObject, '--iface', pair.receiver.name, '--netns', String(pair.namespaceName)],
  ...more,
];
const state = (pair: VethPair): number | undefined =>
  xdpState(pair.receiver.name, pair.namespaceName).programId;

function send(pair: VethPair, count: number): void {
  const socket = pair.openPacketSocket();
  for (let sent = 0; sent < count; sent++) socket.send(frame);
  socket.close();
}

const countersOf = (summary: JsonLine): Record<string, number> =>
  summary['counters'] as Record<string, number>;

/** Waits until nothing is attached: the kernel frees what a killed process had a moment later. */
async function detached(pair: VethPair): Promise<boolean> {
  for (let wait = 0; wait < 100; wait++) {
    if (state(pair) === undefined) return true;
    await pause(20);
  }
  return false;
}

t.test('a signal ends it in order: detached, read to the end, summed up', { skip }, (t) =>
  withVethPair(async (pair) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      for (const via of ['link', 'netlink']) {
        const cli = new Cli(load(pair, '--via', via, '--json'));
        await cli.attached();
        send(pair, 300);
        const { code, signal: killed, lines, stderr } = await cli.stop(signal);
        t.same([code, killed], [0, null], `${signal} ${via}`);
        t.equal(state(pair), undefined);
        const summary = summaryOf({ lines });
        t.equal(
          lines.filter(({ type }) => type === 'event').length,
          300,
          'what waited in the ring is printed',
        );
        t.match(summary, { events: 300, lost: 0, dropped: 0, counters: { seen: 300, submitted: 300 } });
        t.notMatch(stderr, 'error');
      }
    }
  }),
);

t.test('a signal before the first packet, and many at once', { skip }, (t) =>
  withVethPair(async (pair) => {
    const cli = new Cli(load(pair, '--json'));
    await cli.attached();
    for (let times = 0; times < 5; times++) cli.signal('SIGINT');
    const { code, lines } = await cli.ended;
    t.equal(code, 0);
    t.match(summaryOf({ lines }), { events: 0, lost: 0 });
    t.equal(state(pair), undefined);
  }),
);

t.test('SIGKILL: the kernel detaches a link; netlink stays, and unload ends it', { skip }, (t) =>
  withVethPair(async (pair) => {
    const { name } = pair.receiver;
    const link = new Cli(load(pair, '--via', 'link', '--json'));
    await link.attached();
    t.equal((await link.stop('SIGKILL')).signal, 'SIGKILL');
    t.ok(await detached(pair), 'by link nothing stays');

    const netlink = new Cli(load(pair, '--via', 'netlink', '--json'));
    const { program_id: program } = await netlink.attached();
    const remedy = ['unload', '--iface', name, '--netns', String(pair.namespaceName)];
    await netlink.said(`until "ts-xdp ${remedy.join(' ')}"`);
    await netlink.stop('SIGKILL');
    await pause(200);
    t.equal(state(pair), program, 'by netlink it stays, as was said');
    const unload = await runCli([...remedy, '--json']);
    t.match(unload.lines[0], { type: 'detached', via: 'netlink', program_id: program });
    t.equal(state(pair), undefined);
  }),
);

t.test('a reader of standard output that goes away ends it quietly', { skip }, (t) =>
  withVethPair(async (pair) => {
    for (const json of [['--json'], []]) {
      const cli = new Cli(load(pair, ...json));
      await cli.until(({ stdout }) => stdout.includes('attached'));
      cli.closeOutput();
      send(pair, 10);
      const { code, signal, stderr } = await cli.ended;
      t.same([code, signal], [0, null]);
      t.notMatch(stderr, /error|EPIPE/i);
      t.equal(state(pair), undefined);
    }
    const head = new Cli([...load(pair, '--json')], {
      prefix: ['bash', '-c', '"$0" "$@" | head -1; exit ${PIPESTATUS[0]}'],
    });
    await head.line('attached');
    for (let wait = 0; wait < 200 && state(pair) !== undefined; wait++) {
      send(pair, 1);
      await pause(10);
    }
    const { code, stderr } = await head.ended;
    t.equal(code, 0, stderr);
  }),
);

t.test(
  'a reader of standard output that is slow: memory stays bounded and everything is counted',
  { skip },
  (t) =>
    withVethPair(async (pair) => {
      const cli = new Cli(load(pair, '--json'), { stdout: 'unread pipe' });
      await cli.said('note: filled');
      for (let wait = 0; wait < 200 && state(pair) === undefined; wait++) await pause(10);
      send(pair, 2000);
      await pause(200);
      const before = cli.residentMemory;
      const total = 200_000;
      for (let sent = 2000; sent < total; sent += 2000) {
        send(pair, 2000);
        // So that this process's own event loop, and the other process on a small machine, have their turn.
        await pause(1);
      }
      await pause(500);
      const growth = cli.residentMemory - before;
      t.ok(growth < 100 * 1024, `grown by ${String(growth)} KiB`);
      cli.signal('SIGINT');
      for (let wait = 0; wait < 100 && state(pair) !== undefined; wait++) await pause(10);
      t.equal(state(pair), undefined, 'a signal is heard within a second');
      cli.read();
      const { code, lines } = await cli.ended;
      t.equal(code, 0);
      const summary = summaryOf({ lines });
      const counters = countersOf(summary);
      const printed = lines.filter(({ type }) => type === 'event').length;
      t.equal(counters['seen'], total);
      t.ok(countersAddUp(counters), JSON.stringify(counters));
      t.equal(summary['lost'], counters['no_space']);
      t.equal(summary['events'], counters['submitted'], 'read = submitted');
      t.equal(printed + Number(summary['dropped']), summary['events'], 'printed + dropped = read');
      t.ok(Number(summary['dropped']) > 0);
    }),
);

t.test('an output that takes nothing is an error, and nothing stays attached', { skip }, (t) =>
  withVethPair(async (pair) => {
    const run = async (script: string, ...more: string[]): Promise<CliResult> => {
      const cli = new Cli([...load(pair), ...more], { prefix: ['sh', '-c', script] });
      for (let wait = 0; wait < 200 && state(pair) === undefined; wait++) await pause(5);
      send(pair, 100);
      const result = await cli.ended;
      t.equal(state(pair), undefined);
      t.notMatch(result.stderr, STACK);
      return result;
    };
    const full = await run('exec "$0" "$@" >/dev/full', '--json');
    t.equal(full.code, 1);
    t.match(full.stderr, 'error: Cannot write to standard output: ENOSPC\n');
    const file = await run('exec "$0" "$@"', '--protobuf', '/dev/full', '--json');
    t.equal(file.code, 1);
    t.same(file.lines.at(-1)?.error, {
      code: 'FILE_UNREADABLE',
      message: 'Cannot write to /dev/full: ENOSPC',
      path: '/dev/full',
    });
  }),
);

t.test('standard output that is never read again does not hold up a signal', { skip }, (t) =>
  withVethPair(async (pair) => {
    const cli = new Cli(load(pair, '--json'), { stdout: 'unread pipe' });
    await cli.said('note: filled');
    for (let wait = 0; wait < 200 && state(pair) === undefined; wait++) await pause(10);
    send(pair, 20_000);
    await pause(300);
    const start = performance.now();
    const { code, signal, stderr } = await cli.stop('SIGTERM');
    t.same([code, signal], [1, null], 'the summary did not get through');
    t.ok(performance.now() - start < 5000, 'it waits for the reader, but not for ever');
    t.match(stderr, /note: standard output is not being read; \d+ bytes were not written\n/);
    t.equal(state(pair), undefined);
  }),
);

t.test('stopped until the ring overflows: a million packets, each accounted for', { skip }, (t) =>
  withVethPair(async (pair) => {
    const folder = mkdtempSync(join(tmpdir(), 'ts-xdp-flood-'));
    const path = join(folder, 'events.txt');
    const file = openSync(path, 'w');
    const cli = new Cli(load(pair), { stdout: file, timeout: 60_000 });
    closeSync(file);
    for (let wait = 0; wait < 200 && state(pair) === undefined; wait++) await pause(10);
    const total = 1_000_000;
    for (let sent = 0; sent < total; sent += 100_000) {
      // Now stopped, now reading while packets arrive.
      cli.signal(sent % 200_000 === 0 ? 'SIGSTOP' : 'SIGCONT');
      send(pair, 100_000);
    }
    cli.signal('SIGCONT');
    const { code } = await cli.stop();
    t.equal(code, 0);
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
    rmSync(folder, { recursive: true });
    const summary = lines.at(-1) ?? '';
    const count = (name: string): number => Number(new RegExp(`\\b${name}:? (\\d+)`).exec(summary)?.[1]);
    const [seen, submitted, noSpace] = [count('seen'), count('submitted'), count('no_space')];
    t.equal(seen, total, summary);
    t.equal(seen, count('ignored') + count('filtered') + noSpace + submitted);
    t.equal(count('lost'), noSpace);
    t.ok(noSpace > 100_000, 'a ring of 1 MiB holds about 1,800 events');
    t.ok(summary.startsWith(`${String(submitted)} events in `), 'read = submitted');
    t.equal(lines.length, 2 + submitted, 'and every one is printed');
  }),
);
