import type { CommandGroup } from '../command.ts';

/** `ts-xdp perf` */
export const perfCommands: CommandGroup = {
  name: 'perf',
  summary: 'show which processes attach programs to tracepoints, kprobes and uprobes',
  commands: [
    {
      name: 'show',
      aliases: ['list'],
      summary: 'list their descriptors',
      load: async () => {
        const { runPerfShow } = await import('../perf/show.ts');
        return (_, output) => runPerfShow(output);
      },
    },
  ],
};
