import { deviceDriver, largeReceiveOffload } from '../netlink/index.ts';
import type { NetworkInterface, XdpMode } from '../netlink/index.ts';
import type { Check } from './check.ts';
import { inGroup } from './check.ts';
import type { XdpDriverFeature } from './xdp-features.ts';

/** What is known of an interface, as XDP sees it. */
export interface InterfaceFacts {
  readonly name: string;
  readonly index: number;
  readonly up: boolean;
  /** `veth`, `bridge`, …; undefined for hardware. */
  readonly kind: string | undefined;
  readonly driver: string | undefined;
  /** Bytes of payload in a frame. */
  readonly mtu: number;
  /** Undefined where the driver does not know of it. */
  readonly largeReceiveOffload: boolean | undefined;
  /** What the driver says; undefined before Linux 6.3. */
  readonly xdpFeatures: ReadonlySet<XdpDriverFeature> | undefined;
  /** What is attached now. */
  readonly programs: readonly { readonly mode: XdpMode; readonly id: number }[];
}

export interface InterfaceFindings extends InterfaceFacts {
  readonly nativeXdp: 'yes' | 'no' | 'unknown';
  readonly checks: readonly Check[];
}

/** Asks the driver; nothing is changed. */
export function readInterface(
  device: NetworkInterface,
  xdpFeatures: ReadonlySet<XdpDriverFeature> | undefined,
): InterfaceFacts {
  const { name, index, up, kind, mtu, xdp } = device;
  const modes = ['native', 'generic', 'offload'] as const;
  return {
    name,
    index,
    up,
    kind,
    mtu,
    driver: deviceDriver(name)?.driver,
    largeReceiveOffload: largeReceiveOffload(name),
    xdpFeatures,
    programs: modes.flatMap((mode) => {
      const id = xdp.programs[mode];
      return id === undefined ? [] : [{ mode, id }];
    }),
  };
}

/** Judges what was read. `pageSize` is in bytes. */
export function checkInterface(facts: InterfaceFacts, { pageSize }: { pageSize: number }): InterfaceFindings {
  const { xdpFeatures } = facts;
  const nativeXdp = xdpFeatures === undefined ? 'unknown' : xdpFeatures.has('basic') ? 'yes' : 'no';
  const checks = [
    checkDriver(facts),
    checkState(facts),
    checkNativeXdp(nativeXdp, facts),
    checkMtu(facts, pageSize),
    checkLargeReceiveOffload(facts),
    checkPrograms(facts),
  ];
  return { ...facts, nativeXdp, checks: inGroup(`interface ${facts.name}`, checks) };
}

type InterfaceCheck = Omit<Check, 'group'>;

function checkDriver({ driver, kind }: InterfaceFacts): InterfaceCheck {
  const value = driver ?? kind ?? null;
  const text = driver === undefined ? (kind ?? 'does not tell') : driver;
  return { name: 'driver', status: 'info', value, text };
}

function checkState({ up, name }: InterfaceFacts): InterfaceCheck {
  if (up) return { name: 'state', status: 'ok', value: 'up' };
  return {
    name: 'state',
    status: 'warning',
    value: 'down',
    advice: `No packet arrives: ip link set dev ${name} up`,
  };
}

function checkNativeXdp(native: InterfaceFindings['nativeXdp'], facts: InterfaceFacts): InterfaceCheck {
  const name = 'native XDP';
  if (native === 'yes') return { name, status: 'ok', value: native, text: listFeatures(facts.xdpFeatures) };
  if (native === 'no') {
    return {
      name,
      status: 'warning',
      value: native,
      text: 'the driver has none',
      advice:
        'Generic mode works, on socket buffers and so slower: it is tried next, or ask for it with --mode generic.',
    };
  }
  return { name, status: 'info', value: native, text: 'drivers tell since Linux 6.3; attaching will show' };
}

function listFeatures(features: ReadonlySet<XdpDriverFeature> | undefined): string {
  return `yes (${[...(features ?? [])].join(', ')})`;
}

/** XDP_PACKET_HEADROOM of <linux/bpf.h>. */
const headroom = 256;
/** sizeof(struct skb_shared_info) on 64-bit machines, rounded up to a cache line, with the default MAX_SKB_FRAGS. */
const sharedInfoSize = 320;
const ethernetHeaderSize = 14;

/**
 * Native XDP without `xdp.frags` wants a whole frame in one page, together with headroom before it and the room for
 * struct skb_shared_info behind it (veth_xdp_set() in drivers/net/veth.c is typical). Some drivers take less.
 */
export function largestNativeMtu(pageSize: number): number {
  return pageSize - headroom - sharedInfoSize - ethernetHeaderSize;
}

function checkMtu({ mtu, name, xdpFeatures }: InterfaceFacts, pageSize: number): InterfaceCheck {
  const largest = largestNativeMtu(pageSize);
  if (mtu <= largest) return { name: 'MTU', status: 'ok', value: mtu };
  const frags =
    xdpFeatures !== undefined && !xdpFeatures.has('rx_sg')
      ? 'this driver takes no "xdp.frags" programs, which would lift it'
      : 'a program in a section "xdp.frags" lifts it (Linux 5.18)';
  return {
    name: 'MTU',
    status: 'warning',
    value: mtu,
    text: `${String(mtu)}, too large for native XDP`,
    advice:
      `A frame must fit one page of memory, which limits the MTU to about ${String(largest)}; ${frags}. ` +
      `Lower it (ip link set dev ${name} mtu ${String(Math.min(largest, 1500))}), or use --mode generic.`,
  };
}

function checkLargeReceiveOffload({ largeReceiveOffload: on, name }: InterfaceFacts): InterfaceCheck {
  const check = { name: 'large receive offload', value: on ?? null };
  if (on === undefined) return { ...check, status: 'info', text: 'the driver does not know of it' };
  if (!on) return { ...check, status: 'ok', text: 'off' };
  return {
    ...check,
    status: 'warning',
    text: 'on',
    advice: `Most drivers refuse native XDP so: ethtool -K ${name} lro off`,
  };
}

function checkPrograms({ programs, name }: InterfaceFacts): InterfaceCheck {
  const check = { name: 'attached' };
  if (programs.length === 0) return { ...check, status: 'ok', value: null, text: 'no XDP program' };
  const text = programs.map(({ mode, id }) => `program ${String(id)} (${mode})`).join(', ');
  return {
    ...check,
    status: 'warning',
    value: text,
    advice: `Another one is refused: take its place with --replace, or detach it with ts-xdp unload --iface ${name}.`,
  };
}
