import type { LinkInfo } from '../../link/index.ts';
import type { XdpMode } from '../../netlink/index.ts';
import type { PinnedKind } from '../../sys/index.ts';
import type { LinkPlace } from './link-places.ts';
import type { NamespaceReference } from './network-namespaces.ts';

/** What is asked about: by its id in the kernel. */
export interface Held {
  readonly kind: PinnedKind;
  readonly id: number;
}

/** A descriptor of a process. */
export interface ProcessHolder {
  readonly kind: 'process';
  readonly pid: number;
  /** Its name, at most 15 characters. */
  readonly command: string;
  readonly fd: number;
}

/** A file in a bpf file system. */
export interface PinHolder {
  readonly kind: 'pin';
  /** As this process reaches it: through `/proc/PID/root` where it is mounted in another mount namespace alone. */
  readonly path: string;
}

/** A bpf_link, and what holds that. */
export interface LinkHolder {
  readonly kind: 'link';
  readonly linkId: number;
  readonly info: LinkInfo;
  /** `attached`: its program; `target`: what its program extends, traces, iterates over, or implements. */
  readonly role: 'attached' | 'target';
  /** Where in the network it is; undefined for kinds that are elsewhere, and where it was not found. */
  readonly place: LinkPlace | undefined;
  readonly holders: readonly Holder[];
}

/** Where a program is on an interface. */
interface OnInterface {
  readonly interface: string;
  readonly ifindex: number;
  readonly netns: NamespaceReference;
}

export interface XdpHolder extends OnInterface {
  readonly kind: 'xdp';
  readonly mode: XdpMode;
  /** The bpf_link by which it is there; undefined for netlink, which knows no owner. */
  readonly linkId: number | undefined;
}

/** A filter of kind bpf of traffic control. */
export interface TcHolder extends OnInterface {
  readonly kind: 'tc';
  readonly qdisc: string;
  /** The qdisc, its side, or its class: `ffff:fff2` as a number. */
  readonly parent: number;
  /** The block that the filter is in, where several qdiscs share one. */
  readonly block: number | undefined;
  readonly direction: 'ingress' | 'egress';
  readonly priority: number;
  /** In network order. */
  readonly protocol: number;
  readonly chain: number;
  readonly handle: number;
}

/** A program that `BPF_PROG_ATTACH` put on an interface, beside those that links hold. */
export interface TcxHolder extends OnInterface {
  readonly kind: 'tcx' | 'netkit';
  readonly attachType: string;
}

/** A program of a network namespace, put there by `BPF_PROG_ATTACH`. */
export interface NetnsHolder {
  readonly kind: 'netns';
  readonly netns: NamespaceReference;
  readonly attachType: string;
}

export interface CgroupHolder {
  readonly kind: 'cgroup';
  readonly path: string;
  readonly attachType: string;
  /** Undefined for `BPF_PROG_ATTACH`, which knows no owner. */
  readonly linkId: number | undefined;
}

/** An entry of a map: a slot of a program array, a map of maps, the program of a devmap or cpumap. */
export interface MapHolder {
  readonly kind: 'map';
  readonly mapId: number;
  readonly name: string;
  /** `prog_array`, `hash_of_maps`, `struct_ops`, … */
  readonly type: string;
  /** The bytes of the key; undefined for a program that is attached to the map as a whole. */
  readonly key: Uint8Array | undefined;
  readonly attachType?: string | undefined;
}

/** A program that uses a map, or was loaded to extend or trace another program. */
export interface ProgramHolder {
  readonly kind: 'program';
  readonly programId: number;
  readonly name: string;
  readonly type: string;
}

/** A perf event that a process has open, with a program on it. */
export interface PerfEventHolder {
  readonly kind: 'perf_event';
  readonly pid: number;
  readonly command: string;
  readonly fd: number;
  /** `tracepoint`, `kprobe`, `uretprobe`, … */
  readonly type: string;
  /** The tracepoint, function or file; empty where the kernel does not say. */
  readonly target: string;
}

/** Something that keeps a program, map or link in the kernel. */
export type Holder =
  | ProcessHolder
  | PinHolder
  | LinkHolder
  | XdpHolder
  | TcHolder
  | TcxHolder
  | NetnsHolder
  | CgroupHolder
  | MapHolder
  | ProgramHolder
  | PerfEventHolder;
