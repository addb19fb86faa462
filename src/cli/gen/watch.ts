import { watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import { TsXdpError } from '../../errors.ts';
import { EndOfStream } from '../load/end-of-stream.ts';
import { errorDocument, errorText } from '../output/error-report.ts';
import type { Output } from '../output/output.ts';

/** Milliseconds without another change after which a compiler is taken to have finished. */
const QUIET = 50;

/** Updates at once and whenever the object changes, until a signal. What cannot be read is told, and waited out. */
export async function watchObject(
  object: string,
  { output, update }: { output: Output; update: () => boolean },
): Promise<void> {
  const end = new EndOfStream();
  const forget = end.onSignals();
  end.onStandardOutput(output);
  const run = (): void => {
    try {
      const written = update();
      const text = (): string => `${written ? 'wrote' : 'unchanged'} after ${object}`;
      output.stream({ json: () => ({ type: 'generated', object, written }), text });
    } catch (error) {
      if (!(error instanceof TsXdpError)) end.fail(error);
      else if (output.json)
        output.stream({ json: () => ({ type: 'error', ...errorDocument(error) }), text: () => '' });
      else process.stderr.write(errorText(error, { verbose: false, object }));
    }
  };
  let timer: NodeJS.Timeout | undefined;
  // The folder, since compilers replace the file: a watch of it would go with the old one.
  const watcher = watch(dirname(object), (_, name) => {
    if (name !== basename(object)) return;
    clearTimeout(timer);
    timer = setTimeout(run, QUIET);
  });
  watcher.on('error', (error) => {
    end.fail(error);
  });
  try {
    run();
    await end.reached;
  } finally {
    clearTimeout(timer);
    watcher.close();
    forget();
  }
}
