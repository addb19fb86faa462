import * as uapi from '../uapi/index.ts';

/** How a generated module gives a family of maps to its user. */
export interface MapFamily {
  /** The class that its maps are of. */
  readonly className: MapClass;
  /** What of key and value that class is typed by. */
  readonly types: readonly ('key' | 'value')[];
}

/** Classes of maps that modules name. */
export type MapClass =
  | 'ArrayMap'
  | 'BloomFilter'
  | 'BpfMap'
  | 'CgroupArray'
  | 'CgroupStorage'
  | 'CpuMap'
  | 'DeviceMap'
  | 'HashMap'
  | 'LocalStorage'
  | 'LpmTrie'
  | 'MapOfMaps'
  | 'PerCpuMap'
  | 'PerfEventArray'
  | 'ProgramArray'
  | 'Queue'
  | 'SocketMap'
  | 'TypedMap'
  | 'XskMap';

const entries = (className: MapClass): MapFamily => ({ className, types: ['key', 'value'] });
const values = (className: MapClass): MapFamily => ({ className, types: ['value'] });
const keys = (className: MapClass): MapFamily => ({ className, types: ['key'] });
const plain = (className: MapClass): MapFamily => ({ className, types: [] });

const FAMILIES: Readonly<Record<number, MapFamily>> = {
  [uapi.BPF_MAP_TYPE_HASH]: entries('HashMap'),
  [uapi.BPF_MAP_TYPE_LRU_HASH]: entries('HashMap'),
  [uapi.BPF_MAP_TYPE_ARRAY]: entries('ArrayMap'),
  [uapi.BPF_MAP_TYPE_PERCPU_HASH]: entries('PerCpuMap'),
  [uapi.BPF_MAP_TYPE_PERCPU_ARRAY]: entries('PerCpuMap'),
  [uapi.BPF_MAP_TYPE_LRU_PERCPU_HASH]: entries('PerCpuMap'),
  [uapi.BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE]: entries('PerCpuMap'),
  [uapi.BPF_MAP_TYPE_CGROUP_STORAGE]: values('CgroupStorage'),
  [uapi.BPF_MAP_TYPE_LPM_TRIE]: entries('LpmTrie'),
  [uapi.BPF_MAP_TYPE_QUEUE]: values('Queue'),
  [uapi.BPF_MAP_TYPE_STACK]: values('Queue'),
  [uapi.BPF_MAP_TYPE_BLOOM_FILTER]: values('BloomFilter'),
  [uapi.BPF_MAP_TYPE_SK_STORAGE]: values('LocalStorage'),
  [uapi.BPF_MAP_TYPE_INODE_STORAGE]: values('LocalStorage'),
  [uapi.BPF_MAP_TYPE_TASK_STORAGE]: values('LocalStorage'),
  [uapi.BPF_MAP_TYPE_CGRP_STORAGE]: values('LocalStorage'),
  [uapi.BPF_MAP_TYPE_ARRAY_OF_MAPS]: keys('MapOfMaps'),
  [uapi.BPF_MAP_TYPE_HASH_OF_MAPS]: keys('MapOfMaps'),
  [uapi.BPF_MAP_TYPE_SOCKMAP]: keys('SocketMap'),
  [uapi.BPF_MAP_TYPE_SOCKHASH]: keys('SocketMap'),
  [uapi.BPF_MAP_TYPE_REUSEPORT_SOCKARRAY]: keys('SocketMap'),
  [uapi.BPF_MAP_TYPE_PROG_ARRAY]: plain('ProgramArray'),
  [uapi.BPF_MAP_TYPE_PERF_EVENT_ARRAY]: plain('PerfEventArray'),
  [uapi.BPF_MAP_TYPE_CGROUP_ARRAY]: plain('CgroupArray'),
  [uapi.BPF_MAP_TYPE_DEVMAP]: plain('DeviceMap'),
  [uapi.BPF_MAP_TYPE_DEVMAP_HASH]: plain('DeviceMap'),
  [uapi.BPF_MAP_TYPE_CPUMAP]: plain('CpuMap'),
  [uapi.BPF_MAP_TYPE_XSKMAP]: plain('XskMap'),
};

/** Rings, arenas and whatever else has no entries of its own is a plain `BpfMap`. */
export function mapFamily(type: number): MapFamily {
  return FAMILIES[type] ?? plain('BpfMap');
}

/** What becomes of the events of a map: read from a ring or from a perf buffer, or written to a ring of programs. */
export type EventDirection = 'ring' | 'perf' | 'user_ring';

/** Undefined for a map that carries no events. */
export function eventDirection(type: number): EventDirection | undefined {
  switch (type) {
    case uapi.BPF_MAP_TYPE_RINGBUF:
      return 'ring';
    case uapi.BPF_MAP_TYPE_PERF_EVENT_ARRAY:
      return 'perf';
    case uapi.BPF_MAP_TYPE_USER_RINGBUF:
      return 'user_ring';
    default:
      return undefined;
  }
}
