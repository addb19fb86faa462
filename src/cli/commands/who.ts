import type { CommandDeclaration } from '../command.ts';

/** `ts-xdp who` */
export const whoCommand: CommandDeclaration = {
  name: 'who',
  summary: 'tell who holds a program, map or link in the kernel, and why it therefore stays',
  arguments: [
    { name: '<kind>', description: 'prog, map or link' },
    {
      name: '<selector...>',
      description:
        'id ID, name NAME, tag TAG, pinned PATH, or one of these without the word before it; of a link the id or a pin',
    },
  ],
  examples: ['ts-xdp who prog 41', 'ts-xdp who map events --json', 'ts-xdp who link /sys/fs/bpf/my_link'],
  load: async () => {
    const { runWho } = await import('../who/run.ts');
    const { takeWhole } = await import('../words.ts');
    return ({ arguments: [kind, words] }, output) =>
      runWho(
        { kind: kind as string, selector: takeWhole(words as string[], `who ${kind as string}`) },
        output,
      );
  },
};
