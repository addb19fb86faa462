import { ArgumentError } from '../errors.ts';
import { inNamespace, type TrafficDirection } from '../link/index.ts';
import type { Collection } from '../loader/index.ts';
import {
  interfaceByIndex,
  interfaceByName,
  interfaceStatistics,
  interfaceTowards,
  parseIpAddress,
  RouteSocket,
  tryInterfaceByIndex,
  type NetworkInterface,
} from '../netlink/index.ts';
import type { NetworkNamespace } from '../sys/index.ts';
import { Attacher, type MirrorAttachment, type MirrorVia } from './attach.ts';
import { configureMirror, MAX_TARGETS, type MirrorTarget } from './maps.ts';
import type { MirrorRule } from './rule.ts';
import { readTotals, type MirrorTotals } from './totals.ts';
import { OVERHEAD, Tunnel } from './tunnel.ts';

export interface MirrorOptions {
  /** Whose frames are mirrored. */
  readonly interfaces: readonly string[];
  /** Addresses that get copies, by a VXLAN device that is made for it. */
  readonly remotes?: readonly string[];
  /** Devices that copies are sent through instead: tunnels of any kind that know where to. */
  readonly devices?: readonly string[];
  /** The namespace of the interfaces, in which the tunnel begins, too. @default the current one */
  readonly netns?: NetworkNamespace | undefined;
  /** @default 'both' */
  readonly direction?: TrafficDirection | 'both' | undefined;
  /** 0 to 16777215. @default 42 */
  readonly vni?: number | undefined;
  /** @default 4789 */
  readonly port?: number | undefined;
  /** Which frames. @default all */
  readonly rules?: readonly MirrorRule[] | undefined;
  /** @default 'link' where the kernel has tcx, otherwise 'netlink' */
  readonly via?: MirrorVia | undefined;
}

export const DEFAULT_VNI = 42;
export const DEFAULT_PORT = 4789;

/**
 * Copies of what interfaces receive and send, on their way to other hosts, by the loaded `mirror.bpf.o`.
 *
 * `close()` takes everything back: programs, device, qdiscs. Killed without it, the device stays, and so do filters of
 * `netlink`. Needs CAP_NET_ADMIN in the interfaces' namespace.
 */
export class Mirror {
  readonly targets: readonly MirrorTarget[];
  readonly via: MirrorVia;
  /** What is worth knowing, in sentences. */
  readonly notes: readonly string[];
  /** The programs on the mirrored interfaces. */
  readonly attachments: readonly MirrorAttachment[];
  /** Where copies go; the one that was made, or those that were given. */
  readonly devices: readonly NetworkInterface[];
  readonly #collection: Collection;
  readonly #socket: RouteSocket;
  readonly #attacher: Attacher;
  readonly #tunnel: Tunnel | undefined;
  /** What the devices had lost before. */
  readonly #lostBefore: ReadonlyMap<number, bigint>;
  #lost = 0n;

