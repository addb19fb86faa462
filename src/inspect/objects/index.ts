export { listBtfObjects, readBtfById } from './btf-objects.ts';
export type { BtfObject, HeldBtfObject } from './btf-objects.ts';
export { openMaps, openPrograms } from './find-objects.ts';
export { kernelCallTargets } from './kernel-call-targets.ts';
export { readLoadedProgram } from './loaded-program.ts';
export type { LoadedFunction, LoadedLine, LoadedProgram } from './loaded-program.ts';
export { mapObjects, objectIds, openIfThere } from './object-ids.ts';
export type { ObjectKind } from './object-ids.ts';
