export { Feature } from './catalogue.ts';
export { isSupported, requireFeature, unsupportedFeature } from './feature.ts';
export type { MissingFeature, ProbeOptions, RequireOptions } from './feature.ts';
export {
  firstKernelOfAttachType,
  firstKernelOfHelper,
  firstKernelOfMapType,
  firstKernelOfProgramType,
} from './first-kernels.ts';
export { hasFixedHelpers, helperFeature, isHelperAvailable } from './helper-features.ts';
export type { HelperQuestion } from './helper-features.ts';
export type { InstructionFeature } from './instruction-features.ts';
export { returnZero } from './probe-program.ts';
export {
  isMapTypeSupported,
  isProgramTypeSupported,
  mapTypeFeature,
  programTypeFeature,
} from './type-features.ts';
export type { TypeQuestion } from './type-features.ts';
export { askVerifier } from './verifier-attempt.ts';
