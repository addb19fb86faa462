export { readContainer } from './container.ts';
export type { ElfContainer, ElfSection } from './container.ts';
export { readEventAnchors } from './event-anchors.ts';
export type { EventAnchors } from './event-anchors.ts';
export type { Relocation } from './instruction-relocations.ts';
export type { InitialSlot, MapDefinition, MapSpec, StructOpsDefinition } from './map-spec.ts';
export { objectNameOf, readNamedObject, readObjectBytes } from './object-bytes.ts';
export type { NamedObject } from './object-bytes.ts';
export { ObjectFile } from './object-file.ts';
export { isObjectPackage, unpackObject } from './object-package.ts';
export type { PackagedObject } from './object-package.ts';
export { readBtf, readModuleBtf } from './object-parts.ts';
export { jumpTargets } from './jump-tables.ts';
export type { JumpTable } from './jump-tables.ts';
export { KERNEL_CONFIG_SECTION } from './externs.ts';
export type { ExternPlace, ExternSpec } from './externs.ts';
export { findNamed } from './find-named.ts';
export type { FunctionSpec, ProgramSpec } from './program-spec.ts';
export { functionAt, helperCalledAt, ObjectReferences, referencesOf } from './references.ts';
export type { References } from './references.ts';
export { recordsOf } from './section-records.ts';
export { interpretSectionName, sectionDefinitions } from './section-names.ts';
export type { SectionDefinition, SectionMeaning } from './section-names.ts';
export { VariableSpec } from './variable-spec.ts';
export { programsOfStructOps } from './struct-ops.ts';
export { ExecutableFile, findFunctions, findUsdtProbes, readUsdtProbes } from './executable/index.ts';
export type {
  ByteSource,
  ExecutableFunction,
  ExecutableSection,
  LoadSegment,
  UsdtProbe,
} from './executable/index.ts';
