/** `ts-xdp load` on an object of somebody else's: events of its own types, variables, maps, rings that nothing types. */
import t from 'tap';
import type { Test } from 'tap';
import { Cli, notRoot, STACK, summaryOf } from '../helpers/cli.ts';
import { runHosted } from '../helpers/command-host.ts';
import type { JsonLine } from '../helpers/cli.ts';
import { isKernelBefore } from '../helpers/lacking.ts';
import { noClang, ObjectFolder } from '../helpers/object-source.ts';
import { needTracefs, withoutTracefs } from '../helpers/tracefs.ts';
import { encode, expected, extreme, MESSAGE_SIZE, modest, packet } from '../helpers/typed-message.ts';
import type { Setting } from '../helpers/typed-message.ts';
import { VethPair } from '../helpers/veth.ts';

const skip = notRoot || noClang;
const folder = new ObjectFolder();
t.teardown(() => {
  folder.close();
});
const object = skip === false ? folder.compile('typed-events') : '';

function withPair(action: (t: Test, pair: VethPair) => Promise<void>): (t: Test) => Promise<void> {
  return async (t) => {
    const pair = VethPair.open();
    try {
      await action(t, pair);
    } finally {
      pair.close();
    }
  };
}

const args = (pair: VethPair, ...more: string[]): string[] => [
  ...['load', object, '--iface', pair.receiver.name, '--netns', String(pair.namespaceName)],
  ...more,
];

/** Wall-clock time of now, to the second, and with nanoseconds. */
function checkTime(t: Test, { time }: JsonLine): void {
  t.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/);
  t.ok(Math.abs(Date.parse(String(time)) - Date.now()) < 10_000, 'it is of now');
}

t.test(
  'every field of every event, as the object types it',
  { skip },
  withPair(async (t, pair) => {
    const setting: Setting = {
      offset: 2n ** 63n + 1n,
      sample: 77,
      rules: { 7: { verdict: 'VERDICT_BAD', weight: 101 }, 8: { verdict: 'VERDICT_GOOD', weight: 100 } },
    };
    const options = ['--var', 'sample=77', '--set', `offsets[1]=${setting.offset.toString()}`];
    options.push('--set', 'rules[7]={"verdict":"VERDICT_BAD","weight":101}');
    options.push('--set', 'rules[0x8]=verdict=VERDICT_GOOD,weight=100');
    for (const via of ['link', 'netlink']) {
      for (const mode of ['native', 'generic']) {
        const cli = new Cli(args(pair, ...options, '--json', '--via', via, '--mode', mode));
        const attached = await cli.attached();
        const sent = [7, 8, 9].flatMap((port) => [modest, extreme].map((message) => ({ port, message })));
        const socket = pair.openPacketSocket();
        for (const { port, message } of sent) socket.send(packet(port, message));
        socket.close();
        await cli.until(({ events }) => events.length === sent.length);
        const { code, lines, stderr } = await cli.stop();
        t.equal(code, 0, `${via} ${mode}`);
        t.same(attached, {
          type: 'attached',
          kind: 'xdp',
          program: 'copy_message',
          target: pair.receiver.name,
          ifindex: pair.receiver.index,
          mode,
          via,
          program_id: attached['program_id'],
          link_id: attached['link_id'],
        });
        t.type(attached['program_id'], 'number');
        t.equal(typeof attached['link_id'], via === 'link' ? 'number' : 'object');
        const events = lines.filter(({ type }) => type === 'event');
        t.strictSame(
          events.map(({ data }) => data),
          sent.map(({ port, message }) => expected(port, message, setting)),
        );
        for (const event of events) {
          t.same(Object.keys(event), ['type', 'map', 'struct', 'time', 'data']);
          t.match(event, { map: 'observations', struct: 'observation' });
          checkTime(t, event);
        }
        const summary = summaryOf({ lines });
        t.match(summary, { events: sent.length, lost: null, dropped: 0, counters: {} });
        t.type(summary['duration_ms'], 'number');
        t.equal(lines.length, 2 + sent.length, 'and no other line');
        const stays = `note: ${pair.receiver.name} is attached by netlink: should this process be killed, it stays attached until "ts-xdp unload --iface ${pair.receiver.name} --netns ${String(pair.namespaceName)}"\n`;
        t.equal(stderr, via === 'netlink' ? stays : '', 'netlink says that it stays');
      }
    }
  }),
);

