import type { CommandDeclaration } from '../command.ts';
import { parseCount } from '../parse-option.ts';

/** `ts-xdp trace` */
export const traceCommand: CommandDeclaration = {
  name: 'trace',
  summary: 'follow what programs print, or print the stream of one',
  arguments: [
    { name: '[prog]', description: 'the word prog, for the stream of one program' },
    {
      name: '[words...]',
      description:
        'id ID, name NAME, tag TAG, pinned PATH, or one of these alone; then stdout or stderr, stdout unless it is given',
    },
  ],
  options: [{ flags: '--count <n>', description: 'end after this many lines', parse: parseCount }],
  examples: ['ts-xdp trace', 'ts-xdp trace prog my_xdp stderr'],
  load: async () => {
    const { runTrace } = await import('../trace/run.ts');
    return ({ arguments: [kind, words], options }, output) =>
      runTrace(
        {
          kind: kind as string | undefined,
          words: (words ?? []) as string[],
          count: options['count'] as number | undefined,
        },
        output,
      );
  },
};
