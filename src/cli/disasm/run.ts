import { ObjectFile, type FunctionSpec } from '../../elf/index.ts';
import { NotFoundError } from '../../errors.ts';
import { ExitCode } from '../exit-code.ts';
import type { Output } from '../output/output.ts';
import { resolveObject } from '../shipped-object.ts';
import { listFunction } from './listing.ts';
import { listingText } from './text.ts';

export interface DisasmOptions {
  readonly prog?: string;
  readonly source?: boolean;
  readonly output: Output;
}

/** Prints the instructions of an object; its own assembler reads the text back. */
export async function runDisasm(
  path: string,
  { prog, source = false, output }: DisasmOptions,
): Promise<number> {
  const object = ObjectFile.open(resolveObject(path).path);
  const functions = functionsOf(object, prog).map((fn) => listFunction(object, fn));
  output.result({ functions }, functions.map((listing) => listingText(listing, { source })).join('\n'));
  await output.flush();
  return ExitCode.Done;
}

function functionsOf(object: ObjectFile, name: string | undefined): FunctionSpec[] {
  const all: FunctionSpec[] = [...object.programs.values(), ...object.subprograms];
  if (name === undefined) return all;
  const found = all.filter((fn) => fn.name === name);
  if (found.length > 0) return found;
  const available = all.map((fn) => fn.name);
  throw new NotFoundError('PROGRAM_NOT_FOUND', name, `Cannot find function ${name} in the object`, {
    available,
  });
}
