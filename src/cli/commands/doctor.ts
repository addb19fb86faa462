import type { CommandDeclaration } from '../command.ts';

/** `ts-xdp doctor` */
export const doctorCommand: CommandDeclaration = {
  name: 'doctor',
  summary: 'say what this machine can do with BPF, and what to do where it falls short',
  options: [
    {
      flags: '--iface <name>',
      description: 'look at this interface (default: all that are up)',
      repeatable: true,
    },
  ],
  load: async () => {
    const { runDoctor } = await import('../doctor/run.ts');
    return (input, output) => runDoctor(input.options, output);
  },
};
