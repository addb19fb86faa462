export { Collection } from './collection.ts';
export type { LoadOptions } from './collection.ts';
export { Variable } from './variable.ts';
