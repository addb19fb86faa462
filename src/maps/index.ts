export { arenaMemory } from './arena.ts';
export { BpfMap, requireValue } from './map.ts';
export type { MapFacts, MapOptions, MapTypes, UpdateMode } from './map.ts';
export { readMapInfo } from './map-info.ts';
export type { MapInfo } from './map-info.ts';
export { isPerCpu, MapType, mapTypeName } from './map-type.ts';
