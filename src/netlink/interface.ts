import {
  IFF_RUNNING,
  IFF_UP,
  IFLA_ADDRESS,
  IFLA_ALT_IFNAME,
  IFLA_IFNAME,
  IFLA_INFO_KIND,
  IFLA_LINK,
  IFLA_LINKINFO,
  IFLA_LINK_NETNSID,
  IFLA_MASTER,
  IFLA_MTU,
  IFLA_NUM_RX_QUEUES,
  IFLA_NUM_TX_QUEUES,
  IFLA_OPERSTATE,
  IFLA_PROP_LIST,
  IFLA_XDP,
  IFLA_XDP_ATTACHED,
  IFLA_XDP_DRV_PROG_ID,
  IFLA_XDP_HW_PROG_ID,
  IFLA_XDP_PROG_ID,
  IFLA_XDP_SKB_PROG_ID,
  XDP_ATTACHED_DRV,
  XDP_ATTACHED_HW,
  XDP_ATTACHED_MULTI,
  XDP_ATTACHED_SKB,
  ifinfomsg,
} from '../uapi/index.ts';
import { Attributes } from './attributes.ts';
import { formatMacAddress } from './mac-address.ts';

/** The states of RFC 2863, in the order of the kernel's numbers. */
const operationalStates = [
  'unknown',
  'not-present',
  'down',
  'lower-layer-down',
  'testing',
  'dormant',
  'up',
] as const;

export type OperationalState = (typeof operationalStates)[number];

/** How a program is attached: in the driver, on socket buffers, in the hardware. */
export type XdpMode = 'native' | 'generic' | 'offload';

/** The XDP programs of an interface, however they were attached. */
export interface InterfaceXdp {
  /** `none`, the one mode there is, or `multiple`. */
  readonly attached: 'none' | XdpMode | 'multiple';
  /** Program ids. */
  readonly programs: { readonly [Mode in XdpMode]?: number };
}

/** A network interface as the kernel describes it at one moment. */
export interface NetworkInterface {
  readonly index: number;
  readonly name: string;
  /** Further names, up to 127 characters long. Linux 5.5. */
  readonly alternativeNames: readonly string[];
  /** Set up by the administrator. */
  readonly up: boolean;
  /** Up, and the link is there. */
  readonly running: boolean;
  readonly operationalState: OperationalState;
  /** Bytes of payload in a frame. */
  readonly mtu: number;
  /** The MAC address, where the interface has one of six bytes. */
  readonly address: string | undefined;
  /** `veth`, `bridge`, …; hardware has none. */
  readonly kind: string | undefined;
  /** The index of the bridge or bond that it belongs to. */
  readonly master: number | undefined;
  /** The index of the interface below or, for veth, of the other end, in `peerNamespace` where that is given. */
  readonly peer: number | undefined;
  /** What this namespace calls the one that `peer` is in; undefined for the same. Not a number of processes or files. */
  readonly peerNamespace: number | undefined;
  readonly receiveQueues: number | undefined;
  readonly transmitQueues: number | undefined;
  readonly xdp: InterfaceXdp;
}

/** RTM_NEWLINK. Throws {@link BoundsError} where it is malformed. */
export function decodeInterface(body: Uint8Array): NetworkInterface {
  const { ifi_index, ifi_flags } = ifinfomsg.decode(body);
  const attributes = Attributes.parse(body.subarray(ifinfomsg.size));
  const address = attributes.bytes(IFLA_ADDRESS);
  return {
    index: ifi_index,
    name: attributes.string(IFLA_IFNAME) ?? '',
    alternativeNames: attributes.nested(IFLA_PROP_LIST)?.strings(IFLA_ALT_IFNAME) ?? [],
    up: (ifi_flags & IFF_UP) !== 0,
    running: (ifi_flags & IFF_RUNNING) !== 0,
    operationalState: operationalStates[attributes.u8(IFLA_OPERSTATE) ?? 0] ?? 'unknown',
    mtu: attributes.u32(IFLA_MTU) ?? 0,
    address: address?.length === 6 ? formatMacAddress(address) : undefined,
    kind: attributes.nested(IFLA_LINKINFO)?.string(IFLA_INFO_KIND),
    master: attributes.u32(IFLA_MASTER),
    // The kernel answers with the interface itself where there is nothing below it.
    peer: present(attributes.u32(IFLA_LINK), ifi_index),
    peerNamespace: attributes.i32(IFLA_LINK_NETNSID),
    receiveQueues: attributes.u32(IFLA_NUM_RX_QUEUES),
    transmitQueues: attributes.u32(IFLA_NUM_TX_QUEUES),
    xdp: decodeXdp(attributes.nested(IFLA_XDP)),
  };
}

function present(index: number | undefined, self: number): number | undefined {
  return index === 0 || index === self ? undefined : index;
}

function decodeXdp(attributes: Attributes | undefined): InterfaceXdp {
  const attached = attachedMode(attributes?.u8(IFLA_XDP_ATTACHED));
  if (attributes === undefined || attached === 'none') return { attached: 'none', programs: {} };
  const programs: { [Mode in XdpMode]?: number } = {};
  const ids = [
    ['native', attributes.u32(IFLA_XDP_DRV_PROG_ID)],
    ['generic', attributes.u32(IFLA_XDP_SKB_PROG_ID)],
    ['offload', attributes.u32(IFLA_XDP_HW_PROG_ID)],
  ] as const;
  for (const [mode, id] of ids) if (id !== undefined) programs[mode] = id;
  // Kernels before 4.19 give the one id alone.
  const only = attributes.u32(IFLA_XDP_PROG_ID);
  if (attached !== 'multiple' && only !== undefined) programs[attached] ??= only;
  return { attached, programs };
}

function attachedMode(value: number | undefined): InterfaceXdp['attached'] {
  switch (value) {
    case XDP_ATTACHED_DRV:
      return 'native';
    case XDP_ATTACHED_SKB:
      return 'generic';
    case XDP_ATTACHED_HW:
      return 'offload';
    case XDP_ATTACHED_MULTI:
      return 'multiple';
    default:
      return 'none';
  }
}
