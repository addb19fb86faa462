import type { CommandDeclaration } from '../command.ts';

/** `ts-xdp disasm` */
export const disasmCommand: CommandDeclaration = {
  name: 'disasm',
  summary: 'print the instructions of an object, with what they refer to',
  arguments: [
    {
      name: '<object>',
      description: 'a BPF object built by clang, or the name of one that comes with ts-xdp',
    },
  ],
  options: [
    { flags: '--prog <name>', description: 'only this program or function' },
    { flags: '--source', description: 'show the lines of source that the instructions come from' },
  ],
  examples: ['ts-xdp disasm sniffer.bpf.o --source', 'ts-xdp disasm mine.bpf.o --prog my_xdp --json'],
  object: ({ arguments: [object] }) => object as string,
  load: async () => {
    const { runDisasm } = await import('../disasm/run.ts');
    return (input, output) => runDisasm(input.arguments[0] as string, { ...input.options, output });
  },
};