t.test(
  'as text',
  { skip },
  withPair(async (t, pair) => {
    const cli = new Cli(args(pair, '--count', '1'));
    await cli.until(({ stdout }) => stdout.includes('attached'));
    const socket = pair.openPacketSocket();
    for (let copy = 0; copy < 3; copy++) socket.send(packet(9, modest));
    socket.close();
    const { code, stdout, stderr } = await cli.ended;
    t.equal(code, 0);
    t.equal(stderr, '');
    const [attached = '', event = '', summary = '', ...more] = stdout.split('\n');
    t.match(attached, /^attached copy_message to \S+ \(native mode, by link, program \d+\)$/);
    const fields = [
      'total=5 parts=["1","2","3"] negative=-5 balance=-20 verdict=VERDICT_UNKNOWN name=alice key=0001feff',
      'place={"latitude":-90,"longitude":180} low=3 high=21 flagged=false port=9 sample=1',
    ];
    t.equal(event.replace(/^\S+ /, ''), `observations ${fields.join(' ')}`);
    t.match(summary, /^1 events in \d+\.\d s; lost: unknown, the object does not count$/);
    t.same(more, [''], '--count ended it');
  }),
);

const noFlexible = isKernelBefore('6.1') && 'the object has a user ring buffer, which came with Linux 6.1';

t.test(
  'records that end in a flexible array, with as many elements as each has',
  { skip: skip || noFlexible },
  withPair(async (t, pair) => {
    const flexible = folder.compile('gen/flexible', { name: 'flexible' });
    const place = ['--iface', pair.receiver.name, '--netns', String(pair.namespaceName)];
    const start = (...more: string[]): Cli =>
      new Cli(['load', flexible, '--prog', 'reserve', ...place, '--count', '6', ...more]);
    const send = (): void => {
      const socket = pair.openPacketSocket();
      socket.send(packet(9, modest));
      socket.close();
    };
    const dataOf = (length: number): string =>
      Buffer.from(Array.from({ length }, (_, index) => 0xa0 + index)).toString('hex');
    const lengths = [0, 3, 4, 5, 64];
    const time = String(0x1122334455667788n);

    const json = start('--json');
    await json.attached();
    send();
    const { code, lines } = await json.ended;
    t.equal(code, 0);
    const read = lines.filter(({ type }) => type === 'event');
    t.strictSame(
      read.filter(({ map }) => map === 'events').map(({ struct, data }) => [struct, data]),
      lengths.map((length) => ['event', { time, length, data: dataOf(length) }]),
    );
    const hops = [
      { port: 1000, ttl: 64, weight: -1 },
      { port: 2000, ttl: 32, weight: -2 },
    ];
    t.strictSame(
      read.filter(({ map }) => map === 'routes').map(({ struct, data }) => [struct, data]),
      [['route', { count: 2, hops }]],
    );

    const text = start();
    await text.until(({ stdout }) => stdout.includes('attached'));
    send();
    const printed = (await text.ended).stdout.split('\n').map((line) => line.replace(/^\d{4}\S+ /, ''));
    for (const length of lengths)
      t.ok(
        printed.includes(`events time=${time} length=${length} data=${dataOf(length)}`),
        `${length} bytes`,
      );
    t.ok(printed.includes(`routes count=2 hops=${JSON.stringify(hops)}`));
  }),
);

