export type { MirrorAttachment, MirrorVia } from './attach.ts';
export type { MirrorTarget } from './maps.ts';
export { DEFAULT_PORT, DEFAULT_VNI, Mirror } from './mirror.ts';
export type { MirrorOptions } from './mirror.ts';
export { parseMirrorRule } from './rule.ts';
export type { MirrorRule } from './rule.ts';
export type { MirrorTotals, TargetTotals } from './totals.ts';
