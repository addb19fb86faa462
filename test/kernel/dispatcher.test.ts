/** Several XDP programs on one interface, ours and those of xdp-loader, which each tool sees, orders and takes away. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import t from 'tap';
import {
  Collection,
  ObjectFile,
  UnsupportedFeatureError,
  attachXdp,
  attachXdpMulti,
  detachXdpMulti,
  loadForDispatcher,
  readXdpDispatcher,
} from '../../src/index.ts';
import { buildDispatcher } from '../../src/dispatcher/build.ts';
import { describeComponent } from '../../src/dispatcher/component.ts';
import { deleteInterface } from '../../src/netlink/index.ts';
import type { NetworkNamespace } from '../../src/sys/index.ts';
import { EtherType, Protocol, ethernet, ipv4, pattern, udp } from '../fixtures/frames.ts';
import { Cli, notRoot, runCli } from '../helpers/cli.ts';
import { Compiler, whyNotCompile } from '../helpers/compile.ts';
import { checkRefusal } from '../helpers/refusal.ts';
import { thrown } from '../helpers/thrown.ts';
import { VethPair } from '../helpers/veth.ts';

const compiler = new Compiler();
const skip = notRoot || whyNotCompile();
const [ours, foreign] =
  skip === false ? [compiler.fixture('dispatched'), compiler.fixture('foreign')] : ['', ''];
const MARKS = '/sys/fs/bpf/ts_xdp_marks';
t.teardown(() => {
  compiler.close();
  rmSync(MARKS, { force: true });
});

function load(programs?: readonly string[]): Collection {
  return loadForDispatcher(ObjectFile.open(ours), programs ? { programs } : {});
}

/** Why this kernel has no dispatchers, which its refusal of one says. */
function whyNone(): string | false {
  if (skip !== false) return skip;
  try {
    load().close();
    return false;
  } catch (error) {
    if (!(error instanceof UnsupportedFeatureError)) throw error;
    return error.message;
  }
}

const none = whyNone();
const noLoader =
  none || (spawnSync('xdp-loader', ['--version']).error ? 'xdp-loader is not installed' : false);
const frame = ethernet(
  EtherType.Ipv4,
  ipv4({ protocol: Protocol.Udp }, udp({ sourcePort: 1, destinationPort: 2 }, pattern(20))),
);

/** What the programs write when one packet arrives. */
function turns(pair: VethPair, collection: Collection): string {
  const marks = collection.map('ts_xdp_marks');
  marks.setBytes(new Uint8Array(4), new Uint8Array(64));
  using socket = pair.openPacketSocket();
  socket.send(frame);
  const entry = Buffer.from(marks.getBytes(new Uint8Array(4)) ?? []);
  return entry.toString('latin1', 4, 4 + entry.readUInt32LE(0));
}

/** In the namespace of the pair alone: `ip netns exec` would give it another /sys, without our bpf file system. */
function xdpLoader(pair: VethPair, args: readonly string[]): string {
  const where = `--net=/run/netns/${String(pair.namespaceName)}`;
  return execFileSync('nsenter', [where, 'xdp-loader', ...args], { encoding: 'utf8' });
}

/** `Prio Program name Mode ID Tag Chain actions` of each program, without the dispatcher's line. */
function status(pair: VethPair): string[] {
  const lines = xdpLoader(pair, ['status', pair.receiver.name]).split('\n');
  return lines
    .filter((line) => line.startsWith(' =>'))
    .map((line) => line.slice(3).trim().split(/\s+/).join(' '));
}

function placeOf(pair: VethPair): { interface: number; netns: NetworkNamespace } {
  return { interface: pair.receiver.index, netns: pair.netns };
}

function pinned(): string[] {
  return existsSync('/sys/fs/bpf/xdp') ? readdirSync('/sys/fs/bpf/xdp') : [];
}

const all = ['early_and_with_a_long_name', 'plain', 'final', 'late'];

