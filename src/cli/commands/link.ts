import type { CommandGroup } from '../command.ts';

const LINK = 'a link: id ID or pinned PATH, or one of these without the word before it';

/** `ts-xdp link` */
export const linkCommands: CommandGroup = {
  name: 'link',
  summary: 'show, pin, detach and update the links in the kernel: what is attached where',
  commands: [
    {
      name: 'show',
      aliases: ['list'],
      summary: 'list the links in the kernel, or say what one is',
      arguments: [{ name: '[link...]', description: `${LINK}; all without it` }],
      options: [
        { flags: '-f, --bpffs', description: 'say where they are pinned' },
        { flags: '--pids', description: 'say which processes have descriptors of them' },
      ],
      examples: ['ts-xdp link show', 'ts-xdp link list --json --pids'],
      load: async () => {
        const { runLinkShow } = await import('../link/show.ts');
        return ({ arguments: [words], options }, output) => runLinkShow(words as string[], options, output);
      },
    },
    {
      name: 'detach',
      summary: 'take the program of a link away, whoever holds the link',
      arguments: [{ name: '<link...>', description: LINK }],
      load: async () => {
        const { runLinkDetach } = await import('../link/change.ts');
        return ({ arguments: [words] }, output) => runLinkDetach(words as string[], output);
      },
    },
    {
      name: 'pin',
      summary: 'pin a link in a bpf file system',
      arguments: [{ name: '<words...>', description: `${LINK}; then the path` }],
      load: async () => {
        const { runLinkPin } = await import('../link/change.ts');
        return ({ arguments: [words] }, output) => runLinkPin(words as string[], output);
      },
    },
    {
      name: 'update',
      summary: 'put another program under a link',
      arguments: [{ name: '<words...>', description: `${LINK}; then a program, as prog show takes it` }],
      examples: ['ts-xdp link update id 7 name my_xdp_v2'],
      load: async () => {
        const { runLinkUpdate } = await import('../link/change.ts');
        return ({ arguments: [words] }, output) => runLinkUpdate(words as string[], output);
      },
    },
  ],
};
