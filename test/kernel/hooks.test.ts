/** Hooks whose effect is somewhere else: sockets and devices behind maps, functions of other programs and of the kernel. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { openSync, closeSync, rmdirSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Socket as TcpSocket } from 'node:net';
import t from 'tap';
import type { Test } from 'tap';
import {
  attachCgroup,
  attachFreplace,
  attachKprobeMulti,
  attachNetkit,
  attachSockmap,
  attachTracing,
  attachUprobe,
  attachUprobeMulti,
  attachXdp,
  Collection,
  CpuMap,
  DeviceMap,
  holdersOf,
  ObjectFile,
  UnsupportedFeatureError,
  type BpfProgram,
} from '../../src/index.ts';
import { interfaceByName } from '../../src/netlink/index.ts';
import { PacketSocket } from '../../src/sys/index.ts';
import { EtherType, Protocol, ethernet, ipv4, pattern, udp } from '../fixtures/frames.ts';
import { notRoot } from '../helpers/cli.ts';
import { Compiler, whyNotCompile } from '../helpers/compile.ts';
import { makeCgroup } from '../helpers/control-group.ts';
import { addNetkitPair } from '../helpers/netkit.ts';
import { endAttachTest, whyNotHere } from '../helpers/lacking.ts';
import { openDescriptors } from '../helpers/open-descriptors.ts';
import { needTracefs } from '../helpers/tracefs.ts';
import { until } from '../helpers/until.ts';
import { VethPair } from '../helpers/veth.ts';

const skip = notRoot || whyNotCompile();
if (skip !== false) {
  t.plan(0, skip);
  process.exit(0);
}

const compiler = new Compiler();
const path = compiler.fixture('hooks');
t.teardown(() => {
  compiler.close();
});
const frame = ethernet(
  EtherType.Ipv4,
  ipv4({ protocol: Protocol.Udp }, udp({ sourcePort: 1, destinationPort: 2 }, pattern(8))),
);

interface Scene {
  readonly t: Test;
  readonly collection: Collection;
  readonly program: (name: string) => BpfProgram;
  readonly hits: (name: string) => number;
}

/** A test with some programs of the object loaded. `optional` ones are skipped, with the reason, where the kernel refuses. */
function hook(
  name: string,
  facts: { programs: readonly string[]; optional?: boolean },
  action: (scene: Scene) => void | Promise<void>,
): void {
  t.test(name, async (t) => {
    const before = openDescriptors();
    let collection: Collection | undefined;
    let missing: string | undefined;
    try {
      collection = Collection.load(ObjectFile.open(path), { programs: facts.programs });
      const loaded = collection;
      loaded.variable('only_pid').set(process.pid);
      await action({
        t,
        collection: loaded,
        program: (program) => loaded.program(program),
        hits: (counter) => Number(loaded.variable(`${counter}_hits`).get()),
      });
    } catch (error) {
      missing = whyNotHere(error, { mayForbid: facts.optional === true });
      if (missing === undefined) throw error;
    } finally {
      collection?.close();
    }
    endAttachTest(t, { before, missing });
  });
}

interface TcpPair {
  readonly client: TcpSocket;
  readonly server: TcpSocket;
  close(): Promise<void>;
}

async function openTcpPair(): Promise<TcpPair> {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const client = connect((listener.address() as AddressInfo).port, '127.0.0.1');
  const [[server]] = (await Promise.all([once(listener, 'connection'), once(client, 'connect')])) as [
    [TcpSocket],
    unknown,
  ];
  const close = async (): Promise<void> => {
    const ends = [client, server].map((socket) => once(socket, 'close'));
    client.destroy();
    server.destroy();
    await Promise.all([...ends, new Promise((done) => listener.close(done))]);
  };
  return { client, server, close };
}

function descriptorOf(socket: TcpSocket): number {
  return (socket as unknown as { _handle: { fd: number } })._handle.fd;
}

