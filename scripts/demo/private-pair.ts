import { existsSync, writeFileSync } from 'node:fs';
import {
  createVethPair,
  deleteInterface,
  interfaceByName,
  RouteSocket,
  setInterface,
  tryInterfaceByName,
} from '../../src/netlink/index.ts';
import type { NetworkInterface } from '../../src/netlink/index.ts';

/**
 * Two interfaces of which each receives what the other sends, and which nothing else speaks on.
 *
 * `close()` removes them; so does the end of the process, unless it is killed.
 */
export class PrivatePair {
  /** Where the sniffer is attached. */
  readonly receiver: NetworkInterface;
  readonly sender: NetworkInterface;
  /** Why the kernel may send IPv6 frames of its own on the pair; undefined where it cannot. */
  readonly disturbance: string | undefined;
  readonly #socket: RouteSocket;
  #closed = false;

  private constructor(socket: RouteSocket, names: { receiver: string; sender: string }) {
    this.#socket = socket;
    this.receiver = interfaceByName(socket, names.receiver);
    this.sender = interfaceByName(socket, names.sender);
    process.once('exit', this.#onExit);
    this.disturbance = silenceIpv6(names.receiver) ?? silenceIpv6(names.sender);
  }

  /** @throws PermissionError; NetlinkError: EOPNOTSUPP where the kernel has no veth, EEXIST where a name is taken */
  static open(): PrivatePair {
    // A process id has 7 digits at most, and a name 15 characters.
    const names = { receiver: `xdpdemo${process.pid}a`, sender: `xdpdemo${process.pid}b` };
    const socket = RouteSocket.open();
    try {
      createVethPair(socket, {
        name: names.receiver,
        // Not the address that the frames are sent to: the network stack drops what is for another host, so that
        // no frame is answered, or forwarded on a machine that is a router. XDP comes before that and sees it all.
        address: '02:00:00:00:01:0a',
        peer: { name: names.sender, address: '02:00:00:00:00:0a' },
        up: false,
      });
    } catch (error) {
      socket.close();
      throw error;
    }
    const pair = new PrivatePair(socket, names);
    try {
      for (const { index, name } of [pair.receiver, pair.sender])
        setInterface(socket, { index, name, change: { up: true } });
      return pair;
    } catch (error) {
      pair.close();
      throw error;
    }
  }

  /** Idempotent. Removing one end removes both. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    process.off('exit', this.#onExit);
    try {
      const { name } = this.receiver;
      if (tryInterfaceByName(this.#socket, name)) deleteInterface(this.#socket, this.receiver);
    } finally {
      this.#socket.close();
    }
  }

  [Symbol.dispose](): void {
    this.close();
  }

  readonly #onExit = (): void => {
    this.close();
  };
}

/**
 * Before the interface comes up, because then the kernel sends router solicitations and multicast reports. Returns
 * what stood in the way: in containers /proc/sys is often read-only.
 */
function silenceIpv6(name: string): string | undefined {
  const setting = `/proc/sys/net/ipv6/conf/${name}/disable_ipv6`;
  if (!existsSync(setting)) return undefined;
  try {
    writeFileSync(setting, '1');
    return undefined;
  } catch (error) {
    return `IPv6 cannot be switched off on ${name}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`;
  }
}
