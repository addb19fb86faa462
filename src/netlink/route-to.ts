import { socketConstants } from '../sys/index.ts';
import { RTA_DST, RTA_OIF, RTM_GETROUTE, RTM_NEWROUTE, rtmsg } from '../uapi/index.ts';
import { Attributes, concatenate, encodeAttributes } from './attributes.ts';
import { parseIpAddress } from './ip-address.ts';
import type { RouteSocket } from './route-socket.ts';

const AF_INET6 = 10;

/**
 * The index of the interface that packets to an address leave by; undefined where the route names none. What a route of more
 * than one hop does with a packet may depend on more than its address.
 *
 * Throws {@link ArgumentError} for what is no address, {@link NetlinkError}: ENETUNREACH where there is no route.
 */
export function interfaceTowards(socket: RouteSocket, address: string): number | undefined {
  const bytes = parseIpAddress(address);
  const messages = socket.request({
    type: RTM_GETROUTE,
    request: 'RTM_GETROUTE',
    doing: `find the route to ${address}`,
    body: concatenate([
      rtmsg.encode({
        rtm_family: bytes.length === 4 ? socketConstants.AF_INET : AF_INET6,
        rtm_dst_len: bytes.length * 8,
      }),
      encodeAttributes([{ type: RTA_DST, value: bytes }]),
    ]),
  });
  const route = messages.find(({ type }) => type === RTM_NEWROUTE);
  return route && Attributes.parse(route.body.subarray(rtmsg.size)).u32(RTA_OIF);
}
