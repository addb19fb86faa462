export { ExecutableFile } from './executable-file.ts';
export type { ByteSource, ExecutableSection, LoadSegment } from './executable-file.ts';
export { findFunctions } from './functions.ts';
export type { ExecutableFunction } from './functions.ts';
export { findUsdtProbes, readUsdtProbes } from './usdt-notes.ts';
export type { UsdtProbe } from './usdt-notes.ts';
