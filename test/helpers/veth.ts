import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import {
  RouteSocket,
  createVethPair,
  deleteInterface,
  interfaceByName,
  tryInterfaceByName,
} from '../../src/netlink/index.ts';
import type { NetworkInterface } from '../../src/netlink/index.ts';
import { NetworkNamespace, PacketSocket, withNetworkNamespace } from '../../src/sys/index.ts';

export interface VethPairPlace {
  /**
   * `own` makes a named network namespace with nothing else in it, and IPv6 switched off so that the kernel sends
   * no frame of its own; `current` puts the pair beside what is there.
   * @default 'own'
   */
  readonly namespace?: 'own' | 'current';
  /** Whether the kernel speaks IPv6 on the pair, in a namespace of its own. @default false */
  readonly ipv6?: boolean;
  /** Of both ends, in bytes. @default 1500 */
  readonly mtu?: number;
}

let pairs = 0;

/** A pair of interfaces that only this test knows; `close()` removes it and its namespace. */
export class VethPair {
  /** For `ip netns exec` and `--netns`; undefined in the current namespace. */
  readonly namespaceName: string | undefined;
  readonly netns: NetworkNamespace;
  /** In the namespace of the pair. */
  readonly socket: RouteSocket;
  /** Where a test attaches. */
  readonly receiver: NetworkInterface;
  /** Where it sends from. */
  readonly sender: NetworkInterface;

  private constructor(facts: {
    name: string | undefined;
    netns: NetworkNamespace;
    socket: RouteSocket;
    id: string;
  }) {
    const { name, netns, socket, id } = facts;
    this.namespaceName = name;
    this.netns = netns;
    this.socket = socket;
    this.receiver = interfaceByName(socket, `${id}a`);
    this.sender = interfaceByName(socket, `${id}b`);
  }

  static open(place: VethPairPlace = {}): VethPair {
    const { namespace = 'own', ipv6 = false, mtu } = place;
    const id = `tx${process.pid.toString(36)}-${String(pairs++)}`;
    const name = namespace === 'own' ? id : undefined;
    if (name !== undefined) addNamespace(name);
    const netns = name === undefined ? NetworkNamespace.current() : NetworkNamespace.open(name);
    const socket = RouteSocket.open({ netns });
    try {
      if (name !== undefined && !ipv6) silenceIpv6(netns);
      createVethPair(socket, {
        name: `${id}a`,
        address: '02:00:00:00:00:0a',
        peer: { name: `${id}b`, address: '02:00:00:00:00:0b' },
        mtu,
      });
      return new VethPair({ name, netns, socket, id });
    } catch (error) {
      socket.close();
      netns.close();
      if (name !== undefined) deleteNamespace(name);
      throw error;
    }
  }

  /** Sends whole Ethernet frames from the sender, which the receiver then sees. */
  openPacketSocket(): PacketSocket {
    return PacketSocket.open({ ifindex: this.sender.index, netns: this.netns });
  }

  close(): void {
    if (this.socket.closed) return;
    // A test may have removed it.
    const left = tryInterfaceByName(this.socket, this.receiver.name);
    if (left !== undefined) deleteInterface(this.socket, left);
    this.socket.close();
    this.netns.close();
    if (this.namespaceName !== undefined) deleteNamespace(this.namespaceName);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** Otherwise the kernel sends router solicitations and multicast reports when an interface comes up. */
function silenceIpv6(netns: NetworkNamespace): void {
  withNetworkNamespace(netns, () => {
    writeFileSync('/proc/sys/net/ipv6/conf/default/disable_ipv6', '1');
  });
}

/** Runs `action` with a pair of its own, which is removed whatever happens. */
export async function withVethPair<Result>(
  action: (pair: VethPair) => Result | Promise<Result>,
  place: VethPairPlace = {},
): Promise<Result> {
  const pair = VethPair.open(place);
  try {
    return await action(pair);
  } finally {
    pair.close();
  }
}

/** `ip netns add`: a network namespace that outlives the processes in it. */
export function addNamespace(name: string): void {
  execFileSync('ip', ['netns', 'add', name]);
}

export function deleteNamespace(name: string): void {
  execFileSync('ip', ['netns', 'delete', name]);
}
