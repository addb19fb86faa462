export type { ReplOutput } from './output.ts';
export { Prompt } from './prompt.ts';
export type { PromptOptions } from './prompt.ts';
export { Scope } from './scope.ts';
export { runScript } from './script.ts';
export type { ScriptOptions } from './script.ts';
export { Session } from './session.ts';
export type { LoadChoice, SessionOptions } from './session.ts';
export type { StreamedEvent } from './event-stream.ts';
