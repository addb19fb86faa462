export * from './errors.ts';
export { ObjectFile, VariableSpec } from './elf/index.ts';
export type { ExternSpec, MapSpec, ProgramSpec } from './elf/index.ts';
export { Feature, isSupported, requireFeature } from './features/index.ts';
export {
  attachXdp,
  detachXdp,
  liveLinks,
  XdpAttachment,
  XdpLink,
  XdpNetlinkAttachment,
} from './link/index.ts';
export type {
  DetachedXdp,
  Link,
  XdpMode,
  XdpObstacle,
  XdpOptions,
  XdpRefusal,
  XdpVia,
} from './link/index.ts';
export { Collection, pinCollection, unpinDirectory, Variable } from './loader/index.ts';
export type {
  ExistingMapReference,
  LoadOptions,
  RemovedPin,
  SharedMap,
  TokenChoice,
} from './loader/index.ts';
export { BpfMap, MapType, mapTypeName } from './maps/index.ts';
export type { MapInfo, MapOptions, MapTypes, UpdateMode } from './maps/index.ts';
export { BpfProgram, programTypeName } from './programs/index.ts';
export type { ProgramInfo, TestRunOptions, TestRunResult } from './programs/index.ts';
export { RingBuffer, RingBufferRecord } from './ringbuf/index.ts';
export type { ListenOptions, RecordDecoder, RingBufferOptions } from './ringbuf/index.ts';
export { BpfToken, NetworkNamespace } from './sys/index.ts';
