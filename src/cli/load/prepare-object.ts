import type { ObjectFile, ProgramSpec } from '../../elf/index.ts';
import { chooseXdpProgram } from '../../loader/index.ts';
import { setVariable } from './assignments.ts';
import type { LoadCommandOptions } from './options.ts';

/** Edits the object before it is loaded: the one program, the variables. Returns the program. */
export function prepareObject(object: ObjectFile, options: LoadCommandOptions): ProgramSpec {
  const program = chooseXdpProgram(object, options.prog);
  for (const spec of object.programs.values()) spec.autoload = spec === program;
  for (const assignment of options.var) setVariable(object, assignment);
  // Looked up now, so that a misspelt name is found before anything is loaded.
  for (const { map } of options.set) object.map(map);
  for (const { name } of options.map) object.map(name);
  return program;
}
