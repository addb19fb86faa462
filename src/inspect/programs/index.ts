export { readJitedProgram } from './jited-program.ts';
export type { JitedFunction } from './jited-program.ts';
export { enableStatistics } from './statistics.ts';
export { readProgramMetadata } from './metadata.ts';
export { listPrograms, readMapIds, readProgramFacts } from './program-facts.ts';
export type { OffloadDevice, ProgramFacts } from './program-facts.ts';
