import type { CommandEntry } from './command.ts';

/** In the order of the help. Each is imported when it is asked for: most command lines need one of them. */
const COMMANDS: Readonly<Record<string, () => Promise<CommandEntry>>> = {
  load: async () => (await import('./commands/load.ts')).loadCommand,
  monitor: async () => (await import('./commands/monitor.ts')).monitorCommand,
  policy: async () => (await import('./commands/policy.ts')).policyCommands,
  mirror: async () => (await import('./commands/mirror.ts')).mirrorCommand,
  unload: async () => (await import('./commands/unload.ts')).unloadCommand,
  who: async () => (await import('./commands/who.ts')).whoCommand,
  top: async () => (await import('./commands/top.ts')).topCommand,
  trace: async () => (await import('./commands/trace.ts')).traceCommand,
  verify: async () => (await import('./commands/verify.ts')).verifyCommand,
  inspect: async () => (await import('./commands/inspect.ts')).inspectCommand,
  disasm: async () => (await import('./commands/disasm.ts')).disasmCommand,
  btf: async () => (await import('./commands/btf.ts')).btfCommand,
  map: async () => (await import('./commands/map.ts')).mapCommands,
  gen: async () => (await import('./commands/gen.ts')).genCommand,
  prog: async () => (await import('./commands/prog.ts')).progCommands,
  link: async () => (await import('./commands/link.ts')).linkCommands,
  net: async () => (await import('./commands/net.ts')).netCommands,
  cgroup: async () => (await import('./commands/cgroup.ts')).cgroupCommands,
  perf: async () => (await import('./commands/perf.ts')).perfCommands,
  struct_ops: async () => (await import('./commands/struct-ops.ts')).structOpsCommands,
  iter: async () => (await import('./commands/iter.ts')).iterCommands,
  feature: async () => (await import('./commands/feature.ts')).featureCommands,
  token: async () => (await import('./commands/token.ts')).tokenCommands,
  batch: async () => (await import('./commands/batch.ts')).batchCommand,
  doctor: async () => (await import('./commands/doctor.ts')).doctorCommand,
  repl: async () => (await import('./commands/repl.ts')).replCommand,
};

/** The command that a command line begins with; all of them where it begins with none, for help and for suggestions. */
export function commandsFor([name = '']: readonly string[]): Promise<CommandEntry[]> {
  const wanted = Object.hasOwn(COMMANDS, name) ? [COMMANDS[name]] : Object.values(COMMANDS);
  return Promise.all(wanted.flatMap((load) => load?.() ?? []));
}
