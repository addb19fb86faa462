import type { CommandDeclaration } from '../command.ts';

/** `ts-xdp btf` */
export const btfCommand: CommandDeclaration = {
  name: 'btf',
  summary: 'print the types of an object, a BTF file or what the kernel has, or list what it has',
  arguments: [
    { name: '<action>', description: 'dump, show or list' },
    {
      name: '[source]',
      description:
        'an object file, a file of BTF, kernel, the id of a BTF, or id, prog, map or file and what follows',
    },
    {
      name: '[which]',
      description: 'the id of a BTF; the id, name, tag or pin of a program; the id, name or pin of a map',
    },
  ],
  options: [
    {
      flags: '--format <format>',
      description:
        'c: declarations that clang compiles to the same layout; json: every type as BTF has it; raw: a line for every type and element',
      choices: ['c', 'json', 'raw'],
    },
    {
      flags: '--base <source>',
      description: 'what the types of a kernel module extend: kernel, or a file that has them',
    },
    { flags: '--root <name>', description: 'only this type and what it needs', repeatable: true },
  ],
  examples: [
    'ts-xdp btf dump kernel > vmlinux.h',
    'ts-xdp btf dump mine.bpf.o --root my_event',
    'ts-xdp btf dump kernel --root xdp_md --format json',
    'ts-xdp btf dump prog my_xdp --format raw',
    'ts-xdp btf dump my_module.ko --base kernel',
    'ts-xdp btf show',
  ],
  object: ({ arguments: [, source, which] }) =>
    which === undefined ? (source as string | undefined) : undefined,
  load: async () => {
    const { runBtf } = await import('../btf/run.ts');
    return ({ arguments: [action, source, which], options }, output) =>
      runBtf(
        {
          action: action as string,
          source: source as string | undefined,
          which: which as string | undefined,
          ...options,
        },
        output,
      );
  },
};
