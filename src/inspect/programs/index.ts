export { readProgramMetadata } from './metadata.ts';
export { listPrograms, readMapIds, readProgramFacts } from './program-facts.ts';
export type { OffloadDevice, ProgramFacts } from './program-facts.ts';
