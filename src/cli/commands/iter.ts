import type { CommandGroup } from '../command.ts';

/** `ts-xdp iter` */
export const iterCommands: CommandGroup = {
  name: 'iter',
  summary: 'pin iterators, whose files print what they walk over',
  commands: [
    {
      name: 'pin',
      summary: 'load the iterator of an object and pin it; reading the file runs it',
      arguments: [
        {
          name: '<words...>',
          description:
            'an object and a path in a bpf file system; then map and a map, for those that walk over one',
        },
      ],
      examples: ['ts-xdp iter pin tasks.bpf.o /sys/fs/bpf/tasks'],
      load: async () => {
        const { runIterPin } = await import('../iter/pin.ts');
        return ({ arguments: [words] }, output) => runIterPin(words as string[], output);
      },
    },
  ],
};
