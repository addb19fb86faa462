/** `ts-xdp load` on programs whose sections leave open where they go: by `--target`, and what is said without it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import t from 'tap';
import { Collection, ObjectFile } from '../../src/index.ts';
import { AttachWorld } from '../helpers/attach-world.ts';
import { Cli, notRoot, type JsonLine } from '../helpers/cli.ts';
import { runHosted } from '../helpers/command-host.ts';
import { leftObjects } from '../helpers/kernel-objects.ts';
import { isKernelBefore, skipWhole, whyNotHere } from '../helpers/lacking.ts';
import { noClang, uniqueTag } from '../helpers/object-source.ts';

const skip = notRoot || noClang;
if (skip !== false) {
  t.plan(0, skip);
  process.exit(0);
}

const world = new AttachWorld();
t.teardown(() => {
  world.close();
});
const tag = uniqueTag();
const registers = process.arch === 'arm64' ? '__TARGET_ARCH_arm64' : '__TARGET_ARCH_x86';
const compile = (part: string): string =>
  world.folder.compile('link/open', {
    name: `${tag}_${part.toLowerCase()}`,
    defines: { TAG: tag, [part]: '1', [registers]: '1' },
  });
const [network, tracing, single] = [compile('NETWORK'), compile('TRACING'), compile('SINGLE')];
const { receiver } = world.pair;
const interfaces = ['--iface', receiver.name, '--netns', world.netnsName];
const targetsOf = (targets: Readonly<Record<string, string>>): string[] =>
  Object.entries(targets).flatMap(([program, target]) => ['--target', `${tag}_${program}=${target}`]);
const attachedIn = (lines: readonly JsonLine[]): JsonLine[] =>
  lines.filter(({ type }) => type === 'attached');
const forms: Readonly<Record<string, string>> = {
  tc: 'ingress|egress',
  hook: 'ipv4|ipv6:prerouting|input|forward|output|postrouting[:PRIORITY][:defragment]',
  message: 'sockets',
  stream: 'sockets:stream_parser|stream_verdict|verdict',
  packet: 'ingress|egress',
};

/** The names that the programs of a command told, once these are among them. */
async function told(cli: Cli, names: readonly string[]): Promise<void> {
  await cli.until(({ events }) => {
    const all = events.map(({ data }) => String(data?.['name']));
    return names.every((name) => all.includes(name));
  });
}

/** Connects from the cgroup to a server, with a message in either direction. */
async function exchangeMessages(): Promise<void> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', () => socket.write('hi\n'));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const script = `echo $$ > ${world.cgroup}/cgroup.procs; exec 3<>/dev/tcp/127.0.0.1/${String(port)}; echo hello >&3; read -u 3 -t 5 line; [ "$line" = hi ]`;
  const { PATH = '' } = process.env;
  const child = spawn('bash', ['--norc', '-c', script], { env: { PATH }, stdio: 'ignore' });
  t.same(await once(child, 'exit'), [0, null]);
  server.close();
}

t.test(
  'interfaces, hooks, sockmaps and cgroups',
  { skip: isKernelBefore('6.10') && 'needs Linux 6.10' },
  async (t) => {
    const targets = targetsOf({
      tc: 'ingress',
      classifier: 'egress',
      action: 'ingress',
      hook: 'ipv4:output:-7',
      message: 'sockets',
      stream: 'sockets:verdict',
      packet: 'egress',
    });
    const cli = new Cli([
      ...['load', network, ...interfaces, '--cgroup', world.cgroup, '--event', 'events=event', '--json'],
      ...targets,
    ]);
    const attached = await cli.until(({ lines }) => attachedIn(lines).length === 10 && attachedIn(lines));
    const places = attached.map(({ program, kind, target, via }) => [
      String(program).slice(tag.length + 1),
      kind,
      target,
      via,
    ]);
    t.same(places.sort(), [
      ['action', 'tcx', `${receiver.name} (ingress)`, 'link'],
      ['classifier', 'tcx', `${receiver.name} (egress)`, 'link'],
      ['connected', 'cgroup', world.cgroup, 'link'],
      ['dissect', 'flow_dissector', `network namespace ${world.netnsName}`, 'link'],
      ['hook', 'netfilter', 'netfilter ipv4 output at priority -7', 'link'],
      ['lookup', 'sk_lookup', `network namespace ${world.netnsName}`, 'link'],
      ['message', 'sockmap', 'map sockets', 'link'],
      ['packet', 'cgroup', world.cgroup, 'link'],
      ['stream', 'sockmap', 'map sockets', 'link'],
      ['tc', 'tcx', `${receiver.name} (ingress)`, 'link'],
    ]);
    world.sendFrame();
    // Asking for a neighbour is a packet that leaves.
    const address = `10.99.77.2/24 dev ${receiver.name}`;
    world.inNamespace(`ip addr add ${address}; echo x > /dev/udp/10.99.77.1/9; ip addr del ${address}`);
    world.inNamespace('echo x > /dev/udp/127.0.0.1/9');
    await exchangeMessages();
    await told(cli, [
      'tc',
      'action',
      'hook',
      'lookup',
      'dissect',
      'message',
      'stream',
      'packet',
      'classifier',
    ]);
    const result = await cli.stop();
    t.equal(result.code, 0);
    t.notMatch(result.stderr, /is not attached/);
    t.same(await leftObjects(tag), []);
  },
);

