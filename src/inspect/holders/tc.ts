import { filterParents, listBpfFilters, listQdiscs } from '../../netlink/index.ts';
import type { TcHolder } from './holder.ts';
import type { Network, Search } from './search.ts';

/** Filters of kind bpf on any qdisc of a namespace. */
export function tcHolders({ held }: Search, { reference, socket, interfaces }: Network): TcHolder[] {
  return listQdiscs(socket).flatMap((qdisc) =>
    filterParents(qdisc)
      .flatMap((parent) => listBpfFilters(socket, { ifindex: qdisc.ifindex, parent }))
      .filter(({ programId }) => programId === held.id)
      .map(({ parent, direction, priority, protocol, chain, handle }): TcHolder => {
        const name = interfaces.find(({ index }) => index === qdisc.ifindex)?.name ?? String(qdisc.ifindex);
        return {
          kind: 'tc',
          interface: name,
          ifindex: qdisc.ifindex,
          netns: reference,
          qdisc: qdisc.kind,
          direction: direction ?? (qdisc.kind === 'ingress' ? 'ingress' : 'egress'),
          ...{ parent, priority, protocol, chain, handle },
        };
      }),
  );
}
