import type { DescriptorHolder, KernelSymbol, LinkPlace } from '../../inspect/index.ts';
import type { LinkInfo } from '../../link/index.ts';
import { BPF_F_KPROBE_MULTI_RETURN, BPF_F_UPROBE_MULTI_RETURN } from '../../uapi/index.ts';
import type { Json } from '../output/error-report.ts';
import { perfConfigName, perfTypeName } from './perf-names.ts';

/** A link, and what it names by number. */
export interface ShownLink {
  readonly info: LinkInfo;
  /** Where in the network it is; undefined for kinds that are elsewhere, and where it was not found. */
  readonly place: LinkPlace | undefined;
  /** Of the functions that kprobe_multi links probe. */
  readonly symbols: ReadonlyMap<bigint, KernelSymbol>;
  /** The type of the program of a tracing link. */
  readonly programType: string | number | undefined;
  readonly pinned?: readonly string[] | undefined;
  readonly holders?: readonly DescriptorHolder[] | undefined;
}

const ORDERS = ['order_unspec', 'self_only', 'descendants_pre', 'descendants_post', 'ancestors_up'] as const;

/** As bpftool, in its order. */
export function linkDocument(link: ShownLink): Json {
  const { info, pinned, holders } = link;
  return {
    id: info.id,
    type: info.kind === 'unknown' ? info.type : info.kind,
    prog_id: info.programId,
    ...attachmentDocument(link),
    ...(pinned && { pinned: [...pinned] }),
    ...(holders && { pids: holders.map(({ pid, command }) => ({ pid, comm: command })) }),
  };
}

/** What follows in a document, by kind. */
export function attachmentDocument(link: ShownLink): Record<string, Json> {
  const { info } = link;
  switch (info.kind) {
    case 'raw_tracepoint':
      return { tp_name: info.tracepoint, cookie: info.cookie };
    case 'tracing':
      return {
        prog_type: link.programType ?? 0,
        attach_type: info.attachType,
        target_obj_id: info.targetObjectId,
        target_btf_id: info.targetBtfId,
        cookie: info.cookie,
      };
    case 'cgroup':
      return { cgroup_id: info.cgroupId, attach_type: info.attachType };
    case 'iter':
      return iteratorDocument(info);
    case 'netns':
      return { netns_ino: info.inode, attach_type: info.attachType };
    case 'netfilter':
      return {
        pf: info.protocolFamily,
        hook: info.hook,
        prio: info.priority,
        flags: info.flags,
      };
    case 'tcx':
    case 'netkit':
      return { ...interfaceDocument(link, info.ifindex), attach_type: info.attachType };
    case 'xdp':
      return interfaceDocument(link, info.ifindex);
    case 'struct_ops':
      return { map_id: info.mapId };
    case 'sockmap':
      return { map_id: info.mapId, attach_type: info.attachType };
    case 'kprobe_multi':
      return kprobesDocument(info, link.symbols);
    case 'uprobe_multi':
      return uprobesDocument(info);
    case 'perf_event':
      return perfEventDocument(info);
    case 'unknown':
      return {};
  }
}

type Kind<Name extends LinkInfo['kind']> = Extract<LinkInfo, { kind: Name }>;

function iteratorDocument({
  target,
  mapId,
  threadId,
  processId,
  cgroup,
}: Kind<'iter'>): Record<string, Json> {
  return {
    target_name: target,
    ...(mapId !== 0 && { map_id: mapId }),
    ...(threadId !== 0 ? { tid: threadId } : processId !== 0 && { pid: processId }),
    ...(cgroup && { cgroup_id: cgroup.id, order: orderName(cgroup.order) }),
  };
}

export function orderName(order: number): string {
  return ORDERS[order] ?? 'unknown';
}

/** An interface by its name in its own namespace, which is told where it is another than the command's. */
function interfaceDocument({ place }: ShownLink, ifindex: number): Record<string, Json> {
  const netns = place?.netns.name;
  return { devname: interfaceName(place, ifindex), ifindex, ...(netns !== undefined && { netns }) };
}

export function interfaceName(place: LinkPlace | undefined, ifindex: number): string {
  return ifindex === 0 ? '(detached)' : (place?.interface ?? '(unknown)');
}

function kprobesDocument(
  { flags, count, missed, addresses, cookies }: Kind<'kprobe_multi'>,
  symbols: ReadonlyMap<bigint, KernelSymbol>,
): Record<string, Json> {
  return {
    retprobe: (flags & BPF_F_KPROBE_MULTI_RETURN) !== 0,
    func_cnt: count,
    missed,
    funcs: sortedProbes({ addresses, cookies }).map(({ address, cookie }) => {
      const symbol = symbols.get(address);
      return { addr: address, func: symbol?.name ?? null, module: symbol?.module ?? null, cookie };
    }),
  };
}

/** By address, as bpftool. */
export function sortedProbes({
  addresses,
  cookies,
}: {
  addresses: readonly bigint[];
  cookies: readonly bigint[];
}): { address: bigint; cookie: bigint }[] {
  return addresses
    .map((address, index) => ({ address, cookie: cookies[index] ?? 0n }))
    .sort((one, other) => (one.address < other.address ? -1 : Number(one.address > other.address)));
}

function uprobesDocument(info: Kind<'uprobe_multi'>): Record<string, Json> {
  const { flags, path, offsets, pid, referenceCounterOffsets, cookies } = info;
  return {
    retprobe: (flags & BPF_F_UPROBE_MULTI_RETURN) !== 0,
    path,
    func_cnt: offsets.length,
    pid,
    funcs: offsets.map((offset, index) => ({
      offset,
      ref_ctr_offset: referenceCounterOffsets[index] ?? 0n,
      cookie: cookies[index] ?? 0n,
    })),
  };
}

function perfEventDocument(info: Kind<'perf_event'>): Record<string, Json> {
  switch (info.event) {
    case 'tracepoint':
      return { tracepoint: info.tracepoint, cookie: info.cookie };
    case 'kprobe':
    case 'kretprobe':
      return {
        retprobe: info.event === 'kretprobe',
        addr: info.address,
        func: info.function,
        offset: info.offset,
        missed: info.missed,
        cookie: info.cookie,
      };
    case 'uprobe':
    case 'uretprobe':
      return {
        retprobe: info.event === 'uretprobe',
        file: info.path,
        offset: info.offset,
        cookie: info.cookie,
        ref_ctr_offset: info.referenceCounterOffset,
      };
    case 'event':
      return {
        event_type: perfTypeName(info.type),
        event_config: perfConfigName(info.type, info.config),
        cookie: info.cookie,
      };
    case 'unknown':
      return {};
  }
}