/** What arrives next, at whichever of them. */
async function arrival(sockets: Record<string, TcpSocket>): Promise<string> {
  return Promise.race(
    Object.entries(sockets).map(
      async ([name, socket]) => `${name}: ${String((await once(socket, 'data'))[0])}`,
    ),
  );
}

/** Two connections: what the program redirects comes out at the second instead of the first. */
async function withTwoPairs(action: (first: TcpPair, second: TcpPair) => Promise<void>): Promise<void> {
  const first = await openTcpPair();
  const second = await openTcpPair();
  try {
    await action(first, second);
  } finally {
    await Promise.all([first.close(), second.close()]);
  }
}

// What Node opens once for all connections is no leak.
t.before(async () => {
  await (await openTcpPair()).close();
});

for (const [name, mapName] of [
  ['message', 'sockets'],
  ['message_by_hash', 'hashed_sockets'],
] as const) {
  hook(
    `sk_msg: what is sent to one connection arrives at another, by ${mapName}`,
    { programs: [`on_${name}`] },
    (scene) =>
      withTwoPairs(async (first, second) => {
        const { t, collection, program, hits } = scene;
        const map = collection.map(mapName);
        const key = (index: number): number | bigint => (mapName === 'sockets' ? index : BigInt(index));
        const ends = { server: first.server, elsewhere: second.client };
        const link = attachSockmap(program(`on_${name}`), { map, via: 'prog_attach' });
        map.set(key(0), descriptorOf(first.client));
        map.set(key(1), descriptorOf(second.client));
        first.client.write('redirected');
        t.equal(await arrival(ends), 'elsewhere: redirected');
        t.equal(hits(name), 1);
        link.close();
        // A socket keeps the programs that its map had when it was added.
        map.delete(key(0));
        map.set(key(0), descriptorOf(first.client));
        first.client.write('straight');
        t.equal(await arrival(ends), 'server: straight');
        t.equal(hits(name), 1, 'detached it does not run');
        map.delete(key(0));
        map.delete(key(1));
      }),
  );
}

hook('sk_skb: what arrives at one connection is sent on to another', { programs: ['on_verdict'] }, (scene) =>
  withTwoPairs(async (first, second) => {
    const { t, collection, program, hits } = scene;
    const map = collection.map('sockets');
    const ends = { server: first.server, elsewhere: second.client };
    const link = attachSockmap(program('on_verdict'), { map, via: 'prog_attach' });
    map.set(0, descriptorOf(first.server));
    map.set(1, descriptorOf(second.server));
    first.client.write('redirected');
    t.equal(await arrival(ends), 'elsewhere: redirected');
    t.ok(hits('verdict') > 0);
    link.close();
    const after = hits('verdict');
    map.delete(0);
    first.client.write('straight');
    t.equal(await arrival(ends), 'server: straight');
    t.equal(hits('verdict'), after, 'detached it does not run');
    map.delete(1);
  }),
);

function sendFrame(pair: VethPair): void {
  using socket = pair.openPacketSocket();
  socket.send(frame);
}

hook(
  'a program of a cpumap runs where packets are redirected to',
  { programs: ['to_cpu', 'on_cpu'] },
  async (scene) => {
    const { t, collection, program, hits } = scene;
    using pair = VethPair.open();
    const map = new CpuMap(collection.map('cpus'));
    map.set(0, { target: 64, program: program('on_cpu') });
    t.same(map.get(0), { target: 64, programId: program('on_cpu').id });
    using link = attachXdp(program('to_cpu'), { interface: pair.receiver.index, netns: pair.netns });
    sendFrame(pair);
    await until(() => hits('cpu') === 1);
    map.delete(0);
    sendFrame(pair);
    link.close();
    t.equal(hits('cpu'), 1, 'taken out of the map it does not run');
  },
);

