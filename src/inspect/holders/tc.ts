import { filterParents, listBpfFilters, listQdiscs } from '../../netlink/index.ts';
import type { TcHolder } from './holder.ts';
import type { Network, Search } from './search.ts';

/** Filters of kind bpf on any qdisc and class of a namespace. */
export function tcHolders({ held }: Search, { reference, socket, interfaces }: Network): TcHolder[] {
  const qdiscs = listQdiscs(socket);
  return interfaces.flatMap(({ index, name }) =>
    filterParents(socket, { device: { ifindex: index, name }, qdiscs }).flatMap((parent) =>
      listBpfFilters(socket, parent)
        .filter(({ programId }) => programId === held.id)
        .map(({ direction, priority, protocol, chain, handle, block }): TcHolder => {
          return {
            kind: 'tc',
            ...{ interface: name, ifindex: index, netns: reference },
            qdisc: parent.kind,
            parent: parent.parent,
            direction: direction ?? (parent.kind === 'ingress' ? 'ingress' : 'egress'),
            ...{ priority, protocol, chain, handle, block },
          };
        }),
    ),
  );
}
