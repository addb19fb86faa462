export { inspectCgroup, inspectCgroupTree } from './cgroups.ts';
export type { CgroupHooks, CgroupProgram, CgroupQuery } from './cgroups.ts';
export { inspectNetwork } from './network.ts';
export type { InterfaceHook, InterfaceHooks, NetworkHooks } from './network.ts';
export { listTaskEvents, queryTaskEvent } from './task-events.ts';
export type { TaskEvent } from './task-events.ts';
