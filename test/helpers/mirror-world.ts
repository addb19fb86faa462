/** An interface to mirror, and hosts that copies go to, each in a network namespace of its own. */
import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { addAddress, createVethPair, interfaceByName, RouteSocket } from '../../src/netlink/index.ts';
import { NetworkNamespace, PacketSocket, withNetworkNamespace } from '../../src/sys/index.ts';
import { notRoot, type JsonLine } from './cli.ts';
import { ip } from './kernel-objects.ts';
import { until } from './until.ts';
import { addNamespace, deleteNamespace, VethPair } from './veth.ts';

export const VNI = 42;
export const PORT = 4789;

/** Why tunnels cannot be tested here; asked of the kernel by making one where nobody sees it. */
export function whyNoVxlan(): string | false {
  if (notRoot !== false) return notRoot;
  const make = 'ip link add probe type vxlan external dstport 4789';
  return spawnSync('unshare', ['-n', ...make.split(' ')]).status === 0 ? false : 'this kernel has no VXLAN';
}

export interface MirrorWorldPlace {
  /** How many hosts get copies. @default 1 */
  readonly remotes?: number;
  /** Whether they have IPv6 addresses instead. @default false */
  readonly ipv6?: boolean;
  /** Of the way to them. @default 9000 */
  readonly mtu?: number;
  /** Of the mirrored interface. @default 1500 */
  readonly mirroredMtu?: number;
}

/** A host that copies go to, which takes the frames out of the tunnel by a VXLAN device of the kernel. */
export class Remote {
  readonly address: string;
  readonly localAddress: string;
  /** The interface towards it, in the namespace of the mirror. */
  readonly underlay: string;
  readonly namespaceName: string;
  readonly #netns: NetworkNamespace;
  /** What comes out of the tunnel. */
  readonly #inner: PacketSocket;
  /** What comes in, tunnel and all. */
  readonly #outer: PacketSocket;

