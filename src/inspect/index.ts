export type { Check, CheckStatus } from './check.ts';
export { inspectMachine } from './machine.ts';
export type { MachineFindings, MachineOptions, MachineVerdict } from './machine.ts';
export type { MachineFiles } from './machine-files.ts';
export type { InterfaceFacts, InterfaceFindings } from './machine-interface.ts';
export { XdpFeatureQuery } from './xdp-features.ts';
export type { XdpDriverFeature } from './xdp-features.ts';
export { LiveStatistics } from './live-statistics.ts';
export type { ProgramActivity } from './live-statistics.ts';
export { readProgramStream } from './program-stream.ts';
export type { ProgramStream } from './program-stream.ts';
export { parseTraceLine } from './trace-line.ts';
export type { TraceLine } from './trace-line.ts';
export { TracePipe } from './trace-pipe.ts';
export {
  fullProgramName,
  kernelCallTargets,
  KernelSymbols,
  listBtfObjects,
  listLinks,
  mapObjects,
  objectIds,
  openIfThere,
  openLink,
  openMaps,
  openMapsNamed,
  openPrograms,
  programsOfMap,
  readBtfById,
  readLoadedProgram,
  readMapDetails,
  selectorText,
} from './objects/index.ts';
export type {
  HeldBtfObject,
  KernelSymbol,
  LoadedFunction,
  LoadedLine,
  LoadedProgram,
  MapDetails,
  MapUser,
  ObjectKind,
  Selector,
} from './objects/index.ts';
export {
  enableStatistics,
  listPrograms,
  readJitedProgram,
  readProgramFacts,
  readProgramMetadata,
} from './programs/index.ts';
export type { JitedFunction, OffloadDevice, ProgramFacts } from './programs/index.ts';
export {
  descriptorHolders,
  detachLink,
  findLinkPlaces,
  findPins,
  holdersOf,
  openNamespace,
  releaseHolder,
} from './holders/index.ts';
export type {
  CgroupHolder,
  DescriptorHolder,
  Held,
  Holder,
  Holders,
  LinkHolder,
  LinkPlace,
  MapHolder,
  NamespaceReference,
  NetnsHolder,
  PerfEventHolder,
  PinHolder,
  ProcessHolder,
  ProgramHolder,
  TcHolder,
  TcxHolder,
  XdpHolder,
} from './holders/index.ts';
export { inspectCgroup, inspectCgroupTree, inspectNetwork, listTaskEvents } from './hooks/index.ts';
export type {
  CgroupHooks,
  CgroupProgram,
  CgroupQuery,
  InterfaceHook,
  InterfaceHooks,
  NetworkHooks,
  TaskEvent,
} from './hooks/index.ts';
export { ownNames, surveyFeatures } from './features/index.ts';
export type {
  FeatureAnswer,
  KernelFeatures,
  KernelSettings,
  KnownNames,
  MiscellaneousFeature,
  Names,
  SurveyOptions,
  UnknownFeature,
} from './features/index.ts';
