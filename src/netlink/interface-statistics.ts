import { NotFoundError } from '../errors.ts';
import { IFLA_STATS64, RTM_GETLINK, RTM_NEWLINK, ifinfomsg, rtnl_link_stats64 } from '../uapi/index.ts';
import { Attributes } from './attributes.ts';
import { checkIndex, nameOf, type InterfaceReference } from './change-interfaces.ts';
import type { RouteSocket } from './route-socket.ts';

/** What the kernel counts of an interface, as `ip -s link` shows it. `rtnl_link_stats64` of linux/if_link.h says more of each. */
export type InterfaceStatistics = Readonly<
  Pick<
    rtnl_link_stats64,
    | 'rx_packets'
    | 'tx_packets'
    | 'rx_bytes'
    | 'tx_bytes'
    | 'rx_errors'
    | 'tx_errors'
    | 'rx_dropped'
    | 'tx_dropped'
  >
>;

/** Throws {@link NetlinkError}: ENODEV where the interface is gone. */
export function interfaceStatistics(socket: RouteSocket, target: InterfaceReference): InterfaceStatistics {
  const messages = socket.request({
    type: RTM_GETLINK,
    request: 'RTM_GETLINK',
    doing: `read the statistics of ${nameOf(target)}`,
    body: ifinfomsg.encode({ ifi_index: checkIndex(target.index) }),
  });
  const link = messages.find(({ type }) => type === RTM_NEWLINK);
  const bytes = link && Attributes.parse(link.body.subarray(ifinfomsg.size)).bytes(IFLA_STATS64);
  if (!bytes) {
    throw new NotFoundError(
      'INTERFACE_NOT_FOUND',
      nameOf(target),
      `Cannot read the statistics of ${nameOf(target)}: the kernel gives none`,
    );
  }
  // Older kernels know fewer fields, and newer ones more.
  const known = new Uint8Array(rtnl_link_stats64.size);
  known.set(bytes.subarray(0, known.length));
  return rtnl_link_stats64.decode(known);
}
