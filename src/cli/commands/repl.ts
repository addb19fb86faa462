import type { CommandDeclaration } from '../command.ts';

/** `ts-xdp repl` */
export const replCommand: CommandDeclaration = {
  name: 'repl',
  summary: 'try things out: the library, and an object with its programs, maps and variables, in a prompt',
  arguments: [{ name: '[object]', description: 'a BPF object, or the name of one that comes with ts-xdp' }],
  options: [
    {
      flags: '--iface <name>',
      description: "attach the object's XDP program to this interface",
      repeatable: true,
    },
    { flags: '--prog <name>', description: 'the program to attach, where the object has several' },
    { flags: '--netns <name|pid|path>', description: 'the network namespace of the interfaces' },
  ],
  examples: [
    'ts-xdp repl sniffer.bpf.o --iface eth0',
    "echo 'maps.stats.get(0)' | ts-xdp repl sniffer.bpf.o",
  ],
  object: ({ arguments: [object] }) => object as string | undefined,
  load: async () => (await import('../repl-command/run.ts')).runRepl,
};
