/** What is particular to attachments to sockets and their protocols, and to devices: sockmaps, filters, reuseport, struct_ops, infrared. */
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { createServer, connect, type AddressInfo, type Socket as TcpSocket } from 'node:net';
import t from 'tap';
import type { Test } from 'tap';
import {
  attachLirc,
  attachReuseport,
  attachSocketFilter,
  attachSockmap,
  attachStructOps,
  BpfLink,
  Collection,
  liveLinks,
  ObjectFile,
  updateStructOps,
  type BpfMap,
} from '../../src/index.ts';
import { struct, be16, bytes, u16 } from '../../src/binary/index.ts';
import { Socket, socketConstants } from '../../src/sys/index.ts';
import { AttachWorld } from '../helpers/attach-world.ts';
import { bpftool, noBpftool } from '../helpers/bpftool.ts';
import { notRoot } from '../helpers/cli.ts';
import { isTooOld, skipWhole } from '../helpers/lacking.ts';
import { noClang } from '../helpers/object-source.ts';
import { openDescriptors } from '../helpers/open-descriptors.ts';
import { thrown } from '../helpers/thrown.ts';
import { until } from '../helpers/until.ts';

const skip = notRoot || noClang;
if (skip !== false) {
  t.plan(0, skip);
  process.exit(0);
}

const world = new AttachWorld();
const before = openDescriptors();
t.teardown(() => {
  world.close();
});

async function withTcpPair(
  action: (sockets: { client: TcpSocket; server: TcpSocket }) => Promise<void>,
): Promise<void> {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const client = connect((listener.address() as AddressInfo).port, '127.0.0.1');
  const [[server]] = (await Promise.all([once(listener, 'connection'), once(client, 'connect')])) as [
    [TcpSocket],
    unknown,
  ];
  try {
    await action({ client, server });
  } finally {
    client.destroy();
    server.destroy();
    listener.close();
  }
}

function descriptorOf(socket: TcpSocket): number {
  return (socket as unknown as { _handle: { fd: number } })._handle.fd;
}

t.test('sockmap programs see what is sent', (t) =>
  world.withPrograms(t, ['on_message', 'on_message_next'], (collection) =>
    withTcpPair(async ({ client, server }) => {
      const map = collection.map('sockets');
      const hits = (name: string): number => Number(collection.variable(`${name}_hits`).get());
      for (const via of ['link', 'prog_attach'] as const) {
        const before = hits('message');
        const link = attachSockmap(collection.program('on_message'), { map, via });
        // A socket takes the programs that its map has when it is added.
        map.set(0, descriptorOf(client));
        client.write('hello');
        t.equal(String((await once(server, 'data'))[0]), 'hello');
        t.ok(hits('message') > before, via);
        if (link instanceof BpfLink) {
          t.match(link.info(), { kind: 'sockmap', attachType: 'sk_msg_verdict', mapId: map.info().id });
          link.update(collection.program('on_message_next'));
          map.delete(0);
          map.set(0, descriptorOf(client));
          client.write('again');
          await once(server, 'data');
          t.ok(hits('message_next') > 0);
        }
        t.equal(link.attached, true);
        link.close();
        const after = hits('message');
        map.delete(0);
        map.set(0, descriptorOf(client));
        client.write('more');
        await once(server, 'data');
        t.equal(hits('message'), after, 'detached it does not run');
      }
    }),
  ),
);

const sockaddrIn = struct('sockaddr_in', { family: u16, port: be16, address: bytes(4), zero: bytes(8) });
const SO_REUSEPORT = 15;

