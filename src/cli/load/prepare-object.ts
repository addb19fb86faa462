import type { ObjectFile } from '../../elf/index.ts';
import { setVariable } from './assignments.ts';
import type { LoadCommandOptions } from './options.ts';
import { selectPrograms, type ProgramSelection } from './select-programs.ts';

/** Edits the object before it is loaded: the programs, the variables. Returns which programs are attached. */
export function prepareObject(object: ObjectFile, options: LoadCommandOptions): ProgramSelection {
  const selection = selectPrograms(object, options);
  for (const assignment of options.var) setVariable(object, assignment);
  // Looked up now, so that a misspelt name is found before anything is loaded.
  for (const { map } of options.set) object.map(map);
  for (const { name } of options.map) object.map(name);
  return selection;
}
