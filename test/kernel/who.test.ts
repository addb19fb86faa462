/** Who holds a program, map or link: holders that bpftool, tc, ip, Python and other processes make. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, rmdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import {
  attachCgroup,
  attachTcx,
  attachTracepoint,
  attachXdp,
  BpfMap,
  BpfProgram,
  holdersOf,
} from '../../src/index.ts';
import { Output } from '../../src/cli/output/output.ts';
import { runWho } from '../../src/cli/who/run.ts';
import { notRoot, runCli, type JsonLine } from '../helpers/cli.ts';
import { runHosted } from '../helpers/command-host.ts';
import { makeCgroup } from '../helpers/control-group.ts';
import { bpftool, HolderWorld, idOfPin, mapPinOf, pinOf } from '../helpers/holder-world.ts';
import { ip } from '../helpers/kernel-objects.ts';
import { noClang } from '../helpers/object-source.ts';
import { openDescriptors } from '../helpers/open-descriptors.ts';
import { needTracefs } from '../helpers/tracefs.ts';
import { until } from '../helpers/until.ts';
import { withVethPair } from '../helpers/veth.ts';

const skip = notRoot || noClang;
const world = skip === false ? new HolderWorld() : (undefined as unknown as HolderWorld);
t.teardown(() => {
  if (skip === false) world.close();
});

type Document = JsonLine & { readonly holders: Record<string, unknown>[]; readonly unseen: string[] };

class Captured extends Output {
  document: unknown;
  text = '';

  override result(document: unknown, text: string): void {
    this.document = document;
    this.text = `${text}\n`;
  }
}

// Every output listens for the end of standard output, and here are many.
process.stdout.setMaxListeners(0);

async function capture(kind: string, selector: string): Promise<Captured> {
  const output = new Captured({ json: true });
  await runWho({ kind, selector }, output);
  return output;
}

/** What `ts-xdp who --json` prints, in this process, which starts faster. */
async function who(kind: string, selector: string): Promise<Document> {
  return (await capture(kind, selector)).document as Document;
}

async function text(kind: string, selector: string): Promise<string> {
  return (await capture(kind, selector)).text;
}

/** A process that opens a pin and waits: bash cannot, and a descriptor of ours would not be another process's. */
async function holdDescriptor(pin: string): Promise<ChildProcess> {
  // bpf(BPF_OBJ_GET) is 7; the descriptor is written when it is there.
  const number = process.arch === 'arm64' ? 280 : 321;
  const script = `
import ctypes, struct, sys, time
path = ctypes.create_string_buffer(sys.argv[1].encode())
attr = ctypes.create_string_buffer(struct.pack('QII', ctypes.addressof(path), 0, 0))
print(ctypes.CDLL(None).syscall(${String(number)}, 7, attr, 16), flush=True)
time.sleep(600)`;
  const child = spawn('python3', ['-c', script, pin], { stdio: ['ignore', 'pipe', 'inherit'] });
  const fd = await new Promise<string>((resolve) =>
    child.stdout.once('data', (bytes) => {
      resolve(String(bytes));
    }),
  );
  if (!(Number(fd) > 2)) throw new Error(`the pin was not opened: ${fd}`);
  return child;
}

t.test('pins, a process and a slot of a program array', { skip }, async (t) => {
  const loaded = world.load();
  const pin = pinOf(loaded, 'called');
  const id = idOfPin('prog', pin);
  const jumps = idOfPin('map', mapPinOf(loaded, 'jumps'));
  const second = join(loaded.directory, 'second');
  bpftool('prog', 'pin', 'id', String(id), second);
  const child = await holdDescriptor(pin);
  const process = { kind: 'process', pid: child.pid, command: 'python3', fd: 3 };
  const slot = {
    kind: 'map',
    map_id: jumps,
    name: `${world.tag}_jumps`,
    type: 'prog_array',
    key: 5,
  };
  const found = await who('prog', String(id));
  t.match(found, { id, kind: 'prog', name: `${world.tag}_called`, unseen: [] });
  t.same(
    found.holders.sort((one, other) => JSON.stringify(one).localeCompare(JSON.stringify(other))),
    [{ kind: 'pin', path: second }, { kind: 'pin', path: pin }, slot, process].sort((one, other) =>
      JSON.stringify(one).localeCompare(JSON.stringify(other)),
    ),
  );
  t.same((await who('prog', pin)).id, id, 'by its pin');
  t.same((await who('prog', `${world.tag}_called`)).id, id, 'by its name');
  const worded = await runHosted(['who', 'prog', 'pinned', pin, '--json']);
  t.same((JSON.parse(worded.stdout) as { id: number }).id, id, 'as bpftool spells it');
  t.equal(
    await text('prog', String(id)),
    `program ${String(id)} ${world.tag}_called is held by
  process ${String(child.pid)} (python3): stays until the process ends or closes descriptor 3
  pin ${pin}: stays until the pin ${pin} is removed
  pin ${second}: stays until the pin ${second} is removed
  map ${String(jumps)} ${world.tag}_jumps (prog_array, key 5): stays until the entry is deleted, or the map is gone
`,
  );
  child.kill();
  rmSync(loaded.programs, { recursive: true });
  unlinkSync(second);
  await until(() => !existsSync(`/proc/${String(child.pid)}`));
  t.same((await who('prog', String(id))).holders, [slot], 'the array alone holds it now');
  rmSync(loaded.maps, { recursive: true });
  await until(() => gone('program', id));
});

