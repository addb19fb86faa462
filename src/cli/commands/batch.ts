import type { CommandDeclaration } from '../command.ts';

/** `ts-xdp batch` */
export const batchCommand: CommandDeclaration = {
  name: 'batch',
  summary: 'run the command lines of a file, one after the other, until one fails',
  arguments: [{ name: '<file>', description: 'a file, or - for standard input; # begins a comment' }],
  examples: ['ts-xdp batch setup.txt', 'echo "prog show" | ts-xdp batch - --json'],
  load: async () => {
    const { runBatch } = await import('../batch/run.ts');
    return ({ arguments: [file] }, output, { runLine }) => runBatch(file as string, { runLine, output });
  },
};