t.test('tc by a clsact qdisc, as before tcx', async (t) => {
  const cli = new Cli([
    ...['load', network, ...interfaces, '--prog', `${tag}_tc`, '--prog', `${tag}_action`],
    ...['--target', 'ingress', '--via', 'netlink', '--event', 'events=event', '--json'],
  ]);
  const attached = await cli.until(({ lines }) => attachedIn(lines).length === 2 && attachedIn(lines));
  t.match(attached, [
    { program: `${tag}_tc`, kind: 'tc', target: `${receiver.name} (ingress)`, via: 'netlink', link_id: null },
    { program: `${tag}_action`, kind: 'tc', via: 'netlink' },
  ]);
  world.sendFrame();
  await told(cli, ['tc', 'action']);
  const { code, stderr } = await cli.stop();
  t.equal(code, 0);
  t.match(
    stderr,
    `note: ${receiver.name} (ingress) is attached by netlink: should this process be killed, it stays attached until "ts-xdp unload prog ${String(attached[0]?.['program_id'])}"`,
  );
  t.same(await leftObjects(tag), []);
});

t.test(
  'events, tracepoints and probes of files',
  { skip: isKernelBefore('6.6') && 'needs Linux 6.6' },
  async (t) => {
    const cli = new Cli([
      ...['load', tracing, '--event', 'events=event', '--json'],
      ...targetsOf({
        clock: 'cpu-clock/freq=200/',
        trace: 'sched/sched_process_exec',
        raw: 'sched_process_fork',
        probe: `${world.traced}:traced_add`,
        on_return: `${world.traced}:traced_add`,
        several: `${world.traced}:traced_*`,
        usdt: `${world.traced}:traced:round`,
      }),
    ]);
    await cli.until(({ lines }) => attachedIn(lines).some(({ program }) => program === `${tag}_usdt`));
    const clocks = attachedIn(cli.lines).filter(({ program }) => program === `${tag}_clock`);
    t.match(clocks[0], { kind: 'perf_event', target: 'cpu-clock on CPU 0' });
    world.runTraced();
    await told(cli, ['clock', 'trace', 'raw', 'probe', 'on_return', 'several', 'usdt']);
    t.equal((await cli.stop()).code, 0);
    t.same(await leftObjects(tag), []);
  },
);

t.test('perf events count what perf(1) calls so, of one process too', async (t) => {
  const load = ['load', tracing, '--prog', `${tag}_clock`, '--duration', '50ms', '--json'];
  for (const [target, name] of [
    ['faults/period=1/', 'page-faults'],
    ['cs', 'context-switches'],
  ] as const) {
    const { code, lines } = await runHosted([...load, '--target', target, '--pid', String(process.pid)]);
    t.equal(code, 0);
    t.match(attachedIn(lines), [{ target: `${name} of process ${String(process.pid)}` }]);
  }
  const { code, lines } = await runHosted([...load, '--target', 'cpu-clokc']);
  t.equal(code, 2);
  t.equal(
    lines[0]?.error?.message,
    `load needs a target for ${tag}_clock, as its section perf_event takes an event, which cpu-clokc is not: --target cpu-clock|cycles|page-faults|…[/freq=HERTZ/|/period=EVENTS/]`,
  );
});

