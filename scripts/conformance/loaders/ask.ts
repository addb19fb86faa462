import { spawn } from 'node:child_process';
import { basename } from 'node:path';
import { createInterface } from 'node:readline';

/** What a loader said of an object: its line, or why there is none. */
export type Answer =
  { readonly object: string; readonly line: string } | { readonly object: string; readonly missing: string };

export interface AskOptions {
  /** Takes objects as its last arguments and prints one JSON line for each, in order, with the name in `object`. */
  readonly command: readonly string[];
  /** Paths. */
  readonly objects: readonly string[];
  /** How many objects one process gets: starting costs more than most objects. */
  readonly batchSize: number;
  /** How long one object may take. */
  readonly patienceSeconds: number;
  readonly onAnswer: (answer: Answer) => void;
}

/** Exit codes with which `ts-xdp verify` says that something was refused: 1 failed, 3 not permitted, 4 not supported. */
const ENDED_WELL: readonly (number | null)[] = [0, 1, 3, 4];
const ERROR_TAIL = 300;

/**
 * Asks a loader about objects. One that ends it, or takes too long, is answered with the reason, and the loader is
 * started again for those behind it.
 */
export async function askLoader(options: AskOptions): Promise<void> {
  const waiting = [...options.objects];
  while (waiting.length > 0) {
    const batch = waiting.splice(0, options.batchSize);
    const { answered, ending } = await askBatch(batch, options);
    const unanswered = batch.slice(answered);
    const guilty = unanswered.shift();
    if (guilty !== undefined) options.onAnswer({ object: basename(guilty), missing: ending });
    waiting.unshift(...unanswered);
  }
}

interface BatchResult {
  /** How many of the first objects have an answer. */
  readonly answered: number;
  /** How the process ended. */
  readonly ending: string;
}

async function askBatch(
  batch: readonly string[],
  { command, patienceSeconds, onAnswer }: AskOptions,
): Promise<BatchResult> {
  const [program, ...leading] = command;
  if (program === undefined) throw new TypeError('Cannot ask a loader: its command is empty');
  const child = spawn(program, [...leading, ...batch], { stdio: ['ignore', 'pipe', 'pipe'] });
  let answered = 0;
  const patienceEnded = { is: false };
  const patience = setTimeout(() => {
    patienceEnded.is = true;
    child.kill('SIGKILL');
  }, patienceSeconds * 1000);
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-ERROR_TAIL);
  });
  const ended = new Promise<string>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      resolve(describeEnding({ code, signal, complaint: complaint.trim() }));
    });
  });
  const reading = (async (): Promise<void> => {
    for await (const line of createInterface({ input: child.stdout })) {
      const object = objectOf(line);
      if (object !== basename(batch[answered] ?? '')) continue;
      answered++;
      patience.refresh();
      onAnswer({ object, line });
    }
  })();
  const [ending] = await Promise.all([ended, reading]);
  clearTimeout(patience);
  return { answered, ending: patienceEnded.is ? `no answer within ${String(patienceSeconds)} s` : ending };
}

function describeEnding({
  code,
  signal,
  complaint,
}: {
  code: number | null;
  signal: NodeJS.Signals | null;
  complaint: string;
}): string {
  if (signal !== null) return `the loader was ended by ${signal}`;
  const how = ENDED_WELL.includes(code) ? 'the loader ended without an answer' : `exit code ${String(code)}`;
  return complaint === '' ? how : `${how}: ${complaint}`;
}

/** Undefined where the line is no answer, like the error document of a command that does not parse. */
function objectOf(line: string): string | undefined {
  try {
    const { object } = JSON.parse(line) as { object?: unknown };
    return typeof object === 'string' ? object : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