t.test('programs of sockets', (t) =>
  world.withPrograms(t, ['on_socket', 'on_reuseport'], (collection) => {
    const { AF_INET, SOCK_DGRAM, SOL_SOCKET, MSG_DONTWAIT } = socketConstants;
    const socket = Socket.open({
      domain: AF_INET,
      type: SOCK_DGRAM,
      protocol: 0,
      description: 'datagram socket',
    });
    try {
      socket.setOption({ level: SOL_SOCKET, name: SO_REUSEPORT }, 1);
      socket.bind(
        sockaddrIn.encode({
          family: AF_INET,
          port: 0,
          address: Uint8Array.of(127, 0, 0, 1),
          zero: new Uint8Array(8),
        }),
      );
      const address = socket.getsockname();
      const send = (): void => {
        socket.sendTo(Uint8Array.of(1), address);
        socket.receive(new Uint8Array(8), MSG_DONTWAIT);
      };
      for (const [name, attach] of [
        ['socket', attachSocketFilter],
        ['reuseport', attachReuseport],
      ] as const) {
        const hits = (): number => Number(collection.variable(`${name}_hits`).get());
        const link = attach(collection.program(`on_${name}`), { socket: socket.fd.value });
        send();
        t.equal(hits(), 1, `${name} runs`);
        t.equal(link.via, 'socket');
        t.equal(link.attached, true);
        link.close();
        send();
        t.equal(hits(), 1, 'detached it does not');
      }
      t.match(
        thrown(() =>
          attachSocketFilter(collection.program('on_socket'), {
            socket: collection.map('elements').fd.value,
          }),
        ),
        { code: 'ATTACH_REFUSED', message: /: the descriptor is no socket$/ },
      );
    } finally {
      socket.close();
    }
    t.end();
  }),
);

const SOCK_STREAM = 1;
const IPPROTO_TCP = 6;
const TCP_CONGESTION = 13;

/** Connects with a congestion control of that name; the name of the errno where there is none. */
function connectWith(name: string, port: number): string | undefined {
  const { AF_INET } = socketConstants;
  const socket = Socket.open({
    domain: AF_INET,
    type: SOCK_STREAM,
    protocol: 0,
    description: 'stream socket',
  });
  try {
    socket.setOption({ level: IPPROTO_TCP, name: TCP_CONGESTION }, new TextEncoder().encode(name));
    const address = Uint8Array.of(127, 0, 0, 1);
    socket.connect(sockaddrIn.encode({ family: AF_INET, port, address, zero: new Uint8Array(8) }));
    return undefined;
  } catch (error) {
    return (error as { errnoName?: string }).errnoName;
  } finally {
    socket.close();
  }
}

/** An object with congestion controls, loaded, and a port that a server listens on. */
async function withStructOps(
  t: Test,
  defines: Readonly<Record<string, string>>,
  action: (scene: { collection: Collection; connectAs: (name: string) => string | undefined }) => unknown,
): Promise<void> {
  const object = world.folder.compile('link/struct-ops', { name: 'struct-ops', defines });
  const listener = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  let collection: Collection | undefined;
  try {
    collection = Collection.load(ObjectFile.open(object));
    await action({ collection, connectAs: (name) => connectWith(name, port) });
  } catch (error) {
    if (!isTooOld(error)) throw error;
    skipWhole(t, error.message);
  } finally {
    collection?.close();
    listener.close();
    await once(listener, 'close');
  }
}

t.test('struct_ops: by link, and in the place of another', (t) =>
  withStructOps(t, {}, async ({ collection, connectAs }) => {
    const map = (name: string): BpfMap => collection.map(name);
    const value = (name: string): { value: Uint8Array } => ({ value: collection.structOpsValue(name) });
    const hits = (name: string): unknown => collection.variable(`${name}_hits`).get();
    const path = `${world.bpffs.path}/struct_ops`;

    t.equal(connectAs('ts_xdp_linked'), 'ENOENT', 'not registered yet');
    const link = attachStructOps(map('linked'), value('linked')) as BpfLink;
    t.equal(connectAs('ts_xdp_linked'), undefined);
    t.equal(hits('init'), 1, 'it runs');
    t.match(link.info(), { kind: 'struct_ops', mapId: map('linked').info().id });
    t.match(
      thrown(() => attachStructOps(map('linked_next'), value('linked_next'))),
      {
        code: 'ALREADY_ATTACHED',
        message: 'Cannot attach struct_ops map linked_next: one of that name is registered already',
      },
    );
    updateStructOps(link, map('linked_next'));
    t.equal(connectAs('ts_xdp_linked'), undefined);
    t.same([hits('init'), hits('init_next')], [1, 1], 'the other struct has its place');
    link.pin(path);
    link.close();
    t.equal(connectAs('ts_xdp_linked'), undefined, 'the pin keeps it registered');
    const again = BpfLink.fromPin(path);
    again.unpin(path);
    t.match(again.info(), { kind: 'struct_ops', mapId: map('linked_next').info().id });
    again.close();
    await until(() => connectAs('ts_xdp_linked') === 'ENOENT');
    t.equal(connectAs('ts_xdp_linked'), 'ENOENT', 'detached it is not registered');
  }),
);

