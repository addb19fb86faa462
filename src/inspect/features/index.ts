export type { KernelSettings } from './settings.ts';
export { surveyFeatures } from './survey.ts';
export type {
  FeatureAnswer,
  KernelFeatures,
  MiscellaneousFeature,
  SurveyOptions,
  UnknownFeature,
} from './survey.ts';
export { ownNames } from './type-names.ts';
export type { KnownNames, Names } from './type-names.ts';
