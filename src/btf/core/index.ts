export type { CoreTargets } from './candidates.ts';
export { typesAreCompatible } from './compatible.ts';
export { DecodedTypes } from './decoded-types.ts';
export { essentialName } from './essential-name.ts';
export { coreKindNames } from './kind.ts';
export type { CoreKind } from './kind.ts';
export { patchInstruction, POISONED_HELPER } from './patch.ts';
export { CoreResolver } from './resolver.ts';
export type { AccessChange, CoreResolution } from './resolver.ts';
