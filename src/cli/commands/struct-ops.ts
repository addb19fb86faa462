import type { CommandGroup } from '../command.ts';

/** `ts-xdp struct_ops` */
export const structOpsCommands: CommandGroup = {
  name: 'struct_ops',
  summary: "show the programs that implement structs of the kernel's",
  commands: [
    {
      name: 'show',
      aliases: ['list'],
      summary: 'list the struct_ops maps in the kernel',
      arguments: [{ name: '[map...]', description: 'id ID or name NAME of a map; all without it' }],
      load: async () => {
        const { runStructOpsShow } = await import('../struct-ops/show.ts');
        return ({ arguments: [words] }, output) => runStructOpsShow(words as string[], output);
      },
    },
    {
      name: 'dump',
      summary: 'print struct_ops maps: the struct, its fields and the programs in it',
      arguments: [{ name: '[map...]', description: 'id ID or name NAME of a map; all without it' }],
      examples: ['ts-xdp struct_ops dump', 'ts-xdp struct_ops dump name my_tcp --json'],
      load: async () => {
        const { runStructOpsDump } = await import('../struct-ops/dump.ts');
        return ({ arguments: [words] }, output) => runStructOpsDump(words as string[], output);
      },
    },
  ],
};