  constructor(pair: VethPair, { index, ipv6, mtu }: { index: number; ipv6: boolean; mtu: number }) {
    const here = String(pair.namespaceName);
    this.namespaceName = `${here}r${String(index)}`;
    addNamespace(this.namespaceName);
    this.#netns = NetworkNamespace.open(this.namespaceName);
    setIpv6(this.#netns, 'default', false);
    this.underlay = `u${String(index)}`;
    const [local, remote] = ipv6
      ? [`2001:db8:${String(index)}::1`, `2001:db8:${String(index)}::2`]
      : [`198.18.${String(index)}.1`, `198.18.${String(index)}.2`];
    this.address = remote;
    this.localAddress = local;
    createVethPair(pair.socket, { name: this.underlay, mtu, peer: { name: 'up', netns: this.#netns } });
    using socket = RouteSocket.open({ netns: this.#netns });
    if (ipv6) {
      setIpv6(pair.netns, this.underlay, true);
      setIpv6(this.#netns, 'up', true);
    }
    addAddress(pair.socket, { index: interfaceByName(pair.socket, this.underlay).index, address: local });
    addAddress(socket, { index: interfaceByName(socket, 'up').index, address: remote });
    ip(
      `link add rx mtu 9000 type vxlan id ${String(VNI)} dstport ${String(PORT)} local ${remote}`,
      this.namespaceName,
    );
    ip('link set rx up', this.namespaceName);
    this.#resolve(pair, socket);
    this.#inner = this.#open(interfaceByName(socket, 'rx').index);
    this.#outer = this.#open(interfaceByName(socket, 'up').index);
  }

  /** The next frames that come out of the tunnel. VLAN tags are not in them. */
  frames(count: number): Promise<Uint8Array[]> {
    return receive(this.#inner, count);
  }

  /** What is there without waiting. */
  rest(): Uint8Array[] {
    return drain(this.#inner);
  }

  /** Sends a frame to the mirror's host, by the way that copies come. */
  send(frame: Uint8Array): void {
    this.#outer.send(frame);
  }

  /** The next frames that arrive, tunnel and all, those of the tunnel only. */
  async tunnelPackets(count: number): Promise<Uint8Array[]> {
    const found: Uint8Array[] = [];
    await until(() => {
      found.push(...drain(this.#outer).filter(isTunnelPacket));
      return found.length >= count;
    });
    return found;
  }

  close(): void {
    this.#inner.close();
    this.#outer.close();
    this.#netns.close();
    deleteNamespace(this.namespaceName);
  }

  /** So that no request for an address comes in between. */
  #resolve(pair: VethPair, socket: RouteSocket): void {
    const here = interfaceByName(pair.socket, this.underlay).address ?? '';
    const there = interfaceByName(socket, 'up').address ?? '';
    ip(
      `neigh replace ${this.address} lladdr ${there} dev ${this.underlay} nud permanent`,
      pair.namespaceName,
    );
    ip(`neigh replace ${this.localAddress} lladdr ${here} dev up nud permanent`, this.namespaceName);
  }

  #open(ifindex: number): PacketSocket {
    return PacketSocket.open({ ifindex, netns: this.#netns, direction: 'both' });
  }
}

export class MirrorWorld {
  readonly pair: VethPair;
  readonly remotes: Remote[] = [];

  private constructor({ mirroredMtu }: MirrorWorldPlace) {
    this.pair = VethPair.open({ ...(mirroredMtu !== undefined && { mtu: mirroredMtu }) });
  }

  static open(place: MirrorWorldPlace = {}): MirrorWorld {
    const { remotes = 1, ipv6 = false, mtu = 9000 } = place;
    const world = new MirrorWorld(place);
    try {
      for (let index = 0; index < remotes; index++)
        world.remotes.push(new Remote(world.pair, { index, ipv6, mtu }));
      return world;
    } catch (error) {
      world.close();
      throw error;
    }
  }

  get namespaceName(): string {
    return String(this.pair.namespaceName);
  }

  get remote(): Remote {
    const [first] = this.remotes;
    if (!first) throw new Error('this world has no remote');
    return first;
  }

  /** `ts-xdp mirror` of the receiver of the pair to all remotes. */
  command(...more: readonly string[]): string[] {
    const targets = this.remotes.flatMap(({ address }) => ['--remote', address]);
    return ['mirror', '--iface', this.pair.receiver.name, '--netns', this.namespaceName, ...targets, ...more];
  }

  /** To the mirrored interface, or out of it. */
  send(direction: 'ingress' | 'egress', ...frames: readonly Uint8Array[]): void {
    const { sender, receiver, netns } = this.pair;
    const { index } = direction === 'ingress' ? sender : receiver;
    const socket = PacketSocket.open({ ifindex: index, netns });
    for (const frame of frames) socket.send(frame);
    socket.close();
  }

  /** Hears what arrives at the other end of what is sent. */
  listen(direction: 'ingress' | 'egress'): PacketSocket {
    const { sender, receiver, netns } = this.pair;
    const { index } = direction === 'ingress' ? receiver : sender;
    return PacketSocket.open({ ifindex: index, netns, direction: 'both' });
  }

  /** Interfaces, qdiscs and programs of the mirror's namespace, as iproute2 and bpftool tell. */
  state(): string {
    const links = ip('-o link', this.namespaceName).replace(/ state \w+/g, '');
    const qdiscs = execFileSync('tc', ['-n', this.namespaceName, 'qdisc'], { encoding: 'utf8' });
    const programs = execFileSync('ip', ['netns', 'exec', this.namespaceName, 'bpftool', 'net'], {
      encoding: 'utf8',
    });
    return links + qdiscs + programs;
  }

  close(): void {
    for (const remote of this.remotes) remote.close();
    this.pair.close();
  }
}

/** The id of a map of the mirror that says this, by the word of bpftool: other mirrors have maps of that name, too. */
export function mapIdOf({ lines }: { readonly lines: readonly JsonLine[] }, name: string): string {
  const bpftool = (...args: string[]): unknown =>
    JSON.parse(execFileSync('bpftool', ['-j', ...args], { encoding: 'utf8' }));
  const attached = lines.find(({ type }) => type === 'attached');
  const program = bpftool('prog', 'show', 'id', String(attached?.['program_id'])) as { map_ids: number[] };
  const id = program.map_ids.find(
    (one) => (bpftool('map', 'show', 'id', String(one)) as { name: string }).name === name,
  );
  return String(id);
}

/** Runs `action` in a world of its own, which is removed whatever happens. */
export async function withMirrorWorld(
  action: (world: MirrorWorld) => Promise<void> | void,
  place: MirrorWorldPlace = {},
): Promise<void> {
  const world = MirrorWorld.open(place);
  try {
    await action(world);
  } finally {
    world.close();
  }
}

function setIpv6(netns: NetworkNamespace, name: string, on: boolean): void {
  withNetworkNamespace(netns, () => {
    writeFileSync(`/proc/sys/net/ipv6/conf/${name}/disable_ipv6`, on ? '0' : '1');
  });
}

export async function receive(socket: PacketSocket, count: number): Promise<Uint8Array[]> {
  const frames: Uint8Array[] = [];
  await until(() => {
    frames.push(...drain(socket));
    return frames.length >= count;
  });
  return frames;
}

function drain(socket: PacketSocket): Uint8Array[] {
  const frames: Uint8Array[] = [];
  for (let frame = socket.receive(); frame; frame = socket.receive()) frames.push(frame);
  return frames;
}

/** IPv4 and UDP to the port of the tunnel, or a later fragment. */
function isTunnelPacket(frame: Uint8Array): boolean {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  if (view.getUint16(12) !== 0x0800 || view.getUint8(23) !== 17) return false;
  return (view.getUint16(20) & 0x1fff) !== 0 || view.getUint16(36) === PORT;
}