t.test('programs of one object, in the order of their priorities', { skip: none }, (t) => {
  using pair = VethPair.open();
  using collection = load();
  const attachments = attachXdpMulti(collection, placeOf(pair));
  t.same(
    attachments.map(({ program, priority, mode, chainCallActions }) => [
      program,
      priority,
      mode,
      chainCallActions,
    ]),
    [
      ['late', 70, 'native', ['pass']],
      ['early_and_with_a_long_name', 10, 'native', ['drop', 'pass']],
    ],
  );
  t.equal(turns(pair, collection), 'el');
  t.match(readXdpDispatcher(placeOf(pair)), {
    target: pair.receiver.name,
    mode: 'native',
    version: 2,
    programs: [
      { name: 'early_and_with_a_long_name', priority: 10, chainCallActions: ['drop', 'pass'], frags: true },
      { name: 'late', priority: 70, chainCallActions: ['pass'], frags: true },
    ],
  });
  for (const attachment of attachments) attachment.close();
  t.equal(turns(pair, collection), '');
  t.equal(readXdpDispatcher(placeOf(pair)), undefined);
  t.same(pinned(), []);
  t.end();
});

t.test(
  'a result that does not chain ends the turn; priorities and actions given by the caller',
  { skip: none },
  (t) => {
    using pair = VethPair.open();
    using collection = load(all);
    const place = placeOf(pair);
    const attachments = attachXdpMulti(collection, place);
    t.equal(turns(pair, collection), 'epx', 'what comes after the final one does not run');
    const attached = (): string[] => attachments.filter((one) => one.attached).map(({ program }) => program);
    t.same(attached().sort(), [...all].sort());
    detachXdpMulti({ ...place, programs: ['final'] });
    t.equal(turns(pair, collection), 'epl', 'the others run on');
    t.same(attached().sort(), all.filter((name) => name !== 'final').sort(), 'in another dispatcher');
    using more = load(['plain', 'final']);
    const [first] = attachXdpMulti(more, {
      ...place,
      programs: ['plain'],
      priority: 5,
      chainCallActions: ['tx'],
    });
    t.equal(turns(pair, collection), 'p', 'first and last');
    first?.close();
    t.equal(turns(pair, collection), 'epl');
    for (const attachment of attachments) attachment.close();
    t.same(pinned(), []);
    t.end();
  },
);

t.test('ours and those of xdp-loader on one interface, each detached alone', { skip: noLoader }, (t) => {
  using pair = VethPair.open();
  using collection = load();
  const place = placeOf(pair);
  const { name } = pair.receiver;
  const attachments = attachXdpMulti(collection, place);
  xdpLoader(pair, ['load', '-p', '/sys/fs/bpf', name, foreign]);
  t.equal(turns(pair, collection), 'efl', 'xdp-loader keeps ours and puts its own between them');
  const read = readXdpDispatcher(place);
  t.same(
    status(pair),
    read?.programs.map(({ id, name: own, priority, tag, chainCallActions }) => {
      const actions = chainCallActions.map((action) => `XDP_${action.toUpperCase()}`).join(',');
      return `${String(priority)} ${own} ${String(id)} ${tag} ${actions}`;
    }),
    'both tools say the same',
  );
  t.same(
    read?.programs.map((program) => program.name),
    ['early_and_with_a_long_name', 'foreign', 'late'],
  );
  const idOf = (wanted: string): string => String(read?.programs.find((one) => one.name === wanted)?.id);

  attachments.find(({ program }) => program === 'late')?.close();
  t.equal(turns(pair, collection), 'ef', 'ours goes, that of xdp-loader stays');
  xdpLoader(pair, ['unload', name, '--id', idOf('early_and_with_a_long_name')]);
  t.equal(turns(pair, collection), 'f', 'xdp-loader takes ours away');
  attachXdpMulti(collection, { ...place, programs: ['late'] });
  t.equal(turns(pair, collection), 'fl', 'a program that was attached before is attached again');
  xdpLoader(pair, ['unload', name, '--id', idOf('foreign')]);
  t.equal(turns(pair, collection), 'l');
  t.same(
    detachXdpMulti(place).map((program) => program.name),
    ['late'],
  );
  t.match(xdpLoader(pair, ['status', name]), /<No XDP program loaded!>/);
  for (const attachment of attachments) attachment.close();
  t.same(pinned(), []);
  t.end();
});

