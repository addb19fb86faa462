import { INSTRUCTION_SIZE } from '../../asm/index.ts';
import { ObjectFile, type FunctionSpec } from '../../elf/index.ts';
import { NotFoundError, ObjectError } from '../../errors.ts';
import { openPrograms, readLoadedProgram } from '../../inspect/index.ts';
import { systemKernel } from '../../sys/index.ts';
import { ExitCode, UsageError } from '../exit-code.ts';
import type { Output } from '../output/output.ts';
import { resolveObject } from '../shipped-object.ts';
import { ObjectListing } from './listing.ts';
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
    return runDisasmLoaded(selectorOf(which, options.value), options);
  }
  const object = ObjectFile.open(resolveObject(path).path);
  const chosen = functionsOf(object, prog);
  checkNames(chosen);
  const listing = new ObjectListing(object);
  const functions = chosen.map((fn) => listing.list(fn));
  output.result({ functions }, functions.map((fn) => listingText(fn, { source })).join('\n'));
  await output.flush();
  return ExitCode.Done;
}

function selectorOf(which: string, value: string | undefined): string {
  if (value === undefined) return which;
  if (['id', 'name', 'tag', 'pinned'].includes(which)) return value;
  throw new UsageError(`disasm prog knows no ${which} ${value}: an id, name, tag or pin is wanted`);
}

/** As many instructions as the kernel takes in one program (BPF_COMPLEXITY_LIMIT_INSNS). */
const MOST_REPEATED = 1_000_000;

/**
 * A function of a megabyte may have ten thousand names in a file of little more.
 *
 * @throws ObjectError
 */
export function checkNames(functions: readonly FunctionSpec[]): void {
  const count = (instructions: Uint8Array): number => instructions.length / INSTRUCTION_SIZE;
  const listed = functions.reduce((sum, fn) => sum + count(fn.instructions), 0);
  const distinct = new Set(functions.map((fn) => fn.instructions));
  const repeated = listed - [...distinct].reduce((sum, instructions) => sum + count(instructions), 0);
  if (repeated > MOST_REPEATED)
    throw new ObjectError(
      'OBJECT_INVALID',
      `Cannot disassemble the object: other names of its functions repeat ${repeated} instructions`,
      { hint: 'choose a function with --prog' },
    );
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
