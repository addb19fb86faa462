import { execFileSync, spawnSync } from 'node:child_process';

import t from 'tap';
import { ClosedError, NetlinkError } from '../../src/errors.ts';
import {
  RouteSocket,
  addAddress,
  createVethPair,
  deleteAddress,
  deleteInterface,
  interfaceByIndex,
  interfaceByName,
  listAddresses,
  listInterfaces,
  setInterface,
  tryInterfaceByName,
} from '../../src/netlink/index.ts';

import { NetworkNamespace, withNetworkNamespace } from '../../src/sys/index.ts';

import { openDescriptors } from '../helpers/open-descriptors.ts';
import { thrown } from '../helpers/thrown.ts';
import { VethPair, addNamespace, deleteNamespace, withVethPair } from '../helpers/veth.ts';

if (process.getuid?.() !== 0) {
  t.plan(0, 'needs root for network namespaces');
  process.exit(0);
}

interface IpLink {
  ifindex: number;
  ifname: string;
  altnames?: string[];
  flags: string[];
  mtu: number;
  operstate: string;
  address: string;
  num_tx_queues: number;
  num_rx_queues: number;
  link_index?: number;
  link?: string | null;
  linkinfo?: { info_kind?: string };
  xdp?: { mode: number; prog: { id: number }; attached?: { mode: number; prog: { id: number } }[] };
}

interface IpAddresses {
  ifindex: number;
  addr_info: {
    family: string;
    local: string;
    address?: string;
    prefixlen: number;
    scope: string;
    tentative?: boolean;
  }[];
}

function ip(pair: VethPair, ...options: string[]): unknown {
  const text = execFileSync('ip', ['-n', pair.namespaceName ?? '', '-j', '-d', ...options], {
    encoding: 'utf8',
  });
  return JSON.parse(text === '' ? '[]' : text);
}

/** What iproute2 shows of a refusal: older kernels give some of them no words, only an errno. */
function wordsOfRefusal(pair: VethPair, command: readonly string[]): string | undefined {
  const { status, stderr } = spawnSync('ip', ['-n', pair.namespaceName ?? '', ...command], {
    encoding: 'utf8',
  });
  if (status === 0) throw new Error(`ip ${command.join(' ')} was not refused`);
  return /^Error: (.*)\.$/m.exec(stderr)?.[1];
}

t.test('interfaces are what iproute2 says they are', async (t) => {
  const before = openDescriptors();
  await withVethPair((pair) => {
    const { socket } = pair;
    setInterface(socket, { index: pair.sender.index, change: { up: false, mtu: 1400 } });
    execFileSync('ip', [
      '-n',
      pair.namespaceName!,
      'link',
      'property',
      'add',
      'dev',
      pair.receiver.name,
      'altname',
      'an-alternative-name-of-many-characters',
    ]);
    execFileSync('ip', ['-n', pair.namespaceName!, 'link', 'add', 'a-bridge', 'type', 'bridge']);
    execFileSync('ip', ['-n', pair.namespaceName!, 'link', 'set', pair.sender.name, 'master', 'a-bridge']);
    const theirs = ip(pair, 'link') as IpLink[];
    const ours = listInterfaces(socket);
    t.strictSame(
      ours.map((device) => [device.index, device.name, device.mtu, device.up, device.address, device.kind]),
      theirs.map((device) => [
        device.ifindex,
        device.ifname,
        device.mtu,
        device.flags.includes('UP'),
        device.address,
        device.linkinfo?.info_kind,
      ]),
    );
    t.strictSame(
      ours.map((device) => [
        device.operationalState.replaceAll('-', ''),
        device.alternativeNames,
        device.transmitQueues,
        device.receiveQueues,
      ]),
      theirs.map((device) => [
        device.operstate.toLowerCase(),
        device.altnames ?? [],
        device.num_tx_queues,
        device.num_rx_queues,
      ]),
    );
    const bridge = interfaceByName(socket, 'a-bridge');
    t.equal(interfaceByIndex(socket, pair.sender.index).master, bridge.index);
    t.equal(interfaceByName(socket, pair.receiver.name).peer, pair.sender.index);
    t.equal(interfaceByName(socket, 'an-alternative-name-of-many-characters').index, pair.receiver.index);
    t.strictSame(interfaceByIndex(socket, bridge.index), bridge);
  });
  t.strictSame(openDescriptors(), before);
});