t.test('a dispatcher of xdp-loader that is there first', { skip: noLoader }, (t) => {
  using pair = VethPair.open();
  using collection = load();
  const { name } = pair.receiver;
  const place = placeOf(pair);
  xdpLoader(pair, ['load', '-p', '/sys/fs/bpf', '-m', 'skb', name, foreign]);
  const attachments = attachXdpMulti(collection, { ...place, modes: ['native'] });
  t.same(new Set(attachments.map(({ mode }) => mode)), new Set(['generic']), 'in the mode that it has');
  t.equal(turns(pair, collection), 'efl');
  t.equal(status(pair).length, 3);
  xdpLoader(pair, ['unload', name, '--all']);
  t.equal(turns(pair, collection), '');
  for (const attachment of attachments) attachment.close();
  t.same(pinned(), []);
  t.end();
});

t.test('a dispatcher of version 1 stays one', { skip: none }, (t) => {
  using pair = VethPair.open();
  using collection = load();
  const place = placeOf(pair);
  const old = collection.program('late');
  const settings = { priority: 70, chainCallActions: 1 << 2, frags: false };
  const component = describeComponent(old, { settings, installed: false });
  const built = buildDispatcher([component], { ifindex: pair.receiver.index, target: 'old', version: 1 });
  attachXdp(built.program, { ...place, via: 'netlink' }).leave();
  built.close();
  t.match(readXdpDispatcher(place), { version: 1, programs: [{ name: 'late', priority: 70 }] });
  const [attachment] = attachXdpMulti(collection, { ...place, programs: ['early_and_with_a_long_name'] });
  t.equal(turns(pair, collection), 'el');
  t.equal(readXdpDispatcher(place)?.version, 1);
  if (noLoader === false) {
    t.same(
      status(pair).map((line) => line.split(' ').slice(0, 2).join(' ')),
      ['10 early_and_with_a_long_name', '70 late'],
    );
  }
  attachment?.close();
  t.equal(turns(pair, collection), 'l');
  detachXdpMulti(place);
  t.same(pinned(), []);
  t.end();
});

t.test('what stands in the way', { skip: none }, (t) => {
  using pair = VethPair.open();
  using collection = load(all);
  const place = placeOf(pair);
  const { name } = pair.receiver;
  t.match(
    thrown(() => detachXdpMulti(place)),
    {
      code: 'PROGRAM_NOT_FOUND',
      message: `Cannot detach the programs from ${name}: it has no dispatcher`,
    },
  );
  using whole = Collection.load(ObjectFile.open(foreign));
  const single = attachXdp(whole.program('foreign'), place);
  const there = `program ${String(whole.program('foreign').id)} (native) is attached there`;
  t.match(
    thrown(() => attachXdpMulti(collection, place)),
    {
      code: 'ALREADY_ATTACHED',
      message: `Cannot attach to ${name}: ${there}, and it is no dispatcher with pinned programs`,
      hint: `detach it, and attach it again with --multi: ts-xdp unload --iface ${name} --netns ${String(pair.namespaceName)}`,
    },
  );
  single.close();
  t.match(
    thrown(() => attachXdpMulti(whole, place)),
    {
      code: 'PROGRAM_NONE',
      message: 'Cannot attach the collection: it was not loaded for a dispatcher',
    },
  );
  for (let count = 4; count <= 8; count += 4) attachXdpMulti(collection, place);
  t.match(
    thrown(() => attachXdpMulti(collection, place)),
    {
      code: 'ATTACH_REFUSED',
      message: `Cannot attach to ${name}: that would be 12 programs, and a dispatcher has room for 10`,
    },
  );
  t.match(
    thrown(() => detachXdpMulti({ ...place, programs: ['nobody'] })),
    {
      code: 'PROGRAM_NOT_FOUND',
      message: `Cannot detach nobody from ${name}: it has no program nobody`,
    },
  );
  t.equal(readXdpDispatcher(place)?.programs.length, 8, 'a refusal changes nothing');
  t.equal(pinned().length, 1);
  detachXdpMulti(place);
  t.same(pinned(), []);
  t.end();
});

t.test(
  'a dispatcher that somebody takes off, and an interface that goes, leave no pins',
  { skip: none },
  (t) => {
    using collection = load();
    for (const end of ['off', 'gone'] as const) {
      using pair = VethPair.open();
      const attachments = attachXdpMulti(collection, placeOf(pair));
      if (end === 'gone') deleteInterface(pair.socket, pair.receiver);
      else
        execFileSync('ip', [
          '-n',
          String(pair.namespaceName),
          'link',
          'set',
          pair.receiver.name,
          'xdp',
          'off',
        ]);
      t.equal(pinned().length, 1);
      t.same(
        attachments.map(({ attached }) => attached),
        [false, false],
      );
      for (const attachment of attachments) attachment.close();
      t.same(pinned(), [], end);
    }
    t.end();
  },
);

