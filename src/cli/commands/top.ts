import type { CommandDeclaration } from '../command.ts';
import { parseCount, parseDuration } from '../parse-option.ts';

/** `ts-xdp top` */
export const topCommand: CommandDeclaration = {
  name: 'top',
  summary: 'show live how often programs run and how much time they take',
  options: [
    {
      flags: '--interval <duration>',
      description: 'between two looks',
      parse: parseDuration,
      default: 1000,
      defaultText: '1s',
    },
    { flags: '--count <n>', description: 'end after this many looks', parse: parseCount },
  ],
  examples: ['ts-xdp top', 'ts-xdp top --interval 5s --count 3 --json'],
  load: async () => {
    const { runTop } = await import('../top/run.ts');
    return ({ options }, output) => runTop(options as unknown as Parameters<typeof runTop>[0], output);
  },
};