const alone: readonly [program: string, target: string, kind: string, fire: () => unknown][] = [
  ['btf', 'sched_process_exec', 'tp_btf', () => world.runTraced()],
  ['function', 'vfs_read', 'fentry', () => world.runTraced()],
  ['kprobe', 'vfs_read', 'kprobe', () => world.runTraced()],
  ['multi', 'vfs_read', 'kprobe_multi', () => world.runTraced()],
  ['call', 'openat', 'ksyscall', () => world.runTraced()],
];
for (const [program, target, kind, fire] of alone) {
  t.test(`${kind} by --target`, async (t) => {
    const args = ['load', single, '--prog', `${tag}_${program}`, '--target', target];
    const cli = new Cli([...args, '--event', 'events=event', '--json']);
    const line = await cli.until(({ lines }) => lines[0]);
    if (line.error) {
      await cli.ended;
      const missing = whyNotHere(line.error, { mayForbid: true });
      if (missing === undefined) t.fail(line.error.message);
      else skipWhole(t, missing);
      return;
    }
    t.match(line, { type: 'attached', program: `${tag}_${program}` });
    fire();
    await told(cli, [program]);
    t.equal((await cli.stop()).code, 0);
    t.same(await leftObjects(tag), []);
  });
}

t.test('iterators over a map, and over what is named', async (t) => {
  for (const [program, target, line] of [
    ['walk', 'elements', undefined],
    ['tasks', 'task', 'task'],
  ] as const) {
    const directory = `${world.bpffs.path}/${program}`;
    const args = ['load', single, '--prog', `${tag}_${program}`, '--target', target, '--pin', directory];
    const { code, stderr, lines } = await runHosted([...args, '--detach', '--json']);
    if (lines[0]?.error && whyNotHere(lines[0].error, { mayForbid: true }) !== undefined) {
      t.comment(`skipped: ${lines[0].error.message}`);
      continue;
    }
    t.equal(code, 0, stderr);
    const [link = ''] = readdirSync(`${directory}/links`);
    const text = readFileSync(`${directory}/links/${link}`, 'utf8');
    t.equal(text.split('\n')[0], line ?? '', 'what the iterator wrote');
    t.equal((await runHosted(['unload', directory])).code, 0);
  }
  t.same(await leftObjects(tag), []);
});

t.test('a function of a loaded program is replaced', async (t) => {
  using host = Collection.load(ObjectFile.open(compile('REPLACEABLE')), { programs: [`${tag}_host`] });
  const program = host.program(`${tag}_host`);
  const run = (): number => program.testRun({ data: new Uint8Array(64) }).returnValue;
  t.equal(run(), 1);
  const id = String(program.id);
  for (const [name, target] of [
    ['replace', id],
    ['anything', `${id}:replaceable`],
  ] as const) {
    const cli = new Cli(['load', single, '--prog', `${tag}_${name}`, '--target', target, '--json']);
    const line = await cli.until(({ lines }) => lines[0]);
    if (line.error) {
      await cli.ended;
      const missing = whyNotHere(line.error, { mayForbid: true });
      if (missing === undefined) t.fail(line.error.message);
      else t.comment(`skipped: ${missing}`);
      continue;
    }
    t.match(line, { type: 'attached', kind: 'freplace' });
    t.equal(run(), 7);
    t.equal((await cli.stop()).code, 0);
    t.equal(run(), 1);
  }
  const { code, lines } = await runHosted(['load', single, '--prog', `${tag}_replace`, '--json']);
  t.equal(code, 2);
  t.equal(
    lines[0]?.error?.message,
    `load needs a target for ${tag}_replace, as its section freplace/replaceable leaves open the loaded program whose function it replaces: --target PROGRAM`,
  );
});

t.test('what no command line can reach says so by name', async (t) => {
  const cases: [program: string, why: string][] = [
    [
      'socket',
      'it filters what a socket receives, and only the process that has the socket can attach it (attachSocketFilter() of the library)',
    ],
    [
      'port',
      'it chooses among the sockets of a port, and only a process that has one can attach it (attachReuseport() of the library)',
    ],
  ];
  for (const [program, why] of cases) {
    const { code, lines } = await runHosted(['load', single, '--prog', `${tag}_${program}`, '--json']);
    t.equal(code, 1);
    t.match(lines[0]?.error, { code: 'PROGRAM_NONE', message: `Cannot attach ${tag}_${program}: ${why}` });
  }
});

