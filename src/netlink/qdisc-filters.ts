import {
  EINVAL,
  ENODEV,
  ENOENT,
  EOPNOTSUPP,
  RTM_DELTFILTER,
  RTM_GETQDISC,
  RTM_GETTFILTER,
  RTM_NEWQDISC,
  TCA_BPF_FLAGS,
  TCA_BPF_FLAG_ACT_DIRECT,
  TCA_BPF_ID,
  TCA_BPF_NAME,
  TCA_CHAIN,
  TCA_KIND,
  TCA_OPTIONS,
  TC_H_CLSACT,
  TC_H_MAJ_MASK,
  TC_H_MIN_EGRESS,
  TC_H_MIN_INGRESS,
  tcmsg,
} from '../uapi/index.ts';
import { Attributes, concatenate, encodeAttributes, numberAttribute, stringAttribute } from './attributes.ts';
import { NetlinkError } from '../errors.ts';
import { netlinkError } from './netlink-error.ts';
import type { RouteSocket } from './route-socket.ts';

/** A queueing discipline of an interface. */
export interface Qdisc {
  readonly ifindex: number;
  /** `clsact`, `ingress`, `htb`, … */
  readonly kind: string;
  /** `ffff:` is 0xffff0000. */
  readonly handle: number;
}

/** A filter of kind bpf on any qdisc. */
export interface QdiscFilter {
  readonly ifindex: number;
  /** The qdisc, or its side: `ffff:fff2` is what comes in at clsact. */
  readonly parent: number;
  readonly priority: number;
  /** In network order, as the kernel wants it back. */
  readonly protocol: number;
  readonly chain: number;
  readonly handle: number;
  readonly programId: number;
  /** What tc(8) shows, `main.o:[classifier]`. */
  readonly name: string;
  readonly directAction: boolean;
}

/** Every qdisc of the socket's namespace. */
export function listQdiscs(socket: RouteSocket): Qdisc[] {
  const messages = socket.dump({
    type: RTM_GETQDISC,
    request: 'RTM_GETQDISC',
    doing: 'list the qdiscs',
    body: tcmsg.encode({}),
  });
  return messages
    .filter(({ type }) => type === RTM_NEWQDISC)
    .map(({ body }) => {
      const { tcm_ifindex, tcm_handle } = tcmsg.decode(body);
      const kind = Attributes.parse(body.subarray(tcmsg.size)).string(TCA_KIND) ?? '';
      return { ifindex: tcm_ifindex, kind, handle: tcm_handle };
    });
}

/** Its filters of kind bpf; of clsact those of both sides. Filters on classes below it are not among them. */
export function listQdiscFilters(socket: RouteSocket, qdisc: Qdisc): QdiscFilter[] {
  return parentsOf(qdisc).flatMap((parent) => {
    const request = {
      type: RTM_GETTFILTER,
      request: 'RTM_GETTFILTER',
      doing: `list the filters of interface ${String(qdisc.ifindex)}`,
      body: tcmsg.encode({ tcm_ifindex: qdisc.ifindex, tcm_parent: parent }),
    };
    try {
      return socket.dump(request).flatMap(({ body }) => decodeFilter(body, { ...qdisc, parent }) ?? []);
    } catch (error) {
      // Gone since it was listed, or a kind that takes no filters.
      if (error instanceof NetlinkError && isGone(error.errno)) return [];
      throw error;
    }
  });
}

/** Deletes one filter. False where it is gone. @throws NetlinkError, PermissionError */
export function deleteQdiscFilter(
  socket: RouteSocket,
  filter: Omit<QdiscFilter, 'programId' | 'name' | 'directAction'>,
): boolean {
  const request = {
    type: RTM_DELTFILTER,
    request: 'RTM_DELTFILTER',
    doing: `delete filter ${String(filter.handle)} of interface ${String(filter.ifindex)}`,
    body: concatenate([
      tcmsg.encode({
        tcm_ifindex: filter.ifindex,
        tcm_handle: filter.handle,
        tcm_parent: filter.parent,
        tcm_info: ((filter.priority << 16) | filter.protocol) >>> 0,
      }),
      encodeAttributes([
        stringAttribute(TCA_KIND, 'bpf'),
        ...(filter.chain === 0 ? [] : [numberAttribute(TCA_CHAIN, filter.chain)]),
      ]),
    ]),
  };
  const { outcome } = socket.tryRequest(request);
  if (outcome.errno === 0) return true;
  if (isGone(outcome.errno)) return false;
  throw netlinkError(request, outcome);
}

function isGone(errno: number): boolean {
  return errno === ENOENT || errno === ENODEV || errno === EINVAL || errno === EOPNOTSUPP;
}

function parentsOf({ kind, handle }: Qdisc): number[] {
  const major = (TC_H_CLSACT & TC_H_MAJ_MASK) >>> 0;
  if (kind === 'clsact') return [(major | TC_H_MIN_INGRESS) >>> 0, (major | TC_H_MIN_EGRESS) >>> 0];
  // Without a handle of its own a qdisc cannot be named as a parent.
  return handle === 0 ? [] : [handle];
}

/** Undefined for a filter of another kind, and for the head of a priority, which has no options. */
function decodeFilter(
  body: Uint8Array,
  { ifindex, parent }: { ifindex: number; parent: number },
): QdiscFilter | undefined {
  const { tcm_handle, tcm_info } = tcmsg.decode(body);
  const attributes = Attributes.parse(body.subarray(tcmsg.size));
  const options = attributes.nested(TCA_OPTIONS);
  if (attributes.string(TCA_KIND) !== 'bpf' || options === undefined || tcm_handle === 0) return undefined;
  return {
    ifindex,
    parent,
    priority: tcm_info >>> 16,
    protocol: tcm_info & 0xffff,
    chain: attributes.u32(TCA_CHAIN) ?? 0,
    handle: tcm_handle,
    programId: options.u32(TCA_BPF_ID) ?? 0,
    name: options.string(TCA_BPF_NAME) ?? '',
    directAction: ((options.u32(TCA_BPF_FLAGS) ?? 0) & TCA_BPF_FLAG_ACT_DIRECT) !== 0,
  };
}
