import type { CommandGroup, CommandInput } from '../command.ts';
import type { Output } from '../output/output.ts';

/** `ts-xdp cgroup` */
export const cgroupCommands: CommandGroup = {
  name: 'cgroup',
  summary: 'show, attach and detach the programs of cgroups',
  commands: [
    {
      name: 'show',
      aliases: ['list'],
      summary: 'list the programs of a cgroup',
      arguments: [
        {
          name: '<words...>',
          description:
            'the directory of a cgroup, or its path below the root; then effective for what runs there from above too',
        },
      ],
      examples: ['ts-xdp cgroup show /system.slice/web.service effective'],
      load: async () => {
        const { runCgroupShow } = await import('../cgroup/show.ts');
        return ({ arguments: [words] }, output) => runCgroupShow(words as string[], output);
      },
    },
    {
      name: 'tree',
      summary: 'list all cgroups that have programs',
      arguments: [{ name: '[words...]', description: 'where to start; then effective' }],
      load: async () => {
        const { runCgroupTree } = await import('../cgroup/show.ts');
        return ({ arguments: [words] }, output) => runCgroupTree(words as string[], output);
      },
    },
    ...(['attach', 'detach'] as const).map((action) => ({
      name: action,
      summary:
        action === 'attach'
          ? 'attach a program to a cgroup so that it stays until it is detached'
          : 'take a program off a cgroup',
      arguments: [
        {
          name: '<words...>',
          description: `a cgroup, a hook (connect4, ingress, …), a program${action === 'attach' ? '; then multi or override' : ''}`,
        },
      ],
      examples: [`ts-xdp cgroup ${action} /system.slice connect4 name my_connect4`],
      load: async () => {
        const { runCgroupChange } = await import('../cgroup/attach.ts');
        return ({ arguments: [words] }: CommandInput, output: Output) =>
          runCgroupChange(words as string[], { action }, output);
      },
    })),
  ],
};
