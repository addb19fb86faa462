import {
  EEXIST,
  EINVAL,
  ENODEV,
  ENOENT,
  ETH_P_ALL,
  NLM_F_CREATE,
  NLM_F_ECHO,
  NLM_F_EXCL,
  NLM_F_REPLACE,
  RTM_DELQDISC,
  RTM_DELTFILTER,
  RTM_GETTFILTER,
  RTM_NEWQDISC,
  RTM_NEWTFILTER,
  TCA_BPF_FD,
  TCA_BPF_FLAGS,
  TCA_BPF_FLAG_ACT_DIRECT,
  TCA_BPF_ID,
  TCA_BPF_NAME,
  TCA_KIND,
  TCA_OPTIONS,
  TC_H_CLSACT,
  TC_H_MAJ_MASK,
  TC_H_MIN_EGRESS,
  TC_H_MIN_INGRESS,
  tcmsg,
} from '../uapi/index.ts';
import { Attributes, concatenate, encodeAttributes, numberAttribute, stringAttribute } from './attributes.ts';
import type { Attribute } from './attributes.ts';
import { checkIndex, nameOf } from './change-interfaces.ts';
import type { Outcome } from './message.ts';
import { netlinkError } from './netlink-error.ts';
import type { RouteRequest, RouteSocket } from './route-socket.ts';

/** An interface, and for messages its name. */
export interface TrafficDevice {
  readonly ifindex: number;
  /** @default the index */
  readonly name?: string | undefined;
}

/** Where a filter is. */
export interface BpfFilterPlace extends TrafficDevice {
  readonly direction: 'ingress' | 'egress';
  /** Lower runs first, 1 to 65535; 0 lets the kernel choose. */
  readonly priority: number;
  /** Tells filters of one priority apart; 0 lets the kernel choose. */
  readonly handle: number;
}

/** A filter of kind bpf that is there. */
export interface BpfFilter extends BpfFilterPlace {
  readonly programId: number;
  /** What tc(8) shows: usually the object and the section; undefined where it was added without. */
  readonly programName: string | undefined;
  /** Whether the program's return value is the verdict. */
  readonly directAction: boolean;
}

/** The handle of the clsact qdisc, `ffff:`. */
const CLSACT_HANDLE = TC_H_CLSACT & TC_H_MAJ_MASK;

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
        tcm_handle: CLSACT_HANDLE >>> 0,
        tcm_parent: TC_H_CLSACT,
      }),
      encodeAttributes([stringAttribute(TCA_KIND, 'clsact')]),
    ]),
  };
}

export interface NewBpfFilter extends BpfFilterPlace {
  readonly programFd: number;
  /** What tc(8) shows. */
  readonly programName: string;
  /** Take the place of the filter with this priority and handle. @default false */
  readonly replace?: boolean;
}

/**
 * Adds a filter that runs a program and takes its return value as the verdict (direct action, Linux 4.4). Returns it
 * with the priority and handle that it got. The filter stays until it is deleted, or the interface is gone.
 *
 * @throws NetlinkError: EEXIST where one has that priority and handle, ENOENT for `replace` where none has
 */
export function addBpfFilter(socket: RouteSocket, filter: NewBpfFilter): BpfFilter {
  const request: RouteRequest = {
    ...filterRequest('RTM_NEWTFILTER', filter, [{ type: TCA_OPTIONS, value: options(filter) }]),
    // Without EXCL the kernel changes the filter that is there.
    flags: NLM_F_ECHO | NLM_F_CREATE | (filter.replace === true ? NLM_F_REPLACE : NLM_F_EXCL),
  };
  const echo = socket.request(request).find(({ type }) => type === RTM_NEWTFILTER);
  const added = echo && decodeFilter(echo.body, filter);
  if (added) return added;
  throw netlinkError(request, { errno: ENOENT, extack: 'the kernel did not tell which filter it made' });
}

/** Deletes one filter. False where it, or the interface, is gone. */
export function deleteBpfFilter(socket: RouteSocket, place: BpfFilterPlace): boolean {
  const request = filterRequest('RTM_DELTFILTER', place, []);
  const { outcome } = socket.tryRequest(request);
  if (outcome.errno === 0) return true;
  if (isGone(outcome)) return false;
  throw netlinkError(request, outcome);
}

