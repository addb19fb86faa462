import { inNamespace } from '../link/index.ts';
import { listAddresses, parseIpAddress, RouteSocket } from '../netlink/index.ts';
import type { NetworkNamespace } from '../sys/index.ts';
import type { SnifferMaps, WatchedInterface } from './sniffer-maps.ts';

/** Fills the sniffer's maps: this host's addresses, and the interfaces with their modes and names. */
export function fillSnifferMaps(
  maps: SnifferMaps,
  { targets, netns }: { targets: readonly WatchedInterface[]; netns: NetworkNamespace | undefined },
): { addresses: number } {
  const addresses = inNamespace(netns, () => {
    const socket = RouteSocket.open();
    try {
      return listAddresses(socket);
    } finally {
      socket.close();
    }
  });
  for (const { address } of addresses) maps.addLocalAddress(parseIpAddress(address));
  for (const target of targets) maps.setInterface(target);
  return { addresses: addresses.length };
}
