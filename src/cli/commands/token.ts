import type { CommandGroup } from '../command.ts';

/** `ts-xdp token` */
export const tokenCommands: CommandGroup = {
  name: 'token',
  summary: 'show what bpf file systems delegate to user namespaces',
  commands: [
    {
      name: 'show',
      aliases: ['list'],
      summary: 'list the bpf file systems that tokens come from',
      load: async () => {
        const { runTokenShow } = await import('../token/show.ts');
        return (_, output) => runTokenShow(output);
      },
    },
  ],
};
