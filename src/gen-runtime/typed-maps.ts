import {
  ArrayMap,
  BloomFilter,
  CgroupArray,
  CgroupStorage,
  CpuMap,
  DeviceMap,
  HashMap,
  LocalStorage,
  LpmTrie,
  MapOfMaps,
  MapType,
  PerCpuMap,
  PerfEventArray,
  ProgramArray,
  Queue,
  SocketMap,
  XskMap,
  type BpfMap,
  type ElementCodec,
} from '../maps/index.ts';
import type { Codec } from './codec.ts';
import { TypedMap } from './typed-map.ts';

/** What reads and writes the entries of a map; a map of maps has those of the maps in it. */
export interface MapCodecs {
  readonly key?: AnyCodec;
  readonly value?: AnyCodec;
  readonly inner?: MapCodecs;
}

/** A codec of whatever type: the module's interfaces say which. */
export type AnyCodec = Omit<Codec<never>, 'read' | 'write'> & {
  read(view: DataView, offset: number): unknown;
  write(view: DataView, offset: number, value: never): void;
};

type Codecs = { readonly key: ElementCodec<unknown>; readonly value: ElementCodec<unknown> };
type Make = (map: BpfMap, codecs: Codecs, inner: MapCodecs | undefined) => unknown;

const hash: Make = (map, codecs) => new HashMap(map, codecs);
const perCpu: Make = (map, codecs) => new PerCpuMap(map, codecs);
const queue: Make = (map, { value }) => new Queue(map, { value });
const storage: Make = (map, { value }) => new LocalStorage(map, { value });
const sockets: Make = (map, { key }) => new SocketMap(map, { key });
const devices: Make = (map) => new DeviceMap(map);
const maps: Make = (map, { key }, inner) =>
  new MapOfMaps(map, { key, ...(inner && { open: (held: BpfMap) => typedMap(held, inner) }) });

const FAMILIES: ReadonlyMap<number, Make> = new Map<number, Make>([
  [MapType.Hash, hash],
  [MapType.LruHash, hash],
  [MapType.Array, (map, codecs) => new ArrayMap(map, codecs)],
  [MapType.PerCpuHash, perCpu],
  [MapType.PerCpuArray, perCpu],
  [MapType.LruPerCpuHash, perCpu],
  [MapType.PerCpuCgroupStorage, perCpu],
  [MapType.LpmTrie, (map, codecs) => new LpmTrie(map, codecs)],
  [MapType.Queue, queue],
  [MapType.Stack, queue],
  [MapType.BloomFilter, (map, { value }) => new BloomFilter(map, { value })],
  [MapType.SkStorage, storage],
  [MapType.InodeStorage, storage],
  [MapType.TaskStorage, storage],
  [MapType.CgroupLocalStorage, storage],
  [MapType.CgroupStorage, (map, { value }) => new CgroupStorage(map, { value })],
  [MapType.ArrayOfMaps, maps],
  [MapType.HashOfMaps, maps],
  [MapType.SockMap, sockets],
  [MapType.SockHash, sockets],
  [MapType.ReuseportSockArray, sockets],
  [MapType.ProgramArray, (map) => new ProgramArray(map)],
  [MapType.PerfEventArray, (map) => new PerfEventArray(map)],
  [MapType.CgroupArray, (map) => new CgroupArray(map)],
  [MapType.DevMap, devices],
  [MapType.DevMapHash, devices],
  [MapType.CpuMap, (map) => new CpuMap(map)],
  [MapType.XskMap, (map) => new XskMap(map)],
]);

/** The map by the class of its family: what the module's interfaces say. */
export function typedMap(map: BpfMap, { key, value, inner }: MapCodecs): unknown {
  const make = FAMILIES.get(map.type);
  if (make) return make(map, { key, value } as unknown as Codecs, inner);
  return key && value ? new TypedMap(map, { key, value }) : map;
}
