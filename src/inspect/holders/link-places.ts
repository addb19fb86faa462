import { PermissionError } from '../../errors.ts';
import { queryHook, type LinkInfo } from '../../link/index.ts';
import { listInterfaces, RouteSocket, type NetworkInterface } from '../../netlink/index.ts';
import { AttachType } from '../../programs/index.ts';
import { withNetworkNamespace, type Kernel } from '../../sys/index.ts';
import { visibleMounts } from './mounts.ts';
import { findNetworkNamespaces, openNamespace, type NamespaceReference } from './network-namespaces.ts';
import { surveyProcesses } from './processes.ts';

/** Where in the network a link is. */
export interface LinkPlace {
  readonly netns: NamespaceReference;
  /** The name of its interface there; undefined for a link on the namespace as a whole. */
  readonly interface: string | undefined;
}

type OnInterface = Extract<LinkInfo, { kind: 'xdp' | 'tcx' | 'netkit' }>;

/**
 * Where links on interfaces and network namespaces are, by their ids. The kernel tells the index of an interface and not whose
 * namespace it counts in, so the namespaces are looked through for the one that has the link. What was not found, or could be
 * one of several, is left out.
 *
 * @throws NetlinkError, SyscallError
 */
export function findLinkPlaces(
  kernel: Kernel,
  links: readonly LinkInfo[],
  { namespaces }: { readonly namespaces?: readonly NamespaceReference[] } = {},
): ReadonlyMap<number, LinkPlace> {
  const placed = links.filter((link) => link.kind === 'netns' || isOnInterface(link));
  if (placed.length === 0) return new Map();
  const references = namespaces ?? surveyedNamespaces();
  const found = new Map<number, LinkPlace[]>();
  for (const link of placed) {
    const netns = link.kind === 'netns' && references.find(({ inode }) => inode === link.inode);
    if (netns !== undefined && netns !== false) found.set(link.id, [{ netns, interface: undefined }]);
  }
  const wanted = placed.filter(isOnInterface);
  for (const netns of wanted.length === 0 ? [] : references) {
    for (const { id, name } of linksIn(kernel, { netns, wanted })) {
      const place = { netns, interface: name };
      found.set(id, [...(found.get(id) ?? []), place]);
    }
  }
  return new Map(
    [...found].flatMap(([id, places]) => (places.length === 1 && places[0] ? [[id, places[0]]] : [])),
  );
}

/** An index of 0 is that of no interface: it is gone. */
function isOnInterface(link: LinkInfo): link is OnInterface {
  const { kind } = link;
  return (kind === 'xdp' || kind === 'tcx' || kind === 'netkit') && link.ifindex !== 0;
}

function surveyedNamespaces(): NamespaceReference[] {
  const processes = surveyProcesses();
  return findNetworkNamespaces(processes, visibleMounts(processes));
}

interface FoundLink {
  readonly id: number;
  readonly name: string;
}

function linksIn(
  kernel: Kernel,
  { netns, wanted }: { netns: NamespaceReference; wanted: readonly OnInterface[] },
): FoundLink[] {
  const open = openOrSkip(netns);
  if (open === undefined) return [];
  try {
    return withNetworkNamespace(open, () => {
      using socket = RouteSocket.open();
      const interfaces = listInterfaces(socket);
      return wanted.flatMap((link): FoundLink[] => {
        const device = interfaces.find(({ index }) => index === link.ifindex);
        if (device === undefined || !isAttachedTo(kernel, { link, device })) return [];
        return [{ id: link.id, name: device.name }];
      });
    });
  } catch (error) {
    // Of a user namespace that this process has no power over: its links stay without a place, as the caller says.
    if (error instanceof PermissionError) return [];
    throw error;
  } finally {
    open.close();
  }
}

function openOrSkip(netns: NamespaceReference): ReturnType<typeof openNamespace> {
  try {
    return openNamespace(netns);
  } catch (error) {
    if (error instanceof PermissionError) return undefined;
    throw error;
  }
}

function isAttachedTo(
  kernel: Kernel,
  { link, device }: { link: OnInterface; device: NetworkInterface },
): boolean {
  // Netlink tells the program of XDP alone, and never the link (dev_xdp_prog_id() of net/core/dev.c).
  if (link.kind === 'xdp')
    return Object.values(device.xdp.programs).some((programId) => programId === link.programId);
  const answer = queryHook(kernel, {
    place: { ifindex: device.index },
    attachType: AttachType[link.attachType as keyof typeof AttachType],
    doing: `list the programs of ${device.name}`,
  });
  return answer?.programs.some(({ linkId }) => linkId === link.id) ?? false;
}