t.test('an infrared receiver is its device', async (t) => {
  const args = ['load', single, '--prog', `${tag}_infrared`, '--json'];
  const { code, lines } = await runHosted([...args, '--target', '/dev/nolirc']);
  const [error] = lines;
  t.equal(code, error?.error?.code === 'FILE_NOT_FOUND' ? 1 : code);
  const missing = error?.error && whyNotHere(error.error, { mayForbid: true });
  if (missing === undefined) {
    t.match(error?.error, {
      code: 'FILE_NOT_FOUND',
      message: `Cannot attach ${tag}_infrared to /dev/nolirc: ENOENT`,
    });
  } else t.comment(`skipped: ${missing}`);
});

t.test('without --target the rest is attached, and what is left out is told', async (t) => {
  const args = ['load', network, '--cgroup', world.cgroup, '--netns', world.netnsName, '--duration', '50ms'];
  const { code, lines, stderr } = await runHosted([...args, '--json']);
  t.equal(code, 0, stderr);
  t.same(
    attachedIn(lines).map(({ program }) => program),
    [`${tag}_lookup`, `${tag}_dissect`, `${tag}_connected`],
  );
  const left = lines.filter(({ type }) => type === 'not_attached');
  t.same(
    left.map(({ program }) => String(program).slice(tag.length + 1)),
    ['tc', 'classifier', 'action', 'hook', 'message', 'stream', 'packet'],
  );
  t.same(left[0], {
    type: 'not_attached',
    program: `${tag}_tc`,
    section: 'tc',
    reason: 'its section tc leaves open a direction',
    option: '--target ingress|egress with --iface NAME',
  });
  for (const { program, option } of left) {
    const form = forms[String(program).slice(tag.length + 1)];
    if (form !== undefined) t.match(option, `--target ${form}`);
  }
  t.notMatch(stderr, /is not attached/, 'who names a place asks for what belongs there');
  const note = `note: ${tag}_message is not attached: its section sk_msg leaves open a sockmap or sockhash of the object; attach it by --target sockets\n`;
  t.match((await runHosted([...args, '--verbose'])).stderr, note);
  const unfit = await runHosted([...args, '--target', `${tag}_message=nowhere`]);
  t.match(
    unfit.stderr,
    `note: ${tag}_message is not attached: its section sk_msg takes a sockmap or sockhash of the object, which nowhere is not; attach it by --target sockets\n`,
  );
  t.same(await leftObjects(tag), []);
});

t.test('several of a name, and what does not fit', async (t) => {
  const cases: [args: string[], message: string][] = [
    [
      ['--prog', `${tag}_tc`],
      `load needs a target for ${tag}_tc, as its section tc leaves open a direction: --target ingress|egress with --iface NAME`,
    ],
    [
      ['--prog', `${tag}_tc`, '--target', 'ingress'],
      'load needs an interface: --iface NAME, or a --config that names one',
    ],
    [['--prog', `${tag}_connected`], `load needs a cgroup for ${tag}_connected: --cgroup PATH`],
    [[], `load needs a cgroup for ${tag}_connected: --cgroup PATH`],
    [
      ['--target', 'ingress', '--target', 'egress'],
      '--target ingress and egress are both for all programs: write PROGRAM=TARGET',
    ],
    [
      [...targetsOf({ tc: 'ingress' }), ...targetsOf({ tc: 'egress' })],
      `--target is given twice for ${tag}_tc`,
    ],
    [
      ['--prog', `${tag}_message`, '--target', 'elements'],
      `load needs a target for ${tag}_message, as its section sk_msg takes a sockmap or sockhash of the object, which elements is not: --target sockets`,
    ],
  ];
  for (const [args, message] of cases) {
    const { code, lines } = await runHosted(['load', network, ...args, '--json']);
    t.equal(code, 2, message);
    t.match(lines[0]?.error, { code: 'USAGE', message });
  }
  t.same(await leftObjects(tag), []);
});
