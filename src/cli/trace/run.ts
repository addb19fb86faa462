import {
  openPrograms,
  parseTraceLine,
  readProgramStream,
  TracePipe,
  type Selector,
} from '../../inspect/index.ts';
import { systemKernel } from '../../sys/index.ts';
import { ExitCode, UsageError } from '../exit-code.ts';
import type { Output } from '../output/output.ts';
import { Words } from '../words.ts';

export interface TraceOptions {
  /** `prog`; undefined for the trace pipe. */
  readonly kind?: string | undefined;
  /** The program and its stream. */
  readonly words: readonly string[];
  readonly count?: number | undefined;
}

/** Follows the trace pipe, or prints the stream of programs. */
export async function runTrace({ kind, words, count }: TraceOptions, output: Output): Promise<number> {
  if (kind === undefined) await followPipe(output, count);
  else if (kind !== 'prog' || words.length === 0)
    throw new UsageError('trace takes nothing, or prog and an id, a name, a tag or a pin');
  else if (count !== undefined)
    throw new UsageError('trace prog prints what is there and ends, so it goes without --count');
  else printStreams(output, chosenStream(words));
  await output.flush();
  return ExitCode.Done;
}

function chosenStream(given: readonly string[]): { selector: Selector; stream: 'stdout' | 'stderr' } {
  const words = new Words(given, 'trace prog');
  const selector = words.takeSelector('a program');
  const stream = words.empty ? 'stdout' : words.take('a stream');
  words.end();
  if (stream === 'stdout' || stream === 'stderr') return { selector, stream };
  throw new UsageError(`${stream} is no stream of a program: stdout and stderr are`);
}

/** Until a signal, the count, or the end of standard output. */
async function followPipe(output: Output, count = Infinity): Promise<void> {
  await new Promise<void>((resolve) => {
    let lines = 0;
    const pipe = TracePipe.open((line) => {
      // What came in one read after the last line that was wanted.
      if (lines >= count) return;
      printLine(output, line);
      if (++lines >= count) finish();
    });
    const finish = (): void => {
      pipe.close();
      process.off('SIGINT', finish).off('SIGTERM', finish);
      resolve();
    };
    process.on('SIGINT', finish).on('SIGTERM', finish);
    output.onClosed(finish);
  });
}

/** A line of another form than the kernel's usual one is text alone. */
function printLine(output: Output, line: string): void {
  const parsed = parseTraceLine(line);
  output.stream({
    json: () => ({ type: 'trace', ...(parsed ?? { text: line }) }),
    text: () => line,
  });
}

function printStreams(
  output: Output,
  { selector, stream }: { selector: Selector; stream: 'stdout' | 'stderr' },
): void {
  const kernel = systemKernel();
  const programs = openPrograms(kernel, selector);
  try {
    for (const program of programs) {
      const text = readProgramStream(kernel, program.fd, stream);
      output.result({ type: 'stream', prog_id: program.id, stream, text }, text);
    }
  } finally {
    for (const program of programs) program.close();
  }
}
