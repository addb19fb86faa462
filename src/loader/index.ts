export { Collection } from './collection.ts';
export type { LoadOptions } from './collection.ts';
export { findEventTypes, hasTimestamp, structsOfSize } from './event-types.ts';
export type { EventType } from './event-types.ts';
export { checkPinDirectory, pinCollection, unpinDirectory } from './pins.ts';
export type { RemovedPin } from './pins.ts';
export { Variable } from './variable.ts';
export { bindToDevice, chooseXdpProgram } from './xdp-program.ts';
