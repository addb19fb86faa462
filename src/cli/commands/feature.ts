import type { CommandGroup } from '../command.ts';

/** `ts-xdp feature` */
export const featureCommands: CommandGroup = {
  name: 'feature',
  summary: 'say what the kernel has of BPF, and since when Linux has it',
  commands: [
    {
      name: 'probe',
      summary: 'try on this kernel, or a network card, everything that can be tried',
      arguments: [
        {
          name: '[words...]',
          description:
            'kernel (the default) or dev INTERFACE; full (also helpers that make the kernel log a warning), unprivileged (as a process without capabilities)',
        },
      ],
      examples: [
        'ts-xdp feature probe',
        'ts-xdp feature probe --json',
        'ts-xdp feature probe kernel unprivileged',
      ],
      load: async () => {
        const { runFeatureProbe } = await import('../feature/probe.ts');
        return ({ arguments: [words] }, output) => runFeatureProbe(words as string[], output);
      },
    },
    {
      name: 'list',
      aliases: ['list_builtins'],
      summary: 'list what ts-xdp knows, with the first Linux that has it; asks no kernel',
      arguments: [
        {
          name: '[group]',
          description: 'prog_types, map_types, attach_types, helpers or features; all without it',
        },
      ],
      examples: ['ts-xdp feature list', 'ts-xdp feature list helpers --json'],
      load: async () => {
        const { runFeatureList } = await import('../feature/list.ts');
        return ({ arguments: [group] }, output) => runFeatureList(group as string | undefined, output);
      },
    },
  ],
};
