export { listBtfObjects, readBtfById } from './btf-objects.ts';
export type { BtfObject, HeldBtfObject } from './btf-objects.ts';
export { openMaps, openPrograms } from './find-objects.ts';
export { mapObjects, objectIds, openIfThere } from './object-ids.ts';
export type { ObjectKind } from './object-ids.ts';
