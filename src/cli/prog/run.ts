import { readFileSync } from 'node:fs';
import { FileError } from '../../errors.ts';
import type { TestRunResult } from '../../programs/index.ts';
import { systemKernel } from '../../sys/index.ts';
import { ExitCode, UsageError } from '../exit-code.ts';
import type { Json } from '../output/error-report.ts';
import { hexDump } from '../output/hex-dump.ts';
import type { Output } from '../output/output.ts';
import { parseNumber } from '../parse-option.ts';
import { Words } from '../words.ts';
import { writeBytes } from '../write-file.ts';
import { withProgram } from './with-program.ts';

/** Room for what comes back, where nothing says how much; bpftool's. */
const CAPACITY = 32 * 1024;

/** Runs a program on given data and a given context (`BPF_PROG_TEST_RUN`), without any event. */
export async function runProgRun(given: readonly string[], output: Output): Promise<number> {
  const words = new Words(given, 'prog run');
  const selector = words.takeSelector('a program');
  const { values } = words.takeOptions({
    values: ['data_in', 'data_out', 'data_size_out', 'ctx_in', 'ctx_out', 'ctx_size_out', 'repeat'],
  });
  const number = (name: 'data_size_out' | 'ctx_size_out' | 'repeat'): number | undefined => {
    const text = values.get(name);
    return text === undefined
      ? undefined
      : parseNumber(text, { what: `number for ${name}`, most: 0xffff_ffff });
  };
  const [dataIn, contextIn] = [values.get('data_in'), values.get('ctx_in')];
  if (dataIn === '-' && contextIn === '-')
    throw new UsageError('prog run reads one of data_in and ctx_in from standard input');
  const data = dataIn === undefined ? undefined : readBytes(dataIn);
  const context = contextIn === undefined ? undefined : readBytes(contextIn);
  const repeat = number('repeat');
  const result = await withProgram(systemKernel(), selector, (program) =>
    program.testRun({
      ...(data && { data, dataCapacity: number('data_size_out') ?? CAPACITY }),
      ...(context && { context, contextCapacity: number('ctx_size_out') ?? CAPACITY }),
      // Some types refuse to be told even that once is enough.
      ...(repeat !== undefined && repeat !== 1 && { repeat }),
    }),
  );
  print(result, { values, average: (repeat ?? 1) > 1, output });
  await output.flush();
  return ExitCode.Done;
}

interface Printing {
  readonly values: ReadonlyMap<string, string>;
  readonly average: boolean;
  readonly output: Output;
}

function print(result: TestRunResult, { values, average, output }: Printing): void {
  const document: Record<string, Json> = {};
  const lines: string[] = [];
  for (const [name, bytes] of [
    ['data_out', result.data],
    ['ctx_out', result.context],
  ] as const) {
    const place = values.get(name);
    if (place === undefined || bytes.length === 0) continue;
    if (place === '-') {
      document[name] = [...bytes];
      lines.push(hexDump(bytes));
    } else writeBytes(place, bytes);
  }
  const { returnValue, duration } = result;
  lines.push(`Return value: ${returnValue}, duration${average ? ' (average)' : ''}: ${duration}ns`);
  output.result({ ...document, retval: returnValue, duration }, lines.join('\n'));
}

function readBytes(path: string): Uint8Array {
  try {
    return readFileSync(path === '-' ? 0 : path);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
    const why = code === 'ENOENT' ? 'no such file' : code;
    const kind = code === 'ENOENT' ? 'FILE_NOT_FOUND' : 'FILE_UNREADABLE';
    throw new FileError(kind, path, `Cannot open ${path}: ${why}`, { cause });
  }
}
