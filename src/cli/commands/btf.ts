import type { CommandDeclaration } from '../command.ts';

/** `ts-xdp btf` */
export const btfCommand: CommandDeclaration = {
  name: 'btf',
  summary: 'print the types of an object, of a BTF file or of the running kernel',
  arguments: [
    { name: '<action>', description: 'dump' },
    { name: '<source>', description: 'an object file, a file of BTF, or kernel' },
  ],
  options: [
    {
      flags: '--format <format>',
      description: 'c: declarations that clang compiles to the same layout; json: every type as BTF has it',
      choices: ['c', 'json'],
    },
    { flags: '--root <name>', description: 'only this type and what it needs', repeatable: true },
  ],
  examples: [
    'ts-xdp btf dump kernel > vmlinux.h',
    'ts-xdp btf dump mine.bpf.o --root my_event',
    'ts-xdp btf dump kernel --root xdp_md --format json',
  ],
  object: ({ arguments: [, source] }) => source as string,
  load: async () => {
    const { runBtf } = await import('../btf/run.ts');
    return ({ arguments: [action, source], options }, output) =>
      runBtf({ action: action as string, source: source as string, ...options }, output);
  },
};