t.test(
  'a map: the program that uses it, a map of maps, a process; a link of an entry for a device',
  { skip },
  async (t) => {
    const loaded = world.load();
    const pin = mapPinOf(loaded, 'inner');
    const child = await holdDescriptor(pin);
    const found = await who('map', pin);
    const program = idOfPin('prog', pinOf(loaded, 'pass'));
    t.same(found.holders, [
      { kind: 'process', pid: child.pid, command: 'python3', fd: 3 },
      { kind: 'pin', path: pin },
      {
        kind: 'map',
        map_id: idOfPin('map', mapPinOf(loaded, 'outer')),
        name: `${world.tag}_outer`,
        type: 'hash_of_maps',
        key: 0,
      },
      { kind: 'program', program_id: program, name: `${world.tag}_pass`, type: 'xdp' },
    ]);
    t.same(found.unseen, ['memory mappings of processes that closed the descriptor']);
    child.kill();

    const device = pinOf(loaded, 'device');
    const [devices, id] = [mapPinOf(loaded, 'devices'), idOfPin('prog', device)];
    // The kernel wants the descriptor in the second half of the value; bpftool knows no descriptors.
    const fd = BpfProgram.fromPin(device);
    const value = Buffer.alloc(8);
    value.writeUInt32LE(1, 0);
    value.writeUInt32LE(fd.fd.value, 4);
    const map = BpfMap.fromPin(devices);
    map.setBytes(Buffer.from([2, 0, 0, 0]), value);
    map.close();
    fd.close();
    t.match((await who('prog', String(id))).holders, [
      { kind: 'pin', path: device },
      { kind: 'map', map_id: idOfPin('map', devices), type: 'devmap', key: 2 },
    ]);
    rmSync(loaded.directory, { recursive: true });
  },
);

t.test('XDP by ip and a filter by tc in another network namespace', { skip }, (t) =>
  withVethPair(async (pair) => {
    const netns = String(pair.namespaceName);
    const { name, index } = pair.receiver;
    const loaded = world.load();
    const [xdp, filter] = [pinOf(loaded, 'called'), pinOf(loaded, 'classifier')];
    ip(`link set dev ${name} xdpgeneric pinned ${xdp}`, netns);
    const found = await who('prog', xdp);
    t.match(
      found.holders.find(({ kind }) => kind === 'xdp'),
      {
        kind: 'xdp',
        interface: name,
        ifindex: index,
        netns,
        netns_inode: pair.netns.inode,
        mode: 'generic',
        link_id: null,
      },
    );
    tc(netns, 'qdisc', 'add', 'dev', name, 'clsact');
    tc(
      netns,
      'filter',
      'add',
      'dev',
      name,
      'egress',
      'prio',
      '7',
      'handle',
      '9',
      'bpf',
      'da',
      'pinned',
      filter,
    );
    tc(netns, 'qdisc', 'add', 'dev', pair.sender.name, 'ingress');
    tc(
      netns,
      'filter',
      'add',
      'dev',
      pair.sender.name,
      'ingress',
      'protocol',
      'ip',
      'bpf',
      'da',
      'pinned',
      filter,
    );
    const { holders } = await who('prog', filter);
    t.match(
      holders.filter(({ kind }) => kind === 'tc'),
      [
        { interface: pair.sender.name, netns, qdisc: 'ingress', direction: 'ingress', handle: 1 },
        { interface: name, netns, qdisc: 'clsact', direction: 'egress', priority: 7, handle: 9, chain: 0 },
      ].sort(
        (one, other) =>
          (one.interface === name ? index : pair.sender.index) -
          (other.interface === name ? index : pair.sender.index),
      ),
    );
    t.match(
      await text('prog', filter),
      `  tc filter on ${name} in network namespace ${netns} (clsact ffff:fff3, egress, priority 7, handle 9): stays until the filter is deleted, or its qdisc or interface is gone\n`,
    );
    rmSync(loaded.directory, { recursive: true });
    t.match((await who('prog', String(found.id))).holders, [{ kind: 'xdp', netns }], 'without its pin');
  }),
);

