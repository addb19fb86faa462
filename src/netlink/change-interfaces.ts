import { ArgumentError } from '../errors.ts';
import type { NetworkNamespace } from '../sys/index.ts';
import {
  IFF_UP,
  IFLA_ADDRESS,
  IFLA_IFNAME,
  IFLA_INFO_DATA,
  IFLA_INFO_KIND,
  IFLA_LINKINFO,
  IFLA_MTU,
  IFLA_NET_NS_FD,
  NLM_F_CREATE,
  NLM_F_EXCL,
  RTM_DELLINK,
  RTM_NEWLINK,
  RTM_SETLINK,
  VETH_INFO_PEER,
  ifinfomsg,
} from '../uapi/index.ts';
import type { Attribute } from './attributes.ts';
import { concatenate, encodeAttributes, numberAttribute, stringAttribute } from './attributes.ts';
import { parseMacAddress } from './mac-address.ts';
import { interfaceByName } from './find-interfaces.ts';
import { RouteSocket } from './route-socket.ts';

/** One end of a pair of virtual Ethernet interfaces. */
export interface VethEnd {
  /** At most 15 characters. */
  readonly name: string;
  /** `02:00:00:00:00:01`. @default one that the kernel makes up */
  readonly address?: string | undefined;
  /** Where it is to be. @default the namespace of the socket */
  readonly netns?: NetworkNamespace | undefined;
}

export interface VethPairOptions extends Omit<VethEnd, 'netns'> {
  readonly peer: VethEnd;
  /** Of both ends, in bytes. @default 1500 */
  readonly mtu?: number | undefined;
  /** Whether both ends are up at once. @default true */
  readonly up?: boolean | undefined;
}

/**
 * Makes a pair of interfaces of which each receives what the other sends. Removing one removes both.
 *
 * Throws {@link NetlinkError}: EEXIST where a name is taken, EOPNOTSUPP where the kernel has no veth.
 */
export function createVethPair(socket: RouteSocket, options: VethPairOptions): void {
  const { peer, mtu, up = true } = options;
  const header = ifinfomsg.encode({});
  const end = (facts: VethEnd): Attribute[] => [
    stringAttribute(IFLA_IFNAME, checkInterfaceName(facts.name)),
    ...describe({ mtu, address: facts.address, netns: facts.netns }),
  ];
  const kind: Attribute = {
    type: IFLA_LINKINFO,
    value: [
      { type: IFLA_INFO_KIND, value: new TextEncoder().encode('veth') },
      {
        type: IFLA_INFO_DATA,
        // The peer is described like an interface: a struct, then attributes.
        value: [{ type: VETH_INFO_PEER, value: concatenate([header, encodeAttributes(end(peer))]) }],
      },
    ],
  };
  const own = end({ name: options.name, address: options.address });
  socket.request({
    type: RTM_NEWLINK,
    request: 'RTM_NEWLINK',
    flags: NLM_F_CREATE | NLM_F_EXCL,
    doing: `create the veth pair ${options.name} and ${peer.name}`,
    body: concatenate([header, encodeAttributes([...own, kind])]),
  });
  if (!up) return;
  try {
    // Only now: while the pair is being made neither end has its peer yet, and veth_open() answers ENOTCONN.
    raise(socket, options.name);
    raisePeer(socket, peer);
  } catch (error) {
    deleteInterface(socket, interfaceByName(socket, options.name));
    throw error;
  }
}

function raisePeer(socket: RouteSocket, { name, netns }: VethEnd): void {
  if (netns === undefined) {
    raise(socket, name);
    return;
  }
  const peerSocket = RouteSocket.open({ netns });
  try {
    raise(peerSocket, name);
  } finally {
    peerSocket.close();
  }
}

function raise(socket: RouteSocket, name: string): void {
  setInterface(socket, { ...interfaceByName(socket, name), change: { up: true } });
}

/** Which interface, for requests; the name is for messages alone. */
export interface InterfaceReference {
  readonly index: number;
  readonly name?: string | undefined;
}

/** Removes a virtual interface. Throws {@link NetlinkError}: ENODEV where it is gone, EOPNOTSUPP for hardware. */
export function deleteInterface(socket: RouteSocket, target: InterfaceReference): void {
  socket.request({
    type: RTM_DELLINK,
    request: 'RTM_DELLINK',
    doing: `delete interface ${nameOf(target)}`,
    body: ifinfomsg.encode({ ifi_index: checkIndex(target.index) }),
  });
}

/** What to change; what is left out stays. */
export interface InterfaceChange {
  readonly up?: boolean | undefined;
  /** Bytes. */
  readonly mtu?: number | undefined;
  /** MAC address. */
  readonly address?: string | undefined;
  /** A new name; many kernels want the interface down for that. */
  readonly name?: string | undefined;
  /** Moves it there, where it is down and has another index if its own is taken. */
  readonly netns?: NetworkNamespace | undefined;
}

/** Changes an interface. Throws {@link NetlinkError}, after which some of several changes may have been made. */
export function setInterface(
  socket: RouteSocket,
  target: InterfaceReference & { readonly change: InterfaceChange },
): void {
  const { index, change } = target;
  const { up, name } = change;
  const names = Object.entries(change).filter(([, value]) => value !== undefined);
  const header = {
    ifi_index: checkIndex(index),
    ifi_flags: up === true ? IFF_UP : 0,
    ifi_change: up === undefined ? 0 : IFF_UP,
  };
  const attributes = [
    ...(name === undefined ? [] : [stringAttribute(IFLA_IFNAME, checkInterfaceName(name))]),
    ...describe(change),
  ];
  socket.request({
    type: RTM_SETLINK,
    request: 'RTM_SETLINK',
    doing: `set ${names.map(([property]) => property).join(', ')} of interface ${nameOf(target)}`,
    body: concatenate([ifinfomsg.encode(header), encodeAttributes(attributes)]),
  });
}

function describe(facts: Pick<InterfaceChange, 'mtu' | 'address' | 'netns'>): Attribute[] {
  const attributes: Attribute[] = [];
  if (facts.mtu !== undefined) attributes.push(numberAttribute(IFLA_MTU, checkIndex(facts.mtu)));
  if (facts.address !== undefined)
    attributes.push({ type: IFLA_ADDRESS, value: parseMacAddress(facts.address) });
  if (facts.netns !== undefined) attributes.push(numberAttribute(IFLA_NET_NS_FD, facts.netns.fd.value));
  return attributes;
}

/** What dev_valid_name() in net/core/dev.c takes; the kernel would cut or refuse the rest less clearly. */
export function checkInterfaceName(name: string): string {
  const valid = name !== '.' && name !== '..' && /^[^\s/:\0]+$/.test(name) && Buffer.byteLength(name) <= 15;
  if (valid) return name;
  throw new ArgumentError(
    'name',
    `Cannot use ${JSON.stringify(name)} as an interface name: 1 to 15 characters without space, slash and colon are needed`,
  );
}

/** An index of 0 would mean "any", and the kernel would take another attribute for the interface. */
export function checkIndex(index: number): number {
  if (Number.isInteger(index) && index > 0 && index <= 0x7fff_ffff) return index;
  throw new ArgumentError('index', `Cannot use ${String(index)} here: an integer above zero is needed`);
}

export function nameOf({ index, name }: InterfaceReference): string {
  return name ?? String(index);
}
