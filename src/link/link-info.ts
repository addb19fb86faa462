import { attachTypeName } from '../programs/index.ts';
import { readInfo, type Fd, type Kernel } from '../sys/index.ts';
import * as uapi from '../uapi/index.ts';
import { bpf_link_info } from '../uapi/index.ts';
import { probeInfo, textOf, type PerfEventInfo, type UprobeMultiInfo } from './probe-info.ts';

/** What every bpf_link tells. */
interface LinkFacts {
  readonly id: number;
  /** 0 for struct_ops, which has a map instead. */
  readonly programId: number;
}

/** What the kernel tells of a bpf_link, by `kind`. Attach types have the names that bpftool gives them. */
export type LinkInfo = LinkFacts &
  (
    | {
        readonly kind: 'raw_tracepoint';
        readonly tracepoint: string;
        /** 0n also before Linux 6.17. */
        readonly cookie: bigint;
      }
    | {
        readonly kind: 'tracing';
        readonly attachType: string;
        /** The id of the program that is extended or traced, or of the BTF of the function; 0 for none. */
        readonly targetObjectId: number;
        readonly targetBtfId: number;
        /** 0n also before Linux 6.17. */
        readonly cookie: bigint;
      }
    | { readonly kind: 'cgroup'; readonly attachType: string; readonly cgroupId: bigint }
    | {
        readonly kind: 'iter';
        /** `task`, `bpf_map_elem`, … */
        readonly target: string;
        readonly mapId: number;
        /** Of an iterator over tasks or their files: the thread or process; 0 for all. */
        readonly threadId: number;
        readonly processId: number;
        /** Of an iterator over cgroups: where it starts and which way it goes (`BPF_CGROUP_ITER_*`). */
        readonly cgroup: { readonly id: bigint; readonly order: number } | undefined;
      }
    | { readonly kind: 'netns'; readonly attachType: string; readonly inode: number }
    /** An index of 0 says that the interface is gone. */
    | { readonly kind: 'xdp'; readonly ifindex: number }
    | { readonly kind: 'tcx' | 'netkit'; readonly attachType: string; readonly ifindex: number }
    | { readonly kind: 'struct_ops'; readonly mapId: number }
    | {
        readonly kind: 'netfilter';
        readonly protocolFamily: number;
        readonly hook: number;
        readonly priority: number;
        readonly flags: number;
      }
    | {
        readonly kind: 'kprobe_multi';
        readonly count: number;
        readonly flags: number;
        readonly missed: bigint;
        /** 0n where the kernel hides addresses (`kernel.kptr_restrict`). */
        readonly addresses: readonly bigint[];
        /** 0n also before Linux 6.9. */
        readonly cookies: readonly bigint[];
      }
    | UprobeMultiInfo
    | PerfEventInfo
    | { readonly kind: 'sockmap'; readonly attachType: string; readonly mapId: number }
    /** A type that is newer than this library. */
    | { readonly kind: 'unknown'; readonly type: number }
  );

/** Reads what the kernel tells of a link. Linux 5.8; fields that a kernel does not know yet are 0. */
export function linkInfo(kernel: Kernel, fd: Fd): LinkInfo {
  const info = readInfo(kernel, { fd, descriptor: bpf_link_info });
  const facts = { id: info.id, programId: info.prog_id };
  switch (info.type) {
    case uapi.BPF_LINK_TYPE_RAW_TRACEPOINT: {
      const tracepoint = nameOf(kernel, fd, info.raw_tracepoint.tp_name_len);
      return { ...facts, kind: 'raw_tracepoint', tracepoint, cookie: info.raw_tracepoint.cookie };
    }
    case uapi.BPF_LINK_TYPE_TRACING:
      return { ...facts, ...tracing(info.tracing) };
    case uapi.BPF_LINK_TYPE_CGROUP: {
      const { attach_type, cgroup_id } = info.cgroup;
      return { ...facts, kind: 'cgroup', attachType: attachTypeName(attach_type), cgroupId: cgroup_id };
    }
    case uapi.BPF_LINK_TYPE_ITER: {
      const target = nameOf(kernel, fd, info.iter.target_name_len);
      return { ...facts, kind: 'iter', target, ...iterated(info.iter, target) };
    }
    case uapi.BPF_LINK_TYPE_NETNS: {
      const { netns_ino, attach_type } = info.netns;
      return { ...facts, kind: 'netns', attachType: attachTypeName(attach_type), inode: netns_ino };
    }
    case uapi.BPF_LINK_TYPE_KPROBE_MULTI: {
      const { count, flags, missed } = info.kprobe_multi;
      return { ...facts, kind: 'kprobe_multi', count, flags, missed, ...probed(kernel, { fd, count }) };
    }
    case uapi.BPF_LINK_TYPE_PERF_EVENT:
    case uapi.BPF_LINK_TYPE_UPROBE_MULTI:
      return { ...facts, ...probeInfo(kernel, { fd, info }) };
    default:
      return { ...facts, ...numbersOf(info) };
  }
}

