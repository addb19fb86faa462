import { RTM_GETTCLASS, RTM_NEWTCLASS, tcmsg } from '../uapi/index.ts';
import { checkIndex, nameOf } from './change-interfaces.ts';
import { clsactSide, decodeQdisc, type Qdisc, type TrafficDevice } from './qdiscs.ts';
import type { RouteSocket } from './route-socket.ts';

/** What filters hang on. */
export interface FilterParent extends TrafficDevice {
  /** A qdisc, its side, or a class: see `clsactSide()` and `filterParents()`. */
  readonly parent: number;
}

/**
 * What filters of an interface may hang on: classes, qdiscs, and the two sides of clsact, of which it has one at most. `qdiscs`
 * are those of the namespace (`listQdiscs()`), `kind` is that of the qdisc.
 *
 * @throws NetlinkError, PermissionError
 */
export function filterParents(
  socket: RouteSocket,
  { device, qdiscs }: { device: TrafficDevice; qdiscs: readonly Qdisc[] },
): (FilterParent & { readonly kind: string })[] {
  // Without a handle of its own a qdisc cannot be named as a parent; mq has classes then, and those take no filters.
  const own = qdiscs.filter(({ ifindex, handle }) => ifindex === device.ifindex && handle !== 0);
  const classful = own.some(({ kind }) => kind !== 'clsact' && kind !== 'ingress');
  return [
    ...(classful ? listClasses(socket, device) : []),
    ...own.filter(({ kind }) => kind !== 'clsact'),
    ...own.filter(({ kind }) => kind === 'clsact').flatMap(bothSides),
  ].map(({ kind, handle }) => ({ ifindex: device.ifindex, name: device.name, kind, parent: handle }));
}

function bothSides({ ifindex, kind }: Qdisc): Qdisc[] {
  return (['ingress', 'egress'] as const).map((side) => ({ ifindex, kind, handle: clsactSide(side) }));
}

/** The classes of all qdiscs of an interface, whose message is that of a qdisc. */
function listClasses(socket: RouteSocket, { ifindex, name }: TrafficDevice): Qdisc[] {
  const messages = socket.dump({
    type: RTM_GETTCLASS,
    request: 'RTM_GETTCLASS',
    doing: `list the traffic classes of ${nameOf({ index: ifindex, name })}`,
    body: tcmsg.encode({ tcm_ifindex: checkIndex(ifindex) }),
  });
  return messages.filter(({ type }) => type === RTM_NEWTCLASS).map(({ body }) => decodeQdisc(body));
}
