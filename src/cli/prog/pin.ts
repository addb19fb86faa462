import { systemKernel } from '../../sys/index.ts';
import { ExitCode } from '../exit-code.ts';
import type { Output } from '../output/output.ts';
import { Words } from '../words.ts';
import { withProgram } from './with-program.ts';

/** Pins a program, so that it stays whatever becomes of who loaded it. */
export async function runProgPin(given: readonly string[], output: Output): Promise<number> {
  const words = new Words(given, 'prog pin');
  const selector = words.takeSelector('a program');
  const path = words.take('a path');
  words.end();
  await withProgram(systemKernel(), selector, (program) => {
    program.pin(path);
  });
  output.result(null, '');
  return ExitCode.Done;
}