type Iterated = Extract<LinkInfo, { kind: 'iter' }>;

/** What is iterated over has one place, which means something else for each target. */
function iterated(
  { map, task, cgroup }: bpf_link_info['iter'],
  target: string,
): Pick<Iterated, 'mapId' | 'threadId' | 'processId' | 'cgroup'> {
  const ofTasks = ['task', 'task_file', 'task_vma'].includes(target);
  const ofMap = target === 'bpf_map_elem' || target === 'bpf_sk_storage_map';
  return {
    mapId: ofMap ? map.map_id : 0,
    threadId: ofTasks ? task.tid : 0,
    processId: ofTasks ? task.pid : 0,
    cgroup: target === 'cgroup' ? { id: cgroup.cgroup_id, order: cgroup.order } : undefined,
  };
}

/** The functions of the kernel that a link probes. */
function probed(
  kernel: Kernel,
  { fd, count }: { fd: Fd; count: number },
): { addresses: bigint[]; cookies: bigint[] } {
  if (count === 0) return { addresses: [], cookies: [] };
  const [addresses, cookies] = [new BigUint64Array(count), new BigUint64Array(count)];
  const [addressBytes, cookieBytes] = [new Uint8Array(addresses.buffer), new Uint8Array(cookies.buffer)];
  readInfo(kernel, {
    fd,
    descriptor: bpf_link_info,
    fields: {
      kprobe_multi: {
        addrs: kernel.addressOf(addressBytes),
        cookies: kernel.addressOf(cookieBytes),
        count,
        flags: 0,
        missed: 0n,
      },
    },
    keep: [addressBytes, cookieBytes],
  });
  return { addresses: [...addresses], cookies: [...cookies] };
}

type Numbers = Extract<
  LinkInfo,
  { kind: 'xdp' | 'tcx' | 'netkit' | 'struct_ops' | 'netfilter' | 'sockmap' | 'unknown' }
>;
/** Without the facts that all have, for each member of the union. */
type Own<Info> = Info extends unknown ? Omit<Info, keyof LinkFacts> : never;

/** The types that tell nothing but numbers. */
function numbersOf(info: bpf_link_info): Own<Numbers> {
  switch (info.type) {
    case uapi.BPF_LINK_TYPE_XDP:
      return { kind: 'xdp', ifindex: info.xdp.ifindex };
    case uapi.BPF_LINK_TYPE_TCX:
      return { kind: 'tcx', attachType: attachTypeName(info.tcx.attach_type), ifindex: info.tcx.ifindex };
    case uapi.BPF_LINK_TYPE_NETKIT:
      return {
        kind: 'netkit',
        attachType: attachTypeName(info.netkit.attach_type),
        ifindex: info.netkit.ifindex,
      };
    case uapi.BPF_LINK_TYPE_STRUCT_OPS:
      return { kind: 'struct_ops', mapId: info.struct_ops.map_id };
    case uapi.BPF_LINK_TYPE_NETFILTER: {
      const { pf, hooknum, priority, flags } = info.netfilter;
      return { kind: 'netfilter', protocolFamily: pf, hook: hooknum, priority, flags };
    }
    case uapi.BPF_LINK_TYPE_SOCKMAP: {
      const { attach_type, map_id } = info.sockmap;
      return { kind: 'sockmap', attachType: attachTypeName(attach_type), mapId: map_id };
    }
    default:
      return { kind: 'unknown', type: info.type };
  }
}

function tracing(info: bpf_link_info['tracing']): Own<Extract<LinkInfo, { kind: 'tracing' }>> {
  const { attach_type, target_obj_id, target_btf_id, cookie } = info;
  return {
    kind: 'tracing',
    attachType: attachTypeName(attach_type),
    targetObjectId: target_obj_id,
    targetBtfId: target_btf_id,
    cookie,
  };
}

/**
 * The name of a raw tracepoint or of what is iterated over: both have their address and length where the other has
 * (struct bpf_link_info), and the first answer told how long it is.
 */
function nameOf(kernel: Kernel, fd: Fd, length: number): string {
  // Kernels from 5.8 to 5.10 do not tell the length without a buffer.
  const name = new Uint8Array(Math.max(length, 128));
  readInfo(kernel, {
    fd,
    descriptor: bpf_link_info,
    fields: {
      raw_tracepoint: { tp_name: kernel.addressOf(name), tp_name_len: name.length, cookie: 0n },
    },
    keep: [name],
  });
  return textOf(name);
}
