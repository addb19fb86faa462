export { arenaMemory } from './arena.ts';
export { BpfMap, requireValue } from './map.ts';
export type { MapFacts, MapOptions, MapTypes, UpdateMode } from './map.ts';
export { readMapInfo } from './map-info.ts';
export { perCpuCodec } from './map-codec.ts';
export type { ElementCodec } from './map-codec.ts';
export type { MapInfo } from './map-info.ts';
export { isPerCpu, MapType, mapTypeName } from './map-type.ts';
