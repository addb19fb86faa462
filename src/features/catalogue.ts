import * as btf from './btf-features.ts';
import { contextArguments } from './argument-features.ts';
import type { Feature as FeatureDescription } from './feature.ts';
import * as helper from './helper-features.ts';
import * as instruction from './instruction-features.ts';
import * as link from './link-features.ts';
import * as map from './map-features.ts';
import * as program from './program-features.ts';

/**
 * The features that this library asks for.
 *
 * @example
 * if (isSupported(Feature.XdpLoadBytes)) …
 */
export const Feature = {
  BpfSyscall: program.bpfSyscall,
  XdpProgram: program.xdpProgram,
  RingBuffer: map.ringBuffer,
  RingBufferReserve: helper.ringBufferReserve,
  RingBufferOutput: helper.ringBufferOutput,
  GlobalData: program.globalData,
  MmapableArray: map.mmapableArray,
  BatchOperations: map.batchOperations,
  SingleCpuValues: map.singleCpuValues,
  ExclusiveMaps: map.exclusiveMaps,
  MapNames: map.mapNames,
  ProgramNames: program.programNames,
  XdpLink: program.xdpLink,
  CgroupLink: link.cgroupLink,
  CgroupOrder: link.cgroupOrder,
  Tcx: link.tcx,
  Netkit: link.netkit,
  FlowDissectorLink: link.flowDissectorLink,
  SkLookup: link.skLookup,
  Netfilter: link.netfilter,
  PerfEventLink: link.perfEventLink,
  SockmapLink: link.sockmapLink,
  KprobeMulti: link.kprobeMulti,
  KprobeSession: link.kprobeSession,
  UprobeMulti: link.uprobeMulti,
  UprobeSession: link.uprobeSession,
  RawTracepointCookie: link.rawTracepointCookie,
  StructOpsLink: link.structOpsLink,
  StructOpsAssociation: link.structOpsAssociation,
  XdpFrags: program.xdpFrags,
  XdpLoadBytes: helper.xdpLoadBytes,
  DeviceBoundXdp: program.deviceBoundXdp,
  LargePrograms: instruction.largePrograms,
  BoundedLoops: instruction.boundedLoops,
  InstructionSet2: instruction.instructionSet2,
  InstructionSet3: instruction.instructionSet3,
  InstructionSet4: instruction.instructionSet4,
  MemoryCgroupAccounting: helper.memoryCgroupAccounting,
  ContextArguments: contextArguments,
  Btf: btf.btf,
  BtfFunctions: btf.btfFunctions,
  BtfGlobalFunctions: btf.btfGlobalFunctions,
  BtfDataSections: btf.btfDataSections,
  BtfQuestionMarkSections: btf.btfQuestionMarkSections,
  BtfFloat: btf.btfFloat,
  BtfDeclTag: btf.btfDeclTag,
  BtfTypeTag: btf.btfTypeTag,
  BtfEnum64: btf.btfEnum64,
} as const satisfies Readonly<Record<string, FeatureDescription>>;
export type Feature = FeatureDescription;