t.test('links: of this process and pinned, with what holds them', { skip }, (t) =>
  withVethPair(async (pair) => {
    const loaded = world.load();
    const program = BpfProgram.fromPin(pinOf(loaded, 'called'));
    const { id } = program;
    const link = attachXdp(program, { interface: pair.receiver.name, netns: pair.netns, modes: ['generic'] });
    const pin = join(loaded.directory, 'link');
    link.pin(pin);
    program.close();
    const linkId = idOfPin('link', pin);
    t.equal(link.id, linkId);
    const holders = [
      { kind: 'process', pid: process.pid, command: commandName() },
      { kind: 'pin', path: pin },
    ];
    const found = await who('prog', String(id));
    t.match(
      found.holders.find(({ kind }) => kind === 'link'),
      {
        link_id: linkId,
        type: 'xdp',
        prog_id: id,
        ifindex: pair.receiver.index,
        role: 'attached',
        holders,
      },
    );
    t.match(
      found.holders.find(({ kind }) => kind === 'xdp'),
      { interface: pair.receiver.name, link_id: linkId },
    );
    t.match((await who('link', pin)).holders, holders);
    link.leave();
    t.match((await who('link', String(linkId))).holders, [{ kind: 'pin', path: pin }]);
    t.match(
      await text('link', String(linkId)),
      `link ${String(linkId)} is held by\n  pin ${pin}: stays until the pin ${pin} is removed\n`,
    );
    rmSync(loaded.directory, { recursive: true });
    await until(() => gone('program', id));
  }),
);

t.test('tcx, a cgroup by bpftool and by link, a tracepoint', { skip }, (t) =>
  withVethPair(async (pair) => {
    const loaded = world.load();
    const pin = pinOf(loaded, 'ingress_of_a_cgroup');
    const cgroup = makeCgroup('who');
    mkdirSync(join(cgroup, 'below'));
    bpftool('cgroup', 'attach', join(cgroup, 'below'), 'ingress', 'pinned', pin, 'multi');
    const name = `${world.tag}_ingress_of_a_cgroup`;
    const held = await who('prog', pin);
    t.equal(held['name'], name, 'the whole name, which the kernel cuts');
    t.same(held.holders, [
      { kind: 'pin', path: pin },
      { kind: 'cgroup', path: join(cgroup, 'below'), attach_type: 'cgroup_inet_ingress', link_id: null },
    ]);
    const program = BpfProgram.fromPin(pin);
    const link = attachCgroup(program, { cgroup, attachType: 'cgroup_inet_ingress' });
    t.match(holdersOf({ kind: 'program', id: program.id }).holders, [
      { kind: 'process', pid: process.pid, fd: program.fd.value },
      { kind: 'pin' },
      { kind: 'link', linkId: link.id, holders: [{ kind: 'process', pid: process.pid }] },
      { kind: 'cgroup', path: cgroup, linkId: link.id },
      { kind: 'cgroup', path: join(cgroup, 'below'), linkId: undefined },
    ]);
    link.close();
    program.close();
    rmdirSync(join(cgroup, 'below'));
    rmdirSync(cgroup);

    const classifier = BpfProgram.fromPin(pinOf(loaded, 'classifier'));
    const tcx = attachTcx(classifier, {
      interface: pair.receiver.name,
      netns: pair.netns,
      direction: 'ingress',
    });
    t.match((await who('prog', String(classifier.id))).holders[2], {
      kind: 'link',
      link_id: tcx.id,
      type: 'tcx',
      attach_type: 'tcx_ingress',
      ifindex: pair.receiver.index,
      interface: pair.receiver.name,
      netns: pair.namespaceName,
      netns_inode: pair.netns.inode,
    });
    t.match(
      await text('prog', String(classifier.id)),
      `  link ${String(tcx.id)} (tcx_ingress on ${pair.receiver.name} in network namespace ${String(pair.namespaceName)}): `,
    );
    tcx.close();
    classifier.close();

    needTracefs();
    const switches = BpfProgram.fromPin(pinOf(loaded, 'switch'));
    const traced = attachTracepoint(switches, { tracepoint: 'sched/sched_switch' });
    const { holders } = await who('prog', String(switches.id));
    t.match(
      holders.find(({ kind }) => kind === 'link'),
      { type: 'perf_event', event: 'tracepoint', tracepoint: 'sched_switch' },
    );
    traced.close();
    switches.close();
    rmSync(loaded.directory, { recursive: true });
  }),
);

