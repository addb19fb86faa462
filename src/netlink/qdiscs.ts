import {
  EEXIST,
  EINVAL,
  ENOENT,
  NLM_F_CREATE,
  NLM_F_EXCL,
  RTM_DELQDISC,
  RTM_GETQDISC,
  RTM_NEWQDISC,
  TCA_KIND,
  TC_H_CLSACT,
  TC_H_MAJ_MASK,
  TC_H_MIN_EGRESS,
  TC_H_MIN_INGRESS,
  tcmsg,
} from '../uapi/index.ts';
import { Attributes, concatenate, encodeAttributes, stringAttribute } from './attributes.ts';
import { checkIndex, nameOf } from './change-interfaces.ts';
import { netlinkError } from './netlink-error.ts';
import type { RouteRequest, RouteSocket } from './route-socket.ts';

/** An interface, and for messages its name. */
export interface TrafficDevice {
  readonly ifindex: number;
  /** @default the index */
  readonly name?: string | undefined;
}

/** A queueing discipline of an interface, or a class of one. */
export interface Qdisc {
  readonly ifindex: number;
  /** `clsact`, `ingress`, `htb`, … */
  readonly kind: string;
  /** `ffff:` is 0xffff0000, class `1:10` is 0x10010. */
  readonly handle: number;
}

/** The handle of the clsact qdisc, `ffff:`. */
const CLSACT_HANDLE = (TC_H_CLSACT & TC_H_MAJ_MASK) >>> 0;

/** What filters of incoming (`ffff:fff2`) and outgoing (`ffff:fff3`) packets hang on at clsact. */
export function clsactSide(direction: 'ingress' | 'egress'): number {
  return (CLSACT_HANDLE | (direction === 'ingress' ? TC_H_MIN_INGRESS : TC_H_MIN_EGRESS)) >>> 0;
}

/** Undefined for another parent than a side of clsact. */
export function directionAt(parent: number): 'ingress' | 'egress' | undefined {
  return (['ingress', 'egress'] as const).find((direction) => clsactSide(direction) === parent);
}

/**
 * Makes the qdisc that filters of incoming and outgoing packets hang on (Linux 4.5). False where it is there already.
 *
 * @throws NetlinkError with the kernel's own text: EEXIST where an ingress qdisc has the place
 */
export function addClsact(socket: RouteSocket, device: TrafficDevice): boolean {
  const request = qdiscRequest('RTM_NEWQDISC', device);
  const { outcome } = socket.tryRequest(request);
  if (outcome.errno === EEXIST) return false;
  if (outcome.errno !== 0) throw netlinkError(request, outcome);
  return true;
}

/** Takes it away, and every filter on it. False where there is none. */
export function deleteClsact(socket: RouteSocket, device: TrafficDevice): boolean {
  const request = qdiscRequest('RTM_DELQDISC', device);
  const { outcome } = socket.tryRequest(request);
  if (outcome.errno === ENOENT || outcome.errno === EINVAL) return false;
  if (outcome.errno !== 0) throw netlinkError(request, outcome);
  return true;
}

function qdiscRequest(request: 'RTM_NEWQDISC' | 'RTM_DELQDISC', device: TrafficDevice): RouteRequest {
  const adding = request === 'RTM_NEWQDISC';
  const target = nameOf({ index: device.ifindex, name: device.name });
  return {
    type: adding ? RTM_NEWQDISC : RTM_DELQDISC,
    request,
    doing: adding ? `add a clsact qdisc to ${target}` : `delete the clsact qdisc of ${target}`,
    flags: adding ? NLM_F_CREATE | NLM_F_EXCL : 0,
    body: concatenate([
      tcmsg.encode({
        tcm_ifindex: checkIndex(device.ifindex),
        tcm_handle: CLSACT_HANDLE,
        tcm_parent: TC_H_CLSACT,
      }),
      encodeAttributes([stringAttribute(TCA_KIND, 'clsact')]),
    ]),
  };
}

/** Every qdisc of the socket's namespace. */
export function listQdiscs(socket: RouteSocket): Qdisc[] {
  const messages = socket.dump({
    type: RTM_GETQDISC,
    request: 'RTM_GETQDISC',
    doing: 'list the qdiscs',
    body: tcmsg.encode({}),
  });
  return messages.filter(({ type }) => type === RTM_NEWQDISC).map(({ body }) => decodeQdisc(body));
}

/** @throws BoundsError for a message that is cut short */
export function decodeQdisc(body: Uint8Array): Qdisc {
  const { tcm_ifindex, tcm_handle } = tcmsg.decode(body);
  const kind = Attributes.parse(body.subarray(tcmsg.size)).string(TCA_KIND) ?? '';
  return { ifindex: tcm_ifindex, kind, handle: tcm_handle };
}
