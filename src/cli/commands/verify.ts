import type { CommandDeclaration } from '../command.ts';

/** `ts-xdp verify` */
export const verifyCommand: CommandDeclaration = {
  name: 'verify',
  summary: 'ask the kernel about every program of objects, each loaded alone, and attach nothing',
  arguments: [
    {
      name: '<objects...>',
      description: 'BPF objects built by clang, or names of those that come with ts-xdp',
    },
  ],
  options: [
    { flags: '--prog <name>', description: 'only this program of each object', repeatable: true },
    { flags: '--log', description: "print the verifier's whole log of every program, accepted or not" },
  ],
  examples: [
    'ts-xdp verify sniffer.bpf.o',
    'ts-xdp verify build/*.bpf.o --json',
    'ts-xdp verify mine.bpf.o --prog entry --log',
  ],
  load: async () => (await import('../verify/run.ts')).runVerify,
};