t.test('a pin in a bpf file system that only another mount namespace has', { skip }, async (t) => {
  const loaded = world.load();
  const id = idOfPin('prog', pinOf(loaded, 'called'));
  const script = `mount -t bpf bpf /mnt && bpftool prog pin id ${String(id)} /mnt/elsewhere && echo && exec sleep 600`;
  const child = spawn('unshare', ['-m', 'bash', '-c', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise((resolve) => child.stdout.once('data', resolve));
  rmSync(loaded.directory, { recursive: true });
  const { holders } = await who('prog', String(id));
  t.match(holders, [{ kind: 'pin', path: `/proc/${String(child.pid)}/root/mnt/elsewhere` }]);
  child.kill();
  await until(() => gone('program', id));
});

t.test('what the kernel does not tell is said', { skip }, async (t) => {
  const loaded = world.load();
  const { unseen } = await who('prog', pinOf(loaded, 'socket'));
  t.same(unseen, ['sockets that filter with it (SO_ATTACH_BPF), and packet fanouts']);
  t.match(
    await text('prog', pinOf(loaded, 'socket')),
    '\n  not told: sockets that filter with it (SO_ATTACH_BPF), and packet fanouts\n',
  );
  rmSync(loaded.directory, { recursive: true });
});

t.test('what cannot be looked up', { skip }, async (t) => {
  await t.rejects(runWho({ kind: 'prog', selector: '4000000000' }, new Captured({ json: true })), {
    code: 'PROGRAM_NOT_FOUND',
    message: 'Cannot find program 4000000000: the kernel has none of that id',
  });
  await t.rejects(runWho({ kind: 'map', selector: 'nosuchmap' }, new Captured({ json: true })), {
    code: 'MAP_NOT_FOUND',
    message: 'Cannot find map nosuchmap: the kernel has none of that id or name',
  });
  const cases = [
    [['link', '4000000000'], 1, 'error: Cannot find link 4000000000: the kernel has none of that id\n'],
    [['link', 'name'], 2, 'error: name is no link: give its id or the path of a pin\n'],
    [
      ['prog', 'id', '4000000000'],
      1,
      'error: Cannot find program id 4000000000: the kernel has none of that id\n',
    ],
    [['prog', 'id', 'x'], 2, 'error: x is no id: a whole number from 1 to 4294967295 is wanted\n'],
    [['prog', '1', '2'], 2, 'error: who prog takes no 2 there\n'],
    [['map', 'tag', '7'], 1, 'error: Cannot find map tag 7: maps have no tags\n'],
    [['cat', '7'], 2, 'error: cat is none of prog, map and link\n'],
  ] as const;
  for (const [args, exitCode, message] of cases) {
    const { code, stdout, stderr } = await runHosted(['who', ...args]);
    t.same({ code, stdout, stderr }, { code: exitCode, stdout: '', stderr: message });
  }
  const prefix = ['setpriv', '--inh-caps=-sys_admin', '--bounding-set=-sys_admin'];
  const perf = await runCli(['perf', 'show'], { prefix });
  t.same(
    [perf.code, perf.stdout, perf.stderr],
    [
      3,
      '',
      'error: Cannot list the events that programs are attached to: CAP_SYS_ADMIN is missing\nhint: Run it as root, or give the process CAP_SYS_ADMIN.\n',
    ],
  );
  const { code, stderr } = await runCli(['who', 'prog', '1'], { prefix });
  t.same(
    [code, stderr],
    [
      3,
      'error: Cannot open program 1: CAP_SYS_ADMIN is missing\nhint: Run it as root, or give the process CAP_SYS_ADMIN.\n',
    ],
  );
});

t.test('looking leaves nothing open', { skip }, (t) => {
  const loaded = world.load();
  const id = idOfPin('prog', pinOf(loaded, 'classifier'));
  const before = openDescriptors();
  holdersOf({ kind: 'program', id });
  t.same(openDescriptors(), before);
  rmSync(loaded.directory, { recursive: true });
  t.end();
});

function tc(netns: string, ...args: readonly string[]): void {
  execFileSync('tc', ['-n', netns, ...args]);
}

function gone(kind: 'program', id: number): boolean {
  try {
    holdersOf({ kind, id });
    return false;
  } catch (error) {
    if ((error as { code?: string }).code === 'PROGRAM_NOT_FOUND') return true;
    throw error;
  }
}

/** Node 24 calls its main thread MainThread, those before leave it the name of the program. */
function commandName(): string {
  return readFileSync('/proc/self/comm', 'utf8').trimEnd();
}
