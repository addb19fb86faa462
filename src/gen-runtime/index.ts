/** What modules import that `ts-xdp gen` wrote. Stable: a module works with every later version of the same major. */
export {
  copyInto,
  flexibleLength,
  ownField,
  readBytes,
  readElements,
  readSigned128,
  readText,
  readUnsigned128,
  refuseUnknown,
  toBigSigned,
  toBigUnsigned,
  toBytes,
  toBytesUpTo,
  toEnumerator,
  toFlag,
  toFloat,
  toRecord,
  toSigned,
  toText,
  toUnsigned,
  within,
  write128,
  writeBits,
  writeElements,
  writeElementsUpTo,
} from '../btf/index.ts';
export type {
  EnumPlace,
  FieldReader,
  FieldsWithin,
  FieldTable,
  FlexibleArray,
  FlexibleEnd,
  InPlace,
  Input,
} from '../btf/index.ts';
export { ObjectFile } from '../elf/index.ts';
export type { EnumLayout, LayoutDescription, MapLayout, RecordLayout } from '../gen/index.ts';
export {
  ArrayMap,
  BloomFilter,
  BpfMap,
  CgroupArray,
  CgroupStorage,
  CpuMap,
  DeviceMap,
  HashMap,
  LocalStorage,
  LpmTrie,
  MapOfMaps,
  PerCpuMap,
  PerfEventArray,
  ProgramArray,
  Queue,
  SocketMap,
  XskMap,
} from '../maps/index.ts';
export { BpfProgram } from '../programs/index.ts';
export { codec } from './codec.ts';
export type { Codec } from './codec.ts';
export { EventSource } from './event-source.ts';
export { GeneratedCollection } from './generated-collection.ts';
export { decodeObject, loadGenerated, openObjectFile } from './load-generated.ts';
export { EventSink } from './event-sink.ts';
export { PerfEventSource } from './perf-event-source.ts';
export type { AnyCodec, MapCodecs } from './typed-maps.ts';
export type { GeneratedOptions, ObjectDescription, OpenOptions } from './load-generated.ts';
export { TypedMap } from './typed-map.ts';
export { TypedVariable } from './typed-variable.ts';
export type { ReadOnlyVariable } from './typed-variable.ts';