for (const [sender, mapName, key] of [
  ['to_device', 'devices', 0],
  ['to_hashed_device', 'devices_by_hash', 7],
] as const) {
  hook(
    `a program of ${mapName} runs when packets leave by the device`,
    { programs: [sender, 'on_device', 'on_arrived'] },
    async ({ t, collection, program, hits }) => {
      using first = VethPair.open();
      using second = VethPair.open({ namespace: 'current' });
      using here = VethPair.open({ namespace: 'current' });
      const map = new DeviceMap(collection.map(mapName));
      map.set(key, { target: second.sender.index, program: program('on_device') });
      t.same(map.get(key), { target: second.sender.index, programId: program('on_device').id });
      // veth takes redirected packets only where its peer polls, as it does with a program (veth_xdp_xmit()).
      using _end = attachXdp(program('on_arrived'), { interface: second.receiver.index });
      using link = attachXdp(program(sender), { interface: here.receiver.index });
      sendFrame(here);
      // The kernel sends frames of its own there.
      await until(() => hits('device') > 0 && hits('arrived') > 0);
      map.delete(key);
      const after = hits('device');
      sendFrame(here);
      link.close();
      t.equal(hits('device'), after, 'taken out of the map it does not run');
      t.ok(first.receiver.index > 0);
    },
  );
}

hook(
  'netkit: programs of the primary and of the peer run for what each sends',
  { programs: ['on_netkit_primary', 'on_netkit_peer'], optional: true },
  ({ t, program, hits }) => {
    using pair = VethPair.open();
    const { socket, netns } = pair;
    const names = ['txnk2', 'txnk3'] as const;
    if (!addNetkitPair(socket, names)) {
      throw new UnsupportedFeatureError('netkit devices', '6.7', 'Cannot make a netkit pair: there are none');
    }
    const [primary] = names;
    for (const [side, device] of [
      ['primary', names[0]],
      ['peer', names[1]],
    ] as const) {
      const send = (): void => {
        using packets = PacketSocket.open({ ifindex: interfaceByName(socket, device).index, netns });
        packets.send(frame.subarray(14));
      };
      const counter = `netkit_${side}`;
      const link = attachNetkit(program(`on_${counter}`), { interface: primary, netns });
      const before = hits(counter);
      send();
      t.equal(hits(counter), before + 1, side);
      link.close();
      send();
      t.equal(hits(counter), before + 1, 'detached it does not run');
    }
  },
);

hook(
  'freplace: a function of a program that runs gives what another program returns',
  { programs: ['asks'], optional: true },
  ({ t, program, hits, collection }) => {
    const data = new Uint8Array(64);
    const ask = (): number => program('asks').testRun({ data }).returnValue;
    const attachTo = new Map([['on_replacement', program('asks')]]);
    using other = Collection.load(ObjectFile.open(path), {
      programs: ['on_replacement'],
      attachTo,
      maps: new Map([['.bss', collection.map('.bss')]]),
    });
    t.equal(ask(), 1);
    const link = attachFreplace(other.program('on_replacement'));
    t.equal(ask(), 2);
    t.equal(hits('replacement'), 1);
    link.close();
    t.equal(ask(), 1);
    t.equal(hits('replacement'), 1);

    using clone = collection.cloneProgram('on_replacement', { attachTo: program('asks') });
    using cloned = attachFreplace(clone);
    t.equal(ask(), 2, cloned.kind);
    t.equal(hits('replacement'), 2);
  },
);

hook(
  'lsm_cgroup: for processes in the cgroup and no others',
  { programs: ['on_lsm_cgroup'], optional: true },
  ({ t, program, hits }) => {
    const cgroup = makeCgroup('hooks');
    try {
      const run = (script: string): void => {
        spawnSync('sh', ['-c', `${script}; exec ip link show lo > /dev/null`], {
          env: { PATH: process.env['PATH'] },
        });
      };
      const enter = `echo $$ > ${cgroup}/cgroup.procs`;
      const link = attachCgroup(program('on_lsm_cgroup'), { cgroup });
      run('true');
      t.equal(hits('lsm_cgroup'), 0);
      run(enter);
      const after = hits('lsm_cgroup');
      t.ok(after > 0);
      link.close();
      run(enter);
      t.equal(hits('lsm_cgroup'), after, 'detached it does not run');
    } finally {
      rmdirSync(cgroup);
    }
  },
);

