/** The process of {@link CommandHost}: runs one command line after the other, each as `dist/cli/main.js` would. */
import { inProject } from './project-root.ts';

/** Ends what one command printed, on both streams: no command prints it. */
const END = '\0end\0';

const { run } = (await import(inProject('dist/cli/run.js'))) as {
  run: (words: readonly string[]) => Promise<number>;
};

// Every command's output listens for the end of standard output, and here are many.
process.stdout.setMaxListeners(0);
process.on('disconnect', () => process.exit());
process.on('message', (words: readonly string[]) => {
  void run(words).then((code) => {
    process.stdout.write(END);
    process.stderr.write(END);
    process.send?.(code);
  });
});
