import { readFileSync, writeFileSync } from 'node:fs';
import { FileError, StaleFileError } from '../../errors.ts';
import { ExitCode } from '../exit-code.ts';
import type { Output } from '../output/output.ts';
import { planGeneration, type GenOptions, type GenPlan } from './plan.ts';
import { watchObject } from './watch.ts';

/** Writes the module of an object, compares with it, or keeps it up to date. */
export async function runGen(object: string, options: GenOptions, output: Output): Promise<number> {
  const plan = planGeneration(object, options);
  if (plan.output === undefined) {
    const module = plan.generate();
    output.result({ module }, module);
  } else if (options.check === true) {
    checkFile({ ...plan, output: plan.output });
    output.result({ object: plan.object, output: plan.output, fresh: true }, `${plan.output} is up to date`);
  } else if (options.watch === true) {
    await watchObject(plan.object, { output, update: () => updateFile(plan, plan.output ?? '') });
  } else {
    const written = updateFile(plan, plan.output);
    const text = `${written ? 'wrote' : 'unchanged:'} ${plan.output}`;
    output.result({ object: plan.object, output: plan.output, written }, text);
  }
  await output.flush();
  return ExitCode.Done;
}

/** False where the file is as it should be already: build tools go by its time. */
function updateFile(plan: GenPlan, path: string): boolean {
  const text = plan.generate();
  if (readIfThere(path) === text) return false;
  try {
    writeFileSync(path, text);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new FileError('FILE_UNREADABLE', path, `Cannot write ${path}: ${code}`, { cause });
  }
  return true;
}

function checkFile(plan: GenPlan & { readonly output: string }): void {
  const wanted = plan.generate();
  const found = readIfThere(plan.output);
  const hint = `generate it again: ${plan.command}`;
  if (found === undefined) {
    const message = `Cannot check ${plan.output}: no such file`;
    throw new FileError('FILE_NOT_FOUND', plan.output, message, { hint });
  }
  if (found === wanted) return;
  const lines = wanted.split('\n');
  const differs = found.split('\n').findIndex((line, index) => line !== lines[index]);
  const line = (differs < 0 ? found.split('\n').length : differs) + 1;
  const message = `Cannot vouch for ${plan.output}: from line ${String(line)} on it is not what ${plan.object} makes it`;
  throw new StaleFileError(plan.output, line, message, { hint });
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
    if (code === 'ENOENT') return undefined;
    throw new FileError('FILE_UNREADABLE', path, `Cannot open ${path}: ${code}`, { cause });
  }
}