t.test(
  'a ring of unknown type is shown as bytes, and how to name it is said once',
  { skip },
  withPair(async (t, pair) => {
    const raw = Buffer.from(encode(extreme)).toString('hex');
    const send = (): void => {
      const socket = pair.openPacketSocket();
      for (let copy = 0; copy < 2; copy++) socket.send(packet(9, extreme));
      socket.close();
    };
    const json = new Cli(args(pair, '--var', 'copy_raw=true', '--json', '--count', '4'));
    await json.attached();
    send();
    const { lines, stderr } = await json.ended;
    const copies = lines.filter(({ map }) => map === 'raw_copies');
    t.equal(copies.length, 2);
    for (const copy of copies) {
      const { time, ...rest } = copy;
      t.same(rest, { type: 'event', map: 'raw_copies', struct: null, size: MESSAGE_SIZE, hex: raw });
      checkTime(t, { time });
    }
    const hint =
      'note: nothing says what the events of raw_copies are, so they are shown as bytes; ' +
      'name their struct (of that size: message): --event raw_copies=message\n';
    t.equal(stderr, hint, 'once, on standard error');

    const text = new Cli(args(pair, '--var', 'copy_raw=1', '--count', '4'));
    await text.until(({ stdout }) => stdout.includes('attached'));
    send();
    const { stdout } = await text.ended;
    t.match(
      stdout,
      `raw_copies ${String(MESSAGE_SIZE)} bytes\n  0000  ff 74 77 65 6c 76 65 2d 62 79 74 65 73 de ad be  .twelve-bytes...\n`,
    );

    const named = new Cli(
      args(pair, '--var', 'copy_raw=true', '--event', 'raw_copies=message', '--json', '--count', '4'),
    );
    await named.attached();
    send();
    const result = await named.ended;
    t.equal(result.stderr, '');
    t.strictSame(result.lines.find(({ map }) => map === 'raw_copies')?.data, {
      kind: 255,
      name: 'twelve-bytes',
      key: 'deadbeef',
      balance: -0x8000_0000,
      total: extreme.total.toString(),
      parts: extreme.parts.map(String),
      place: { latitude: -0x8000, longitude: 0x7fff },
      bits: 255,
    });
  }),
);

t.test(
  'a wrong struct for a ring is an error that names both sizes',
  { skip },
  withPair(async (t, pair) => {
    const unknown = await runHosted(args(pair, '--event', 'raw_copies=mesage', '--json'));
    t.match(unknown.lines[0]?.error, { code: 'TYPE_NOT_FOUND', subject: 'mesage' });
    const cli = new Cli(args(pair, '--event', 'observations=message', '--json'));
    await cli.attached();
    const socket = pair.openPacketSocket();
    socket.send(packet(9, modest));
    socket.close();
    const { code, lines, stderr } = await cli.ended;
    t.equal(code, 1);
    t.same(lines.at(-1)?.error, {
      code: 'EVENT_SIZE_MISMATCH',
      message:
        'Cannot read a record of observations as struct message: the record has 80 bytes, the struct 58',
      map: 'observations',
      struct: 'message',
      struct_size: MESSAGE_SIZE,
      record_size: 80,
    });
    t.notMatch(stderr, STACK);
  }),
);

t.test(
  '--duration ends it, with nothing to count as well',
  { skip },
  withPair(async (t, pair) => {
    const { code, lines } = await runHosted(args(pair, '--duration', '300ms', '--json'));
    t.equal(code, 0);
    t.match(summaryOf({ lines }), { events: 0, lost: null });
    const { duration_ms: duration } = summaryOf({ lines });
    t.ok(Number(duration) >= 295 && Number(duration) < 2000, `300 ms, not ${String(duration)}`);
  }),
);

t.test(
  '--trace shows what bpf_printk prints',
  { skip },
  withPair(async (t, pair) => {
    const refused = await new Cli(args(pair, '--trace', '--json'), { prefix: withoutTracefs }).ended;
    t.same(refused.lines.at(-1)?.error, {
      code: 'FILE_NOT_FOUND',
      message: 'Cannot read the trace pipe: tracefs is not mounted',
      hint: 'mount it: mount -t tracefs nodev /sys/kernel/tracing',
      path: '/sys/kernel/tracing/trace_pipe',
    });
    needTracefs();
    const cli = new Cli(args(pair, '--trace', '--var', 'label="mine"', '--json'));
    await cli.attached();
    const socket = pair.openPacketSocket();
    socket.send(packet(9, modest));
    socket.close();
    const line = await cli.until(({ lines }) =>
      lines.find(({ type, text }) => type === 'trace' && String(text).includes('ts-xdp named kind 1')),
    );
    t.match(line['text'], /bpf_trace_printk: ts-xdp named kind 1$/);
    t.equal((await cli.stop()).code, 0);
  }),
);
