import type { CommandDeclaration } from '../command.ts';

/** `ts-xdp disasm` */
export const disasmCommand: CommandDeclaration = {
  name: 'disasm',
  summary: 'print the instructions of an object or of loaded programs, with what they refer to',
  arguments: [
    {
      name: '<object>',
      description: 'a BPF object built by clang, the name of one that comes with ts-xdp, or prog',
    },
    { name: '[program]', description: 'after prog: the id, name, tag or pin of a program in the kernel' },
    { name: '[value]', description: 'after id, name, tag or pinned, as bpftool spells it' },
  ],
  options: [
    { flags: '--prog <name>', description: 'only this program or function' },
    { flags: '--source', description: 'show the lines of source that the instructions come from' },
  ],
  examples: [
    'ts-xdp disasm sniffer.bpf.o --source',
    'ts-xdp disasm mine.bpf.o --prog my_xdp --json',
    'ts-xdp disasm prog my_xdp --source',
  ],
  object: ({ arguments: [object, program] }) => (program === undefined ? (object as string) : undefined),
  load: async () => {
    const { runDisasm } = await import('../disasm/run.ts');
    return (input, output) =>
      runDisasm(input.arguments[0] as string, {
        ...input.options,
        which: input.arguments[1] as string | undefined,
        value: input.arguments[2] as string | undefined,
        output,
      });
  },
};