t.test('an interface that is not there is named, with those that are', async (t) => {
  await withVethPair((pair) => {
    const { socket } = pair;
    const names = ['lo', pair.sender.name, pair.receiver.name];
    const absent = thrown(() => interfaceByName(socket, 'eth9'));
    t.equal(absent.code, 'INTERFACE_NOT_FOUND');
    t.equal(absent.message, 'Cannot find interface eth9: there is none of that name');
    t.equal(absent.hint, `The interfaces here are ${names.join(', ')}.`);
    t.strictSame(absent.facts(), { subject: 'eth9', available: names });
    t.equal(
      thrown(() => interfaceByIndex(socket, 9999)).message,
      'Cannot find interface 9999: there is none of that name',
    );
    for (const name of [
      'a-name-of-more-than-15-characters',
      'x'.repeat(200),
      'ü'.repeat(70),
      '../eth0',
      'eth 0',
    ]) {
      t.equal(tryInterfaceByName(socket, name), undefined, name);
    }
    t.equal(thrown(() => interfaceByName(socket, '')).message, 'Cannot find interface "": this is no name');
    t.equal(
      thrown(() => interfaceByIndex(socket, 0)).message,
      'Cannot find interface 0: an index is an integer above zero',
    );
  });
});

t.test('a pair is made across namespaces, changed and removed', async (t) => {
  const before = openDescriptors();
  const far = `${VethPair.name.toLowerCase()}-${String(process.pid)}`;
  addNamespace(far);
  await withVethPair((pair) => {
    const { socket } = pair;
    const netns = NetworkNamespace.open(far);
    createVethPair(socket, {
      name: 'near',
      peer: { name: 'far', netns, address: '02:00:00:00:00:22' },
      mtu: 9000,
      up: false,
    });
    const near = interfaceByName(socket, 'near');
    t.equal(near.up, false);
    t.equal(near.mtu, 9000);
    t.type(near.peerNamespace, 'number');
    const farSocket = RouteSocket.open({ netns });
    const other = interfaceByName(farSocket, 'far');
    t.equal(near.peer, other.index);
    t.equal(other.address, '02:00:00:00:00:22');
    setInterface(socket, {
      index: near.index,
      change: { up: true, mtu: 1280, address: '02:00:00:00:00:11' },
    });
    setInterface(farSocket, { index: other.index, change: { up: true } });
    t.match(interfaceByIndex(socket, near.index), {
      up: true,
      running: true,
      mtu: 1280,
      address: '02:00:00:00:00:11',
    });
    setInterface(socket, { index: near.index, change: { up: false } });
    setInterface(socket, { index: near.index, change: { name: 'renamed' } });
    t.equal(interfaceByIndex(socket, near.index).name, 'renamed');
    setInterface(socket, { index: near.index, change: { netns } });
    t.equal(tryInterfaceByName(socket, 'renamed'), undefined);
    const moved = interfaceByName(farSocket, 'renamed');
    deleteInterface(farSocket, moved);
    t.equal(tryInterfaceByName(farSocket, 'far'), undefined, 'both ends go');
    farSocket.close();
    netns.close();
  });
  deleteNamespace(far);
  t.strictSame(openDescriptors(), before);
});

t.test('a refusal has the words of the kernel', async (t) => {
  await withVethPair((pair) => {
    const { socket, sender, receiver } = pair;
    ip(pair, 'address', 'add', '10.9.0.2', 'dev', receiver.name);
    const words = wordsOfRefusal(pair, ['address', 'add', '10.9.0.2', 'dev', receiver.name]);
    const taken = words === undefined ? 'EEXIST (file already exists)' : `${words} (EEXIST)`;
    const table: [string, () => unknown, string][] = [
      [
        'a name that is taken',
        () => {
          createVethPair(socket, { name: sender.name, peer: { name: 'other' } });
        },
        `Cannot create the veth pair ${sender.name} and other: EEXIST (file already exists)`,
      ],
      [
        'an MTU above the maximum',
        () => {
          setInterface(socket, { ...sender, change: { mtu: 100_000 } });
        },
        `Cannot set mtu of interface ${sender.name}: mtu greater than device maximum (EINVAL)`,
      ],
      [
        'an interface that is gone',
        () => {
          deleteInterface(socket, { index: 9999 });
        },
        'Cannot delete interface 9999: ENODEV (no such device)',
      ],
      [
        'an interface that cannot go',
        () => {
          deleteInterface(socket, interfaceByName(socket, 'lo'));
        },
        'Cannot delete interface lo: EOPNOTSUPP (operation not supported)',
      ],
      [
        'an address that is there',
        () => {
          addAddress(socket, { index: receiver.index, address: '10.9.0.1' });
          addAddress(socket, { index: receiver.index, address: '10.9.0.1' });
        },
        `Cannot add address 10.9.0.1 to interface ${String(receiver.index)}: ${taken}`,
      ],
    ];
    for (const [name, action, message] of table) {
      const error = thrown(action);
      t.ok(error instanceof NetlinkError, name);
      t.equal(error.message, message, name);
    }
    for (const name of ['', 'a-name-of-17-byte', 'a b', 'a/b', '..', 'a:1']) {
      t.equal(
        thrown(() => {
          createVethPair(socket, { name, peer: { name: 'other' } });
        }).code,
        'ARGUMENT_INVALID',
        name,
      );
    }
    t.equal(
      thrown(() => {
        setInterface(socket, { index: 0, change: { up: true } });
      }).code,
      'ARGUMENT_INVALID',
    );
  });
});