t.test('ts-xdp load --multi and unload', { skip: none }, async (t) => {
  using pair = VethPair.open();
  const { name } = pair.receiver;
  const where = ['--iface', name, '--netns', String(pair.namespaceName)];
  using watcher = load();
  const cli = new Cli(['load', ours, ...where, '--multi', '--priority', '20', '--json']);
  await cli.line('attached');
  const second = await runCli(['load', foreign, ...where, '--multi', '--detach', '--json']);
  t.match(second, {
    code: 0,
    stderr: new RegExp(
      `: it stays attached until "ts-xdp unload --iface ${name} --netns ${String(pair.namespaceName)} --id \\d+"`,
    ),
  });
  t.match(second.lines[0], {
    type: 'attached',
    kind: 'xdp',
    program: 'foreign',
    target: name,
    mode: 'native',
    via: 'dispatcher',
    link_id: null,
    priority: 50,
    chain_call_actions: ['pass'],
  });
  t.equal(turns(pair, watcher), 'elf');
  const ended = await cli.stop('SIGINT');
  t.equal(ended.code, 0);
  t.equal(ended.lines.filter(({ type, priority }) => type === 'attached' && priority === 20).length, 2);
  t.equal(turns(pair, watcher), 'f', 'what the command attached goes with it');

  const killed = new Cli(['load', ours, ...where, '--multi', '--json']);
  await killed.line('attached');
  await killed.stop('SIGKILL');
  t.equal(turns(pair, watcher), 'efl', 'not when it is killed');
  const missing = await runCli(['unload', ...where, '--prog', 'nobody', '--json']);
  t.equal(missing.code, 1);
  t.equal(missing.lines[0]?.error?.message, `Cannot detach nobody from ${name}: it has no program nobody`);
  const one = await runCli(['unload', ...where, '--prog', 'late', '--json']);
  t.equal(one.code, 0);
  t.match(one.lines, [{ type: 'detached', kind: 'xdp', program: 'late', via: 'dispatcher', target: name }]);
  t.equal(turns(pair, watcher), 'ef');
  const rest = await runCli(['unload', ...where]);
  t.equal(rest.code, 0);
  t.match(rest.stdout, /^detached early_and_with_a_long_name \(program \d+\) from .*\ndetached foreign /);
  t.equal(turns(pair, watcher), '');
  t.same(pinned(), []);
});

t.test(
  'a kernel that refuses it',
  { skip: skip !== false ? skip : none === false && 'this one does not' },
  async (t) => {
    using pair = VethPair.open();
    const where = ['--iface', pair.receiver.name, '--netns', String(pair.namespaceName)];
    await checkRefusal(t, {
      name: 'freplace is refused',
      args: ['load', ours, ...where, '--multi'],
      exit: 4,
      error: {
        code: 'UNSUPPORTED_FEATURE',
        message:
          'Cannot load late and early_and_with_a_long_name for an XDP dispatcher: this kernel does not let programs take the place of functions (freplace, since Linux 5.6)',
        hint: 'attach one program by itself, without --multi',
        feature: 'freplace',
        min_kernel: '5.6',
      },
    });
    t.same(pinned(), []);
    t.notOk(existsSync(MARKS), 'the pin of the shared map went with the load');
  },
);

t.test('options that do not go together', { skip: notRoot }, async (t) => {
  const cases: [string[], string][] = [
    [
      ['--multi', '--replace'],
      '--multi attaches beside what is there, by a dispatcher, so it goes without --replace',
    ],
    [
      ['--multi', '--via', 'link'],
      '--multi attaches beside what is there, by a dispatcher, so it goes without --via',
    ],
    [['--priority', '3'], '--priority goes with --multi: without a dispatcher there is one program'],
  ];
  for (const [args, message] of cases) {
    const { code, stderr } = await runCli(['load', 'none.o', '--iface', 'none0', ...args]);
    t.equal(code, 2);
    t.match(stderr, message);
  }
  const { code, stderr } = await runCli(['unload', '/sys/fs/bpf/none', '--prog', 'one']);
  t.equal(code, 2);
  t.match(stderr, '--prog and --id go with --iface: they say which program of an interface');
});
