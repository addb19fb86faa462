import { basename } from 'node:path';
import { TsXdpError } from '../../errors.ts';
import { ObjectFile } from '../../elf/index.ts';
import { verifyObject, verifyPrograms } from '../../loader/index.ts';
import type { CommandInput } from '../command.ts';
import { ExitCode, exitCodeOf } from '../exit-code.ts';
import type { Output } from '../output/output.ts';
import { resolveObject } from '../shipped-object.ts';
import { objectDocument } from './document.ts';
import type { ObjectOutcome } from './outcome.ts';
import { objectText } from './text.ts';

interface VerifyOptions {
  readonly prog: readonly string[];
  readonly log?: true;
}

/** Prints the verdicts, one object at a time; fails where a program was refused, an object unreadable. */
export async function runVerify(input: CommandInput, output: Output): Promise<number> {
  const [names] = input.arguments as [readonly string[]];
  const options = input.options as unknown as VerifyOptions;
  let exitCode: number = ExitCode.Done;
  for (const name of names) {
    if (output.closed) break;
    const outcome = outcomeOf(name, options);
    output.result(
      objectDocument(outcome, { log: options.log === true }),
      objectText(outcome, { log: options.log === true }),
    );
    // One write a file: a reader sees results as they come, and a pipe that fills up is waited for.
    await output.flush();
    if (exitCode === ExitCode.Done) exitCode = exitCodeFor(outcome);
  }
  return exitCode;
}

function outcomeOf(name: string, { prog, log }: VerifyOptions): ObjectOutcome {
  const object = basename(name);
  try {
    const file = ObjectFile.open(resolveObject(name).path);
    const programs = [
      ...verifyPrograms(file, {
        programs: prog.length > 0 ? prog : undefined,
        acceptedLog: log === true ? 'instructions' : 'statistics',
      }),
    ];
    const whole = prog.length > 0 ? undefined : verifyObject(file);
    return { object, error: undefined, whole, programs };
  } catch (error) {
    if (!(error instanceof TsXdpError)) throw error;
    return { object, error, whole: undefined, programs: [] };
  }
}

function exitCodeFor({ error, whole, programs }: ObjectOutcome): number {
  const first = error ?? programs.find((verdict) => verdict.error)?.error ?? whole?.error;
  return first === undefined ? ExitCode.Done : exitCodeOf(first);
}
