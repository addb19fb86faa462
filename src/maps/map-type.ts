import * as uapi from '../uapi/index.ts';

/** Map types under the names of this library; the values are the kernel's `BPF_MAP_TYPE_*`. */
export const MapType = {
  Unspecified: uapi.BPF_MAP_TYPE_UNSPEC,
  Hash: uapi.BPF_MAP_TYPE_HASH,
  Array: uapi.BPF_MAP_TYPE_ARRAY,
  ProgramArray: uapi.BPF_MAP_TYPE_PROG_ARRAY,
  PerfEventArray: uapi.BPF_MAP_TYPE_PERF_EVENT_ARRAY,
  PerCpuHash: uapi.BPF_MAP_TYPE_PERCPU_HASH,
  PerCpuArray: uapi.BPF_MAP_TYPE_PERCPU_ARRAY,
  StackTrace: uapi.BPF_MAP_TYPE_STACK_TRACE,
  CgroupArray: uapi.BPF_MAP_TYPE_CGROUP_ARRAY,
  LruHash: uapi.BPF_MAP_TYPE_LRU_HASH,
  LruPerCpuHash: uapi.BPF_MAP_TYPE_LRU_PERCPU_HASH,
  LpmTrie: uapi.BPF_MAP_TYPE_LPM_TRIE,
  ArrayOfMaps: uapi.BPF_MAP_TYPE_ARRAY_OF_MAPS,
  HashOfMaps: uapi.BPF_MAP_TYPE_HASH_OF_MAPS,
  DevMap: uapi.BPF_MAP_TYPE_DEVMAP,
  SockMap: uapi.BPF_MAP_TYPE_SOCKMAP,
  CpuMap: uapi.BPF_MAP_TYPE_CPUMAP,
  XskMap: uapi.BPF_MAP_TYPE_XSKMAP,
  SockHash: uapi.BPF_MAP_TYPE_SOCKHASH,
  CgroupStorage: uapi.BPF_MAP_TYPE_CGROUP_STORAGE,
  ReuseportSockArray: uapi.BPF_MAP_TYPE_REUSEPORT_SOCKARRAY,
  PerCpuCgroupStorage: uapi.BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE,
  Queue: uapi.BPF_MAP_TYPE_QUEUE,
  Stack: uapi.BPF_MAP_TYPE_STACK,
  SkStorage: uapi.BPF_MAP_TYPE_SK_STORAGE,
  DevMapHash: uapi.BPF_MAP_TYPE_DEVMAP_HASH,
  StructOps: uapi.BPF_MAP_TYPE_STRUCT_OPS,
  RingBuffer: uapi.BPF_MAP_TYPE_RINGBUF,
  InodeStorage: uapi.BPF_MAP_TYPE_INODE_STORAGE,
  TaskStorage: uapi.BPF_MAP_TYPE_TASK_STORAGE,
  BloomFilter: uapi.BPF_MAP_TYPE_BLOOM_FILTER,
  UserRingBuffer: uapi.BPF_MAP_TYPE_USER_RINGBUF,
  CgroupLocalStorage: uapi.BPF_MAP_TYPE_CGRP_STORAGE,
  Arena: uapi.BPF_MAP_TYPE_ARENA,
  InstructionArray: uapi.BPF_MAP_TYPE_INSN_ARRAY,
} as const;
export type MapType = (typeof MapType)[keyof typeof MapType];

const PER_CPU: ReadonlySet<number> = new Set([
  MapType.PerCpuHash,
  MapType.PerCpuArray,
  MapType.LruPerCpuHash,
  MapType.PerCpuCgroupStorage,
]);

/** Whether user space sees an array of values, one for each possible CPU. */
export function isPerCpu(type: number): boolean {
  return PER_CPU.has(type);
}

const WITH_TAKE: ReadonlySet<number> = new Set([
  MapType.Hash,
  MapType.PerCpuHash,
  MapType.LruHash,
  MapType.LruPerCpuHash,
]);

/** Whether the kernel can remove an entry by its key and give its value in one step. */
export function hasTake(type: number): boolean {
  return WITH_TAKE.has(type);
}

const BY_PLACE: ReadonlySet<number> = new Set([
  ...WITH_TAKE,
  MapType.HashOfMaps,
  MapType.Array,
  MapType.PerCpuArray,
]);

/** Whether a reading by batches goes on at a bucket or an index, whatever became of the last key (kernel/bpf/hashtab.c). */
export function resumesByPlace(type: number): boolean {
  return BY_PLACE.has(type);
}

const PREFIX = 'BPF_MAP_TYPE_';

let names: ReadonlyMap<number, string> | undefined;

/** The name that bpftool gives a map type: `ringbuf`, `percpu_array`; `type_99` where it is unknown. */
export function mapTypeName(type: number): string {
  names ??= readNames();
  return names.get(type) ?? `type_${type}`;
}

/** Where two names stand for one type, the first of them that is not deprecated. */
function readNames(): Map<number, string> {
  const found = new Map<number, string>();
  for (const [name, value] of Object.entries(uapi.enum_bpf_map_type())) {
    if (found.has(value)) continue;
    if (!name.endsWith('_DEPRECATED')) found.set(value, name.slice(PREFIX.length).toLowerCase());
  }
  return found;
}
