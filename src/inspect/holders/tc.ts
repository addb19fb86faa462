import { listQdiscFilters, listQdiscs } from '../../netlink/index.ts';
import { TC_H_MIN_EGRESS, TC_H_MIN_MASK } from '../../uapi/index.ts';
import type { TcHolder } from './holder.ts';
import type { Network, Search } from './search.ts';

/** Filters of kind bpf on any qdisc of a namespace. */
export function tcHolders({ held }: Search, { reference, socket, interfaces }: Network): TcHolder[] {
  return listQdiscs(socket).flatMap((qdisc) =>
    listQdiscFilters(socket, qdisc)
      .filter(({ programId }) => programId === held.id)
      .map(({ parent, priority, protocol, chain, handle }): TcHolder => {
        const name = interfaces.find(({ index }) => index === qdisc.ifindex)?.name ?? String(qdisc.ifindex);
        const outgoing =
          qdisc.kind === 'clsact' ? (parent & TC_H_MIN_MASK) === TC_H_MIN_EGRESS : qdisc.kind !== 'ingress';
        return {
          kind: 'tc',
          interface: name,
          ifindex: qdisc.ifindex,
          netns: reference,
          qdisc: qdisc.kind,
          direction: outgoing ? 'egress' : 'ingress',
          ...{ parent, priority, protocol, chain, handle },
        };
      }),
  );
}