t.test('addresses are what iproute2 says they are', async (t) => {
  await withVethPair(
    (pair) => {
      const { socket, receiver } = pair;
      const { index } = receiver;
      addAddress(socket, { index, address: '10.1.2.3', prefixLength: 20 });
      addAddress(socket, { index, address: '10.9.9.9' });
      addAddress(socket, { index, address: '2001:db8::42', prefixLength: 56 });
      addAddress(socket, { index, address: 'fd00::1', detectDuplicates: true });
      execFileSync('ip', [
        '-n',
        pair.namespaceName!,
        'addr',
        'add',
        '10.5.0.1',
        'peer',
        '10.5.0.2',
        'dev',
        receiver.name,
      ]);
      const theirs = ip(pair, 'addr') as IpAddresses[];
      const flat = theirs.flatMap((device) =>
        device.addr_info.map((info) => ({
          index: device.ifindex,
          family: info.family === 'inet' ? 4 : 6,
          address: info.local,
          prefixLength: info.prefixlen,
          scope: info.scope,
          peer: info.address,
          tentative: info.tentative ?? false,
        })),
      );
      const order = (a: { address: string }, b: { address: string }): number =>
        a.address < b.address ? -1 : 1;
      t.strictSame(listAddresses(socket).sort(order), flat.sort(order));
      t.ok(flat.length >= 5);
      t.ok(listAddresses(socket, { index }).every((address) => address.index === index));
      deleteAddress(socket, { index, address: '10.1.2.3', prefixLength: 20 });
      deleteAddress(socket, { index, address: '2001:db8::42', prefixLength: 56 });
      const left = listAddresses(socket, { index }).map((address) => address.address);
      t.notOk(left.includes('10.1.2.3') || left.includes('2001:db8::42'));
      const words = wordsOfRefusal(pair, ['address', 'del', '10.1.2.3/20', 'dev', pair.receiver.name]);
      const reason =
        words === undefined ? 'EADDRNOTAVAIL (address not available)' : `${words} (EADDRNOTAVAIL)`;
      t.equal(
        thrown(() => {
          deleteAddress(socket, { index, address: '10.1.2.3', prefixLength: 20 });
        }).message,
        `Cannot remove address 10.1.2.3 from interface ${String(index)}: ${reason}`,
      );
      t.equal(
        thrown(() => {
          addAddress(socket, { index, address: '10.0.0.1', prefixLength: 33 });
        }).message,
        'Cannot use a prefix of 33 bits for 10.0.0.1: it has 32',
      );
    },
    { ipv6: true },
  );
});

t.test('another namespace is entered and left again, also when the action throws', async (t) => {
  await withVethPair(({ netns }) => {
    const inode = (): number => {
      const here = NetworkNamespace.current();
      here.close();
      return here.inode;
    };
    const home = inode();
    t.not(home, netns.inode);
    t.equal(withNetworkNamespace(netns, inode), netns.inode);
    t.equal(inode(), home);
    t.throws(
      () =>
        withNetworkNamespace(netns, () => {
          throw new Error('inside');
        }),
      { message: 'inside' },
    );
    t.equal(inode(), home);
    t.equal(
      withNetworkNamespace(netns, () => withNetworkNamespace(netns, inode)),
      netns.inode,
      'also within itself',
    );
  });
});

t.test('a socket that is closed says so, and a stale answer is not taken for the next', async (t) => {
  await withVethPair(({ socket, netns }) => {
    for (let round = 0; round < 200; round++) {
      listInterfaces(socket);
      t.notOk(tryInterfaceByName(socket, 'eth9'));
    }
    const other = RouteSocket.open({ netns, timeout: 100 });
    other.close();
    other.close();
    t.throws(() => listInterfaces(other), new ClosedError('route netlink socket'));
  });
});

t.test('a dump larger than any buffer is whole', async (t) => {
  await withVethPair(({ socket }) => {
    for (let pair = 0; pair < 60; pair++) {
      createVethPair(socket, {
        name: `many${String(pair)}`,
        peer: { name: `more${String(pair)}` },
        up: false,
      });
    }
    const names = listInterfaces(socket).map((device) => device.name);
    t.equal(names.length, 123);
    t.equal(new Set(names).size, 123);
    for (let pair = 0; pair < 60; pair++)
      deleteInterface(socket, interfaceByName(socket, `many${String(pair)}`));
    t.equal(listInterfaces(socket).length, 3);
  });
});
