import {
  EINVAL,
  ENODEV,
  ENOENT,
  EOPNOTSUPP,
  ETH_P_ALL,
  NLM_F_CREATE,
  NLM_F_ECHO,
  NLM_F_EXCL,
  NLM_F_REPLACE,
  RTM_DELTFILTER,
  RTM_GETTFILTER,
  RTM_NEWTFILTER,
  TCA_BPF_FD,
  TCA_BPF_FLAGS,
  TCA_BPF_FLAG_ACT_DIRECT,
  TCA_BPF_ID,
  TCA_BPF_NAME,
  TCA_CHAIN,
  TCA_KIND,
  TCA_OPTIONS,
  TCM_IFINDEX_MAGIC_BLOCK,
  tcmsg,
} from '../uapi/index.ts';
import { NetlinkError } from '../errors.ts';
import { Attributes, concatenate, encodeAttributes, numberAttribute, stringAttribute } from './attributes.ts';
import type { Attribute } from './attributes.ts';
import { checkIndex, nameOf } from './change-interfaces.ts';
import type { FilterParent } from './filter-parents.ts';
import { netlinkError } from './netlink-error.ts';
import { directionAt } from './qdiscs.ts';
import type { TrafficDevice } from './qdiscs.ts';
import type { RouteRequest, RouteSocket } from './route-socket.ts';

/** Where a filter is. */
export interface BpfFilterPlace extends FilterParent {
  /** Lower runs first, 1 to 65535; 0 lets the kernel choose. */
  readonly priority: number;
  /** Tells filters of one priority apart; 0 lets the kernel choose. */
  readonly handle: number;
  /** In network order. @default every protocol */
  readonly protocol?: number;
  /** @default 0, where packets begin */
  readonly chain?: number;
  /** The block that it is in, where several qdiscs share one (Linux 4.16). */
  readonly block?: number | undefined;
}

/** A filter of kind bpf that is there. */
export interface BpfFilter extends Required<Omit<BpfFilterPlace, 'name' | 'block'>>, TrafficDevice {
  readonly block: number | undefined;
  /** At clsact: whether it sees incoming or outgoing packets. */
  readonly direction: 'ingress' | 'egress' | undefined;
  readonly programId: number;
  /** What tc(8) shows: usually the object and the section; undefined where it was added without. */
  readonly programName: string | undefined;
  /** Whether the program's return value is the verdict. */
  readonly directAction: boolean;
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

/** Deletes one filter. False where it, or the interface, is gone. @throws NetlinkError, PermissionError */
export function deleteBpfFilter(socket: RouteSocket, place: BpfFilterPlace): boolean {
  const request = filterRequest('RTM_DELTFILTER', place, []);
  const { outcome } = socket.tryRequest(request);
  if (outcome.errno === 0) return true;
  if (isGone(outcome.errno)) return false;
  throw netlinkError(request, outcome);
}

/**
 * Without the qdisc there is no parent class, which is EINVAL (tc_del_tfilter() in net/sched/cls_api.c), and a qdisc of
 * a kind that takes no filters says EOPNOTSUPP.
 */
function isGone(errno: number): boolean {
  return errno === ENOENT || errno === ENODEV || errno === EINVAL || errno === EOPNOTSUPP;
}

/** The filters of kind bpf that hang there, in the order in which they run; none where the parent is gone. */
export function listBpfFilters(socket: RouteSocket, place: FilterParent): BpfFilter[] {
  const { ifindex, parent } = place;
  const request = {
    type: RTM_GETTFILTER,
    request: 'RTM_GETTFILTER',
    doing: `list the tc programs of ${describe(place)}`,
    body: tcmsg.encode({ tcm_ifindex: checkIndex(ifindex), tcm_parent: parent }),
  };
  try {
    return socket.dump(request).flatMap(({ body }) => decodeFilter(body, place) ?? []);
  } catch (error) {
    if (error instanceof NetlinkError && isGone(error.errno)) return [];
    throw error;
  }
}

function describe({ ifindex, name, parent }: FilterParent): string {
  const direction = directionAt(parent);
  return `${nameOf({ index: ifindex, name })}${direction === undefined ? '' : ` (${direction})`}`;
}

const VERBS = {
  RTM_NEWTFILTER: ['attach a tc program to', RTM_NEWTFILTER],
  RTM_DELTFILTER: ['detach the tc program from', RTM_DELTFILTER],
} as const;

function filterRequest(
  request: keyof typeof VERBS,
  place: BpfFilterPlace,
  attributes: readonly Attribute[],
): RouteRequest {
  const { priority, handle, protocol = swap16(ETH_P_ALL), chain = 0 } = place;
  const [verb, type] = VERBS[request];
  return {
    type,
    request,
    doing: `${verb} ${describe(place)}`,
    body: concatenate([
      tcmsg.encode({
        ...address(place),
        tcm_handle: handle,
        tcm_info: ((priority << 16) | protocol) >>> 0,
      }),
      encodeAttributes([
        stringAttribute(TCA_KIND, 'bpf'),
        ...(chain === 0 ? [] : [numberAttribute(TCA_CHAIN, chain)]),
        ...attributes,
      ]),
    ]),
  };
}

/** Filters of a shared block are changed by its number alone (__tcf_block_find() in net/sched/cls_api.c). */
function address({ ifindex, parent, block }: BpfFilterPlace): { tcm_ifindex: number; tcm_parent: number } {
  if (block === undefined) return { tcm_ifindex: checkIndex(ifindex), tcm_parent: parent };
  return { tcm_ifindex: TCM_IFINDEX_MAGIC_BLOCK | 0, tcm_parent: block };
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
export function decodeFilter(
  body: Uint8Array,
  { ifindex, name, parent }: FilterParent,
): BpfFilter | undefined {
  const { tcm_ifindex, tcm_parent, tcm_handle, tcm_info } = tcmsg.decode(body);
  const attributes = Attributes.parse(body.subarray(tcmsg.size));
  const nested = attributes.nested(TCA_OPTIONS);
  if (attributes.string(TCA_KIND) !== 'bpf' || nested === undefined || tcm_handle === 0) return undefined;
  return {
    ...{ ifindex, name, parent, direction: directionAt(parent) },
    block: tcm_ifindex >>> 0 === TCM_IFINDEX_MAGIC_BLOCK ? tcm_parent : undefined,
    priority: tcm_info >>> 16,
    protocol: tcm_info & 0xffff,
    chain: attributes.u32(TCA_CHAIN) ?? 0,
    handle: tcm_handle,
    programId: nested.u32(TCA_BPF_ID) ?? 0,
    programName: nested.string(TCA_BPF_NAME),
    directAction: ((nested.u32(TCA_BPF_FLAGS) ?? 0) & TCA_BPF_FLAG_ACT_DIRECT) !== 0,
  };
}
