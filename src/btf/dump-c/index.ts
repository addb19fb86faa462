export { dumpC } from './dump.ts';
export type { DumpOptions } from './dump.ts';
