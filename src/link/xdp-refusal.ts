import type { NetlinkError } from '../errors.ts';
import type { XdpMode } from './xdp-mode.ts';

/** What stands in the way of XDP: the packet size, large receive offload, the driver, the kind of device. */
export type XdpObstacle = 'mtu' | 'lro' | 'driver' | 'device_kind';

/** Why one mode was refused. */
export interface XdpRefusal {
  readonly mode: XdpMode;
  readonly via: 'link' | 'netlink';
  readonly errnoName: string;
  /** The kernel's own text where netlink gave one, otherwise what is known of the errno. */
  readonly reason: string;
  readonly obstacle: XdpObstacle | undefined;
}

/** Texts of net/core/dev.c and of drivers (veth, virtio_net, mlx5, ixgbe, …), lower case. */
const SIGNS: readonly [pattern: RegExp, obstacle: XdpObstacle][] = [
  [/\bmtu\b|frame size|too large|jumbo/, 'mtu'],
  [/\blro\b|gro_hw|receive offload/, 'lro'],
  [/underlying driver does not support|not supported by (the )?driver|drv_mode/, 'driver'],
  [/xdp.*(bond|team|bridge|vlan|master|slave)|device is a bond/, 'device_kind'],
];

/** What to do about an obstacle. */
export const OBSTACLE_HINTS: Record<XdpObstacle, string> = {
  mtu: 'lower the MTU (ip link set dev NAME mtu 3498 or less), use an xdp.frags program, or --mode generic',
  lro: 'switch large receive offload off: ethtool -K NAME lro off',
  driver: 'the driver has no native XDP: use --mode generic',
  device_kind: 'this kind of device takes no XDP in this mode: use --mode generic, or its lower device',
};

/** Names the obstacle that an errno and the kernel's text speak of. */
export function classifyRefusal(facts: {
  errnoName: string;
  text: string | undefined;
}): XdpObstacle | undefined {
  const text = facts.text?.toLowerCase() ?? '';
  const sign = SIGNS.find(([pattern]) => pattern.test(text));
  if (sign) return sign[1];
  if (facts.errnoName === 'ERANGE') return 'mtu';
  if (facts.errnoName === 'EOPNOTSUPP') return 'driver';
  return undefined;
}

export function refusalOf(
  error: NetlinkError,
  attempt: { mode: XdpMode; via: 'link' | 'netlink'; errnoName?: string },
): XdpRefusal {
  const errnoName = attempt.errnoName ?? error.errnoName;
  return {
    mode: attempt.mode,
    via: attempt.via,
    errnoName,
    reason: error.extack ?? error.errnoName,
    obstacle: classifyRefusal({ errnoName, text: error.extack }),
  };
}
