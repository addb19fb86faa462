import t from 'tap';
import { ClosedError } from '../../src/errors.ts';
import { NetworkNamespace, Socket, socketConstants, withNetworkNamespace } from '../../src/sys/index.ts';
import { openDescriptors } from '../helpers/open-descriptors.ts';
import { thrown } from '../helpers/thrown.ts';
import * as uapi from '../../src/uapi/index.ts';

t.test('a socket', (t) => {
  const before = openDescriptors();
  const { AF_NETLINK, SOCK_RAW, SOL_SOCKET, SO_RCVBUF, MSG_DONTWAIT } = socketConstants;
  const socket = Socket.open({ domain: AF_NETLINK, type: SOCK_RAW, protocol: 0, description: 'test socket' });
  const { sockaddr_nl } = uapi;
  socket.bind(sockaddr_nl.encode({ nl_family: AF_NETLINK }));
  const name = sockaddr_nl.decode(socket.getsockname());
  t.equal(name.nl_family, AF_NETLINK);
  t.not(name.nl_pid, 0);
  t.equal(socket.receive(new Uint8Array(100), MSG_DONTWAIT), undefined);
  socket.setReceiveTimeout(20);
  const started = performance.now();
  t.equal(socket.receive(new Uint8Array(100)), undefined, 'nothing within the timeout');
  t.ok(performance.now() - started >= 15);
  t.equal(socket.takeError(), 0);
  socket.setOption({ level: SOL_SOCKET, name: SO_RCVBUF }, 65536);
  t.equal(
    thrown(() => {
      socket.setOption({ level: SOL_SOCKET, name: 9999 }, 1);
    }).message,
    'Cannot use a test socket: setsockopt failed with ENOPROTOOPT (protocol not available)',
  );
  t.equal(
    thrown(() => {
      socket.bind(new Uint8Array(2));
    }).message,
    'Cannot use a test socket: bind failed with EINVAL (invalid argument)',
  );
  socket.close();
  socket.close();
  t.throws(() => socket.send(new Uint8Array(1)), new ClosedError('test socket'));
  t.throws(() => socket.receive(new Uint8Array(1)), new ClosedError('test socket'));
  t.equal(
    thrown(() => Socket.open({ domain: 99, type: 1, protocol: 0, description: 'strange socket' })).message,
    'Cannot open a strange socket: socket failed with EAFNOSUPPORT (address family not supported)',
  );
  t.strictSame(openDescriptors(), before);
  t.end();
});

t.test('a network namespace', (t) => {
  const before = openDescriptors();
  const current = NetworkNamespace.current();
  const byId = NetworkNamespace.open(process.pid);
  t.equal(byId.inode, current.inode);
  const byDigits = NetworkNamespace.open(String(process.pid));
  t.equal(byDigits.inode, current.inode);
  const byPath = NetworkNamespace.open('/proc/self/ns/net');
  t.equal(byPath.inode, current.inode);
  t.equal(
    withNetworkNamespace(byPath, () => 42),
    42,
  );
  t.match(
    thrown(() => withNetworkNamespace(byPath, () => Promise.resolve())),
    {
      message:
        'Cannot run an asynchronous action in another network namespace: only its first part would be there',
    },
  );
  for (const namespace of [current, byId, byDigits, byPath]) namespace.close();
  const table: [string, string, string][] = [
    [
      'no-such-namespace',
      'NETNS_NOT_FOUND',
      'Cannot open network namespace no-such-namespace: there is none of that name or process id',
    ],
    [
      '/no/such/path',
      'NETNS_NOT_FOUND',
      'Cannot open network namespace /no/such/path: there is none of that name or process id',
    ],
    [
      '4194305',
      'NETNS_NOT_FOUND',
      'Cannot open network namespace 4194305: there is none of that name or process id',
    ],
    [
      '/proc/self/ns/uts',
      'ARGUMENT_INVALID',
      'Cannot use /proc/self/ns/uts as a network namespace: it is something else',
    ],
    [
      '/etc/hostname',
      'ARGUMENT_INVALID',
      'Cannot use /etc/hostname as a network namespace: it is something else',
    ],
  ];
  for (const [reference, code, message] of table) {
    const error = thrown(() => NetworkNamespace.open(reference));
    t.equal(error.code, code);
    t.equal(error.message, message);
  }
  t.strictSame(openDescriptors(), before);
  t.end();
});