t.test('struct_ops: by registration', (t) =>
  withStructOps(t, { WITHOUT_LINKS: '1' }, ({ collection, connectAs }) => {
    const value = collection.structOpsValue('plain');
    const hits = (): unknown => collection.variable('init_hits').get();
    const plain = attachStructOps(collection.map('plain'), { value });
    t.equal(connectAs('ts_xdp_plain'), undefined);
    t.equal(hits(), 1);
    t.equal(plain.id, undefined);
    t.equal(plain.attached, true);
    t.match(
      thrown(() => {
        plain.pin(`${world.bpffs.path}/struct_ops`);
      }),
      { code: 'ARGUMENT_INVALID', hint: 'pin the map instead, or put it into the section .struct_ops.link' },
    );
    if (noBpftool === false) {
      bpftool('struct_ops', 'unregister', 'id', String(collection.map('plain').info().id));
      t.equal(plain.attached, false, 'somebody else has unregistered it');
    }
    plain.close();
    t.equal(connectAs('ts_xdp_plain'), 'ENOENT');
  }),
);

/** Of the module rc-loopback, whose receiver hears what is sent; undefined where it is not there. */
function loopbackReceiver(): string | undefined {
  const root = '/sys/class/rc';
  for (const name of existsSync(root) ? readdirSync(root) : []) {
    if (!/^DRV_NAME=rc-loopback$/m.test(readFileSync(`${root}/${name}/uevent`, 'utf8'))) continue;
    const [lirc] = readdirSync(`${root}/${name}`).filter((entry) => /^lirc\d+$/.test(entry));
    if (lirc !== undefined) return `/dev/${lirc}`;
  }
  return undefined;
}

t.test('programs of infrared receivers', async (t) => {
  let collection: Collection;
  try {
    collection = world.load('on_lirc');
  } catch (error) {
    // No release alone has it: CONFIG_BPF_LIRC_MODE2 wants RC_CORE to be built in, which Debian has as a module.
    t.match(error, {
      code: 'UNSUPPORTED_FEATURE',
      message:
        'Cannot load program on_lirc: this kernel has no programs of type lirc_mode2 (since Linux 4.18)',
      feature: 'programs of type lirc_mode2',
      minKernel: '4.18',
    });
    t.comment(`skipped: ${(error as Error).message}`);
    return;
  }
  try {
    const program = collection.program('on_lirc');
    t.match(
      thrown(() => attachLirc(program, { device: '/dev/null' })),
      { message: 'Cannot attach on_lirc to /dev/null: it is no infrared receiver that gives raw pulses' },
    );
    const device = loopbackReceiver();
    if (device === undefined) {
      t.comment('skipped: the module rc-loopback is not loaded');
      return;
    }
    const link = attachLirc(program, { device });
    t.equal(link.attached, true);
    t.match(
      thrown(() => attachLirc(program, { device })),
      { code: 'ALREADY_ATTACHED' },
    );
    const hits = (): number => Number(collection.variable('lirc_hits').get());
    const file = openSync(device, 'r+');
    // A pulse, a space and a pulse, in microseconds.
    writeSync(file, new Uint8Array(Uint32Array.of(900, 450, 900).buffer));
    closeSync(file);
    await until(() => hits() > 0);
    link.close();
  } finally {
    collection.close();
  }
});

t.test('nothing is left', (t) => {
  t.same(liveLinks(), []);
  t.same(openDescriptors(), before);
  t.end();
});
