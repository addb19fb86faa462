import {
  concatenate,
  encodeAttributes,
  interfaceByName,
  setInterface,
  stringAttribute,
  type RouteSocket,
} from '../../src/netlink/index.ts';
import * as uapi from '../../src/uapi/index.ts';

/** Makes a pair of netkit devices that are up; false where this kernel has none. */
export function addNetkitPair(socket: RouteSocket, [primary, peer]: readonly [string, string]): boolean {
  const header = uapi.ifinfomsg.encode({});
  const name = (text: string) => stringAttribute(uapi.IFLA_IFNAME, text);
  const kind = {
    type: uapi.IFLA_LINKINFO,
    value: [
      { type: uapi.IFLA_INFO_KIND, value: new TextEncoder().encode('netkit') },
      {
        type: uapi.IFLA_INFO_DATA,
        value: [
          { type: uapi.IFLA_NETKIT_PEER_INFO, value: concatenate([header, encodeAttributes([name(peer)])]) },
        ],
      },
    ],
  };
  try {
    socket.request({
      type: uapi.RTM_NEWLINK,
      request: 'RTM_NEWLINK',
      flags: uapi.NLM_F_CREATE | uapi.NLM_F_EXCL,
      doing: `create the netkit pair ${primary} and ${peer}`,
      body: concatenate([header, encodeAttributes([name(primary), kind])]),
    });
  } catch (error) {
    if ((error as { errnoName?: string }).errnoName === 'EOPNOTSUPP') return false;
    throw error;
  }
  for (const end of [primary, peer])
    setInterface(socket, { ...interfaceByName(socket, end), change: { up: true } });
  return true;
}
