import {
  IFLA_IFNAME,
  IFLA_INFO_DATA,
  IFLA_INFO_KIND,
  IFLA_LINKINFO,
  IFLA_VXLAN_COLLECT_METADATA,
  IFLA_VXLAN_LEARNING,
  IFLA_VXLAN_PORT,
  NLM_F_CREATE,
  NLM_F_EXCL,
  RTM_NEWLINK,
  ifinfomsg,
} from '../uapi/index.ts';
import { concatenate, encodeAttributes, stringAttribute } from './attributes.ts';
import { checkInterfaceName } from './change-interfaces.ts';
import { interfaceByName } from './find-interfaces.ts';
import type { NetworkInterface } from './interface.ts';
import type { RouteSocket } from './route-socket.ts';

export interface VxlanOptions {
  /** At most 15 characters. */
  readonly name: string;
  /** The UDP port that it sends to and listens at. @default 4789 */
  readonly port?: number | undefined;
}

/**
 * Makes a VXLAN device that is told of each packet where it goes (`external`: bpf_skb_set_tunnel_key(), or a route), down.
 * One may be there for a port. The port is taken when the device comes up.
 *
 * Throws {@link NetlinkError}: EEXIST where the name is taken, or the port has such a device; EOPNOTSUPP where the kernel has
 * no VXLAN. `setInterface()` to up throws EADDRINUSE where somebody else has the port.
 */
export function createVxlan(socket: RouteSocket, { name, port = 4789 }: VxlanOptions): NetworkInterface {
  const flag = (type: number, value: number): { type: number; value: Uint8Array } => ({
    type,
    value: Uint8Array.of(value),
  });
  const kind = {
    type: IFLA_LINKINFO,
    value: [
      { type: IFLA_INFO_KIND, value: new TextEncoder().encode('vxlan') },
      {
        type: IFLA_INFO_DATA,
        value: [
          // In network order, unlike other numbers (vxlan_nl2conf() in drivers/net/vxlan/vxlan_core.c).
          { type: IFLA_VXLAN_PORT, value: Uint8Array.of(port >> 8, port & 0xff) },
          flag(IFLA_VXLAN_COLLECT_METADATA, 1),
          flag(IFLA_VXLAN_LEARNING, 0),
        ],
      },
    ],
  };
  socket.request({
    type: RTM_NEWLINK,
    request: 'RTM_NEWLINK',
    flags: NLM_F_CREATE | NLM_F_EXCL,
    doing: `create the VXLAN device ${name}`,
    body: concatenate([
      ifinfomsg.encode({}),
      encodeAttributes([stringAttribute(IFLA_IFNAME, checkInterfaceName(name)), kind]),
    ]),
  });
  return interfaceByName(socket, name);
}