  private constructor(socket: RouteSocket, collection: Collection, options: MirrorOptions) {
    const { netns, via, remotes = [], rules = [], port = DEFAULT_PORT, vni = DEFAULT_VNI } = options;
    const sources = unique(options.interfaces).map((name) => interfaceByName(socket, name));
    const given = unique(options.devices ?? []).map((name) => interfaceByName(socket, name));
    checkTargets({ sources, given, remotes });
    this.#collection = collection;
    this.#socket = socket;
    this.#attacher = new Attacher(socket, { netns, via });
    this.via = this.#attacher.via;
    this.notes = [
      ...remotes.flatMap((remote) => noteOfRemote(socket, { remote, sources })),
      ...given.filter(({ up }) => !up).map(({ name }) => `${name} is down: copies are lost until it is up`),
    ];
    this.#tunnel = remotes.length > 0 ? Tunnel.create(socket, port) : undefined;
    try {
      this.devices = this.#tunnel ? [this.#tunnel.device] : given;
      this.targets = targetsOf({ devices: this.devices, remotes: unique(remotes), vni });
      this.#prepareTunnel();
      this.#lostBefore = new Map(this.devices.map((device) => [device.index, this.#lostIn(device)]));
      configureMirror(collection, { targets: this.targets, rules, own: this.#tunnel && { port, vni } });
      this.attachments = this.#attach(sources, options.direction ?? 'both');
    } catch (error) {
      this.#takeBack();
      throw error;
    }
  }

  /**
   * All of it or nothing.
   *
   * @throws NotFoundError (INTERFACE_NOT_FOUND); ArgumentError; AttachError where the device or its port is taken;
   * NetlinkError where there is no route to a remote; PermissionError; UnsupportedFeatureError
   */
  static start(collection: Collection, options: MirrorOptions): Mirror {
    return inNamespace(options.netns, () => {
      const socket = RouteSocket.open();
      try {
        return new Mirror(socket, collection, options);
      } catch (error) {
        socket.close();
        throw error;
      }
    });
  }

  /** What was counted since the start. */
  read(): MirrorTotals {
    if (!this.#socket.closed) this.#lost = this.#readLost();
    return { ...readTotals(this.#collection, this.targets), tunnelLost: this.#lost };
  }

  /** Mirrors nothing from here on; what the devices have lost is known to `read()` still. */
  close(): void {
    if (this.#socket.closed) return;
    try {
      this.#attacher.detach(this.attachments);
      this.#lost = this.#readLost();
    } finally {
      this.#takeBack();
      this.#socket.close();
    }
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** The programs are there before the device is up, so that nothing leaves by it that is no copy. */
  #prepareTunnel(): void {
    if (!this.#tunnel) return;
    const { device } = this.#tunnel;
    const [encapsulate, refuse] = ['mirror_encapsulate', 'mirror_refuse'].map((name) =>
      this.#collection.program(name),
    );
    if (encapsulate) this.#attacher.attach(encapsulate, { device, direction: 'egress' });
    if (refuse) this.#attacher.attach(refuse, { device, direction: 'ingress' });
    this.#tunnel.raise();
  }

  #attach(sources: readonly NetworkInterface[], wanted: TrafficDirection | 'both'): MirrorAttachment[] {
    const directions = wanted === 'both' ? (['ingress', 'egress'] as const) : [wanted];
    return sources.flatMap((device) =>
      directions.map((direction) =>
        this.#attacher.attach(this.#collection.program(`mirror_${direction}`), { device, direction }),
      ),
    );
  }

  #readLost(): bigint {
    return this.devices.reduce((sum, device) => {
      const lost = this.#lostIn(device) - (this.#lostBefore.get(device.index) ?? 0n);
      return sum + (lost > 0n ? lost : 0n);
    }, 0n);
  }

  /** A device that is gone counts no more. */
  #lostIn({ index, name }: NetworkInterface): bigint {
    if (!tryInterfaceByIndex(this.#socket, index)) return 0n;
    const { tx_dropped, tx_errors } = interfaceStatistics(this.#socket, { index, name });
    return tx_dropped + tx_errors;
  }

  #takeBack(): void {
    try {
      this.#attacher.close();
    } finally {
      this.#tunnel?.close();
    }
  }
}

function checkTargets({
  sources,
  given,
  remotes,
}: {
  sources: readonly NetworkInterface[];
  given: readonly NetworkInterface[];
  remotes: readonly string[];
}): void {
  if ((given.length === 0) === (remotes.length === 0)) {
    throw new ArgumentError('remotes', 'Cannot mirror: either remotes or devices must be given');
  }
  if (Math.max(given.length, remotes.length) > MAX_TARGETS)
    throw new ArgumentError('remotes', `Cannot mirror to more than ${String(MAX_TARGETS)} targets`);
  for (const remote of remotes) parseIpAddress(remote);
  const both = given.find(({ index }) => sources.some((source) => source.index === index));
  if (both)
    throw new ArgumentError(
      'devices',
      `Cannot mirror ${both.name} into itself: the tunnel must be another device`,
    );
}

function targetsOf({
  devices,
  remotes,
  vni,
}: {
  devices: readonly NetworkInterface[];
  remotes: readonly string[];
  vni: number;
}): MirrorTarget[] {
  const [device] = devices;
  if (remotes.length === 0 || !device) return devices.map(({ index, name }) => ({ ifindex: index, name }));
  return remotes.map((remote) => ({ ifindex: device.index, name: remote, tunnel: { remote, vni } }));
}

/** @throws NetlinkError where there is no route */
function noteOfRemote(
  socket: RouteSocket,
  { remote, sources }: { remote: string; sources: readonly NetworkInterface[] },
): string[] {
  const index = interfaceTowards(socket, remote);
  if (index === undefined) return [];
  const below = interfaceByIndex(socket, index);
  const family = remote.includes(':') ? 'ipv6' : 'ipv4';
  const room = below.mtu - OVERHEAD[family];
  const large = sources.find(({ mtu }) => mtu > room);
  if (!large) return [];
  // IPv6 fragments what a socket of this host sends, and a tunnel is none (ip6_fragment() in net/ipv6/ip6_output.c).
  const fate = family === 'ipv4' ? `go to ${remote} in fragments` : `are lost on the way to ${remote}`;
  return [
    `packets of more than ${String(room)} bytes ${fate}: ${below.name} has MTU ${String(below.mtu)}, ` +
      `and those of ${large.name} take ${String(large.mtu + OVERHEAD[family])}`,
  ];
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)];
}
