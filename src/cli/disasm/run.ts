import { ObjectFile, type FunctionSpec } from '../../elf/index.ts';
import { NotFoundError } from '../../errors.ts';
import { openPrograms, readLoadedProgram } from '../../inspect/index.ts';
import { systemKernel } from '../../sys/index.ts';
import { ExitCode, UsageError } from '../exit-code.ts';
import type { Output } from '../output/output.ts';
import { resolveObject } from '../shipped-object.ts';
import { listFunction } from './listing.ts';
import { listLoadedProgram } from './loaded-listing.ts';
import { listingText, programText } from './text.ts';

export interface DisasmOptions {
  readonly prog?: string;
  readonly source?: boolean;
  /** Of a loaded program, where the path is `prog`: an id, a name, a tag, a pin. */
  readonly which?: string | undefined;
  /** Where `which` only says what it is: `id 5`. */
  readonly value?: string | undefined;
  readonly output: Output;
}

/** Prints the instructions of an object or of loaded programs; its own assembler reads the text back. */
export async function runDisasm(path: string, options: DisasmOptions): Promise<number> {
  const { prog, source = false, which, output } = options;
  if (which !== undefined) {
    if (path !== 'prog')
      throw new UsageError(`disasm knows no ${path} ${which}: only prog is followed by another argument`);
    return runDisasmLoaded(chosen(which, options.value), options);
  }
  const object = ObjectFile.open(resolveObject(path).path);
  const functions = functionsOf(object, prog).map((fn) => listFunction(object, fn));
  output.result({ functions }, functions.map((listing) => listingText(listing, { source })).join('\n'));
  await output.flush();
  return ExitCode.Done;
}

function chosen(which: string, value: string | undefined): string {
  if (value === undefined) return which;
  if (['id', 'name', 'tag', 'pinned'].includes(which)) return value;
  throw new UsageError(`disasm prog knows no ${which} ${value}: an id, name, tag or pin is wanted`);
}

async function runDisasmLoaded(
  which: string,
  { prog, source = false, output }: DisasmOptions,
): Promise<number> {
  const kernel = systemKernel();
  const handles = openPrograms(kernel, which);
  try {
    const programs = handles.map(({ fd }) => {
      const loaded = readLoadedProgram(kernel, fd);
      const { id, name, tag } = loaded;
      return { id, name, tag, functions: named(listLoadedProgram(loaded), prog, `program ${id}`) };
    });
    output.result({ programs }, programs.map((program) => programText(program, { source })).join('\n'));
  } finally {
    for (const handle of handles) handle.close();
  }
  await output.flush();
  return ExitCode.Done;
}

function functionsOf(object: ObjectFile, name: string | undefined): FunctionSpec[] {
  const all: FunctionSpec[] = [...object.programs.values(), ...object.subprograms];
  return named(all, name, 'the object');
}

function named<Named extends { readonly name: string }>(
  all: Named[],
  name: string | undefined,
  place: string,
): Named[] {
  if (name === undefined) return all;
  const found = all.filter((fn) => fn.name === name);
  if (found.length > 0) return found;
  const available = all.map((fn) => fn.name);
  throw new NotFoundError('PROGRAM_NOT_FOUND', name, `Cannot find function ${name} in ${place}`, {
    available,
  });
}
