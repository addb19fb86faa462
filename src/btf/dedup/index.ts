export { dedup } from './dedup.ts';
export type { DedupResult } from './dedup.ts';
