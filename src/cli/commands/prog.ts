import type { CommandGroup } from '../command.ts';

const PROG = 'a program: id ID, name NAME, tag TAG, pinned PATH, or one of these without the word before it';

/** `ts-xdp prog` */
export const progCommands: CommandGroup = {
  name: 'prog',
  summary: 'show, dump, run, load and pin the programs in the kernel',
  commands: [
    {
      name: 'show',
      aliases: ['list'],
      summary: 'list the programs in the kernel, or say what one is',
      arguments: [{ name: '[program...]', description: `${PROG}; all without it` }],
      options: [
        { flags: '-f, --bpffs', description: 'say where they are pinned' },
        { flags: '--pids', description: 'say which processes have descriptors of them' },
      ],
      examples: ['ts-xdp prog show', 'ts-xdp prog show name my_xdp --pids', 'ts-xdp prog list --json -f'],
      load: async () => {
        const { runProgShow } = await import('../prog/show.ts');
        return ({ arguments: [words], options }, output) => runProgShow(words as string[], options, output);
      },
    },
  ],
};
