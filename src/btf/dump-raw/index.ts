export { rawText } from './raw-text.ts';
export { rawType } from './raw-type.ts';
export type { RawElement, RawField, RawType } from './raw-type.ts';
