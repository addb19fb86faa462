import { queryHook } from '../../link/index.ts';
import { listInterfaces, RouteSocket } from '../../netlink/index.ts';
import { AttachType, type AttachTypeName } from '../../programs/index.ts';
import { withNetworkNamespace, type NetworkNamespace } from '../../sys/index.ts';
import * as uapi from '../../uapi/index.ts';
import type { NetnsHolder, TcHolder, TcxHolder, XdpHolder } from './holder.ts';
import { openNamespace, type NamespaceReference } from './network-namespaces.ts';
import type { Network, Search } from './search.ts';
import { tcHolders } from './tc.ts';

type Finder = (search: Search, network: Network) => (XdpHolder | TcHolder | TcxHolder | NetnsHolder)[];

/** What a program of a type may be attached to in a network namespace; the others need not be looked at. */
const finders: Readonly<Partial<Record<number, readonly Finder[]>>> = {
  [uapi.BPF_PROG_TYPE_XDP]: [xdpHolders],
  [uapi.BPF_PROG_TYPE_SCHED_CLS]: [tcHolders, tcxHolders],
  [uapi.BPF_PROG_TYPE_FLOW_DISSECTOR]: [netnsHolders],
  [uapi.BPF_PROG_TYPE_SK_LOOKUP]: [netnsHolders],
};

/** Where a program is in every network namespace. @throws PermissionError, NetlinkError, SyscallError */
export function networkHolders(search: Search): (XdpHolder | TcHolder | TcxHolder | NetnsHolder)[] {
  const { held, type = 0 } = search;
  const find = held.kind === 'program' ? (finders[type] ?? []) : [];
  if (find.length === 0) return [];
  return search.networkNamespaces.flatMap((reference) => {
    const netns = openNamespace(reference);
    if (netns === undefined) return [];
    try {
      return withNetworkNamespace(netns, () => lookInto(search, { reference, netns, find }));
    } finally {
      netns.close();
    }
  });
}

function lookInto(
  search: Search,
  place: { reference: NamespaceReference; netns: NetworkNamespace; find: readonly Finder[] },
): ReturnType<Finder> {
  const socket = RouteSocket.open();
  try {
    const network = { ...place, socket, interfaces: listInterfaces(socket) };
    return place.find.flatMap((finder) => finder(search, network));
  } finally {
    socket.close();
  }
}

/** The program on an interface, and the link by which it is there. */
function xdpHolders({ held, links }: Search, { reference, interfaces }: Network): XdpHolder[] {
  return interfaces.flatMap(({ index, name, xdp }) =>
    (['native', 'generic', 'offload'] as const)
      .filter((mode) => xdp.programs[mode] === held.id)
      .map((mode): XdpHolder => {
        // The kernel does not tell the namespace of a link's interface; two of one index would need two links of one program.
        const link = links.find(
          (info) => info.kind === 'xdp' && info.programId === held.id && info.ifindex === index,
        );
        return { kind: 'xdp', interface: name, ifindex: index, netns: reference, mode, linkId: link?.id };
      }),
  );
}

/** Those without a link: links tell of themselves. */
function tcxHolders({ kernel, held }: Search, { reference, interfaces }: Network): TcxHolder[] {
  return interfaces.flatMap(({ index, name, kind: device }) => {
    const types: Readonly<Record<'tcx' | 'netkit', readonly AttachTypeName[]>> = {
      tcx: ['tcx_ingress', 'tcx_egress'],
      netkit: device === 'netkit' ? ['netkit_primary', 'netkit_peer'] : [],
    };
    return (['tcx', 'netkit'] as const).flatMap((kind) =>
      types[kind]
        .filter((attachType) => {
          const answer = queryHook(kernel, {
            place: { ifindex: index },
            attachType: AttachType[attachType],
            doing: `list the programs of ${name}`,
          });
          return answer?.programs.some(({ programId, linkId }) => programId === held.id && linkId === 0);
        })
        .map((attachType): TcxHolder => {
          return { kind, interface: name, ifindex: index, netns: reference, attachType };
        }),
    );
  });
}

function netnsHolders({ kernel, held, links }: Search, { reference, netns }: Network): NetnsHolder[] {
  return (['flow_dissector', 'sk_lookup'] as const)
    .filter((attachType) => {
      const byLink = links.some(
        (info) => info.kind === 'netns' && info.programId === held.id && info.inode === reference.inode,
      );
      if (byLink) return false;
      const answer = queryHook(kernel, {
        place: { fd: netns.fd.value },
        attachType: AttachType[attachType],
        doing: 'list the programs of a network namespace',
      });
      return answer?.programs.some(({ programId }) => programId === held.id);
    })
    .map((attachType) => ({ kind: 'netns', netns: reference, attachType }));
}
