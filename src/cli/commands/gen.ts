import type { CommandDeclaration } from '../command.ts';

/** `ts-xdp gen` */
export const genCommand: CommandDeclaration = {
  name: 'gen',
  summary: 'write a TypeScript module that loads an object, with the types of its maps, events and variables',
  arguments: [
    {
      name: '<object>',
      description: 'a BPF object built by clang, or the name of one that comes with ts-xdp',
    },
  ],
  options: [
    { flags: '-o, --output <file>', description: 'where to write it; otherwise to standard output' },
    {
      flags: '--embed',
      description: 'put the object into the module; otherwise the module reads it from its file',
    },
    {
      flags: '--declaration',
      description: "types for `import x from './OBJECT'` through ts-xdp/register, beside the object",
    },
    { flags: '--check', description: 'write nothing; fail where the file is not what would be written' },
    { flags: '--watch', description: 'write it again whenever the object changes' },
    { flags: '--package <name>', description: 'what the module imports ts-xdp by', default: 'ts-xdp' },
  ],
  examples: [
    'ts-xdp gen sniffer.bpf.o -o sniffer.ts',
    'ts-xdp gen sniffer.bpf.o -o sniffer.ts --check',
    'ts-xdp gen --declaration sniffer.bpf.o',
  ],
  object: ({ arguments: [object] }) => object as string,
  load: async () => {
    const { runGen } = await import('../gen/run.ts');
    return (input, output) => runGen(input.arguments[0] as string, input.options, output);
  },
};