/** Without a clsact qdisc there is no parent class, which is EINVAL (tc_del_tfilter() in net/sched/cls_api.c). */
function isGone(outcome: Outcome): boolean {
  return outcome.errno === ENOENT || outcome.errno === ENODEV || outcome.errno === EINVAL;
}

/** The filters of kind bpf in one direction, in the order in which they run. */
export function listBpfFilters(
  socket: RouteSocket,
  place: TrafficDevice & { readonly direction: 'ingress' | 'egress' },
): BpfFilter[] {
  const request = filterRequest('RTM_GETTFILTER', { ...place, priority: 0, handle: 0 }, []);
  const messages = socket.dump({
    ...request,
    body: tcmsg.encode({ tcm_ifindex: checkIndex(place.ifindex), tcm_parent: parentOf(place.direction) }),
  });
  return messages.flatMap(({ body }) => decodeFilter(body, place) ?? []);
}

function filterRequest(
  request: 'RTM_NEWTFILTER' | 'RTM_DELTFILTER' | 'RTM_GETTFILTER',
  place: BpfFilterPlace,
  attributes: readonly Attribute[],
): RouteRequest {
  const target = `${nameOf({ index: place.ifindex, name: place.name })} (${place.direction})`;
  const verbs = {
    RTM_NEWTFILTER: ['attach a tc program to', RTM_NEWTFILTER],
    RTM_DELTFILTER: ['detach the tc program from', RTM_DELTFILTER],
    RTM_GETTFILTER: ['list the tc programs of', RTM_GETTFILTER],
  } as const;
  const [verb, type] = verbs[request];
  return {
    type,
    request,
    doing: `${verb} ${target}`,
    body: concatenate([
      tcmsg.encode({
        tcm_ifindex: checkIndex(place.ifindex),
        tcm_handle: place.handle,
        tcm_parent: parentOf(place.direction),
        // The priority, and the protocol in network order.
        tcm_info: ((place.priority << 16) | swap16(ETH_P_ALL)) >>> 0,
      }),
      encodeAttributes([stringAttribute(TCA_KIND, 'bpf'), ...attributes]),
    ]),
  };
}

function parentOf(direction: 'ingress' | 'egress'): number {
  return (
    ((TC_H_CLSACT & TC_H_MAJ_MASK) | (direction === 'ingress' ? TC_H_MIN_INGRESS : TC_H_MIN_EGRESS)) >>> 0
  );
}

function swap16(value: number): number {
  return ((value & 0xff) << 8) | (value >>> 8);
}

function options(filter: NewBpfFilter): Attribute[] {
  return [
    numberAttribute(TCA_BPF_FD, filter.programFd),
    stringAttribute(TCA_BPF_NAME, filter.programName),
    numberAttribute(TCA_BPF_FLAGS, TCA_BPF_FLAG_ACT_DIRECT),
  ];
}

/** Undefined for a filter of another kind, and for the head of a priority, which has no options. */
function decodeFilter(
  body: Uint8Array,
  place: TrafficDevice & { readonly direction: 'ingress' | 'egress' },
): BpfFilter | undefined {
  const { tcm_handle, tcm_info } = tcmsg.decode(body);
  const attributes = Attributes.parse(body.subarray(tcmsg.size));
  const nested = attributes.nested(TCA_OPTIONS);
  if (attributes.string(TCA_KIND) !== 'bpf' || nested === undefined || tcm_handle === 0) return undefined;
  const { ifindex, name, direction } = place;
  return {
    ifindex,
    name,
    direction,
    priority: tcm_info >>> 16,
    handle: tcm_handle,
    programId: nested.u32(TCA_BPF_ID) ?? 0,
    programName: nested.string(TCA_BPF_NAME),
    directAction: ((nested.u32(TCA_BPF_FLAGS) ?? 0) & TCA_BPF_FLAG_ACT_DIRECT) !== 0,
  };
}
