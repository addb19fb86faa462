export { Collection } from './collection.ts';
export type { LoadOptions } from './collection.ts';
export { checkPinDirectory, pinCollection, unpinDirectory } from './pins.ts';
export type { RemovedPin } from './pins.ts';
export { Variable } from './variable.ts';
