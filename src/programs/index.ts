export { readBtfInfo } from './btf-info.ts';
export type { BtfInfo } from './btf-info.ts';
export { AttachType, attachTypeName } from './attach-type.ts';
export type { AttachTypeName } from './attach-type.ts';
export { BpfProgram, readProgramInfo } from './program.ts';
export type { ProgramInfo, TestRunOptions, TestRunResult } from './program.ts';
export { programTypeName } from './program-type.ts';
export { readProgramBtf } from './program-btf.ts';
