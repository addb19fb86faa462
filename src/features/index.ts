export { Feature } from './catalogue.ts';
export { isSupported, requireFeature } from './feature.ts';
export type { ProbeOptions, RequireOptions } from './feature.ts';
export { isHelperAvailable } from './helper-features.ts';
export type { HelperQuestion } from './helper-features.ts';