hook(
  'fmod_ret: what a function of the kernel returns is replaced',
  { programs: ['on_modified'], optional: true },
  ({ t, program, hits }) => {
    const open = (): string => {
      try {
        closeSync(openSync('/proc/version', 'r'));
        return 'opened';
      } catch (error) {
        return (error as NodeJS.ErrnoException).code ?? '';
      }
    };
    t.equal(open(), 'opened');
    const link = attachTracing(program('on_modified'));
    const attached = open();
    link.close();
    const after = hits('modified');
    t.equal(attached, 'EPERM');
    t.ok(after > 0);
    t.equal(open(), 'opened');
    t.equal(hits('modified'), after);
  },
);

hook(
  'fsession: one program for entry and return',
  { programs: ['on_fsession'], optional: true },
  ({ t, program, hits }) => {
    const open = (): void => {
      closeSync(openSync('/proc/version', 'r'));
    };
    const link = attachTracing(program('on_fsession'));
    open();
    link.close();
    t.equal(hits('fsession'), 2, 'twice for each call');
    open();
    t.equal(hits('fsession'), 2, 'detached it does not run');
  },
);

t.test('a way to attach that the kernel does not know is told with the Linux that does', (t) => {
  const object = ObjectFile.open(path);
  try {
    Collection.load(object, { programs: ['on_fsession'] }).close();
    t.pass('it does');
  } catch (error) {
    t.match(error, {
      code: 'UNSUPPORTED_FEATURE',
      minKernel: '7.0',
      message:
        'Cannot load program on_fsession: this kernel has no tracing programs that attach as trace_fsession (since Linux 7.0)',
    });
  }
  t.end();
});

hook(
  'kprobe.session: one program for entry and return',
  { programs: ['on_kprobe_session'], optional: true },
  ({ t, program, hits }) => {
    const read = (): void => {
      spawnSync('true');
    };
    const link = attachKprobeMulti(program('on_kprobe_session'), { functions: ['vfs_read'] });
    read();
    const after = hits('kprobe_session');
    t.ok(after > 1);
    link.close();
    const detached = hits('kprobe_session');
    read();
    t.equal(hits('kprobe_session'), detached, 'detached it does not run');
  },
);

hook(
  'uprobe.session: one program for entry and return',
  { programs: ['on_uprobe_session'], optional: true },
  ({ t, program, hits }) => {
    const call = (): unknown => process.ppid;
    const options = { path: 'libc.so.6', functions: ['getppid'], pid: process.pid };
    const link = attachUprobeMulti(program('on_uprobe_session'), options);
    call();
    t.equal(hits('uprobe_session'), 2, 'twice for each call');
    link.close();
    call();
    t.equal(hits('uprobe_session'), 2, 'detached it does not run');
  },
);

hook(
  'a perf event without a link is told of as a holder',
  { programs: ['on_uprobe'] },
  ({ t, program, hits }) => {
    needTracefs();
    const held = { kind: 'program', id: program('on_uprobe').id } as const;
    const events = (): object[] => holdersOf(held).holders.filter(({ kind }) => kind === 'perf_event');
    const link = attachUprobe(program('on_uprobe'), {
      path: 'libc.so.6',
      function: 'getppid',
      via: 'tracefs',
      // Others call it too.
      pid: process.pid,
    });
    t.ok(process.ppid > 0);
    t.equal(hits('uprobe'), 1);
    t.match(events(), [{ kind: 'perf_event', pid: process.pid }]);
    link.close();
    t.ok(process.ppid > 0);
    t.equal(hits('uprobe'), 1, 'detached it does not run');
    t.same(events(), []);
  },
);
