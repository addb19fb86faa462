import type { CommandDeclaration } from '../command.ts';

/** `ts-xdp inspect` */
export const inspectCommand: CommandDeclaration = {
  name: 'inspect',
  summary:
    'say what an object holds and needs: programs, helpers, maps, variables, externs, CO-RE relocations, the oldest kernel that can run it',
  arguments: [
    {
      name: '<object>',
      description: 'a BPF object built by clang, or the name of one that comes with ts-xdp',
    },
  ],
  examples: ['ts-xdp inspect sniffer.bpf.o', 'ts-xdp inspect mine.bpf.o --json'],
  object: ({ arguments: [object] }) => object as string,
  load: async () => {
    const { runInspect } = await import('../inspect/run.ts');
    return (input, output) => runInspect(input.arguments[0] as string, output);
  },
};
