import { parseValue } from '../../btf/index.ts';
import type { ObjectFile, ProgramSpec } from '../../elf/index.ts';
import { chooseXdpProgram } from '../../loader/index.ts';
import type { LoadCommandOptions } from './options.ts';

/** Edits the object before it is loaded: the one program, the variables. Returns the program. */
export function prepareObject(object: ObjectFile, options: LoadCommandOptions): ProgramSpec {
  const program = chooseXdpProgram(object, options.prog);
  for (const spec of object.programs.values()) spec.autoload = spec === program;
  for (const { name, value } of options.var) {
    const variable = object.variable(name);
    if (object.btf) variable.set(parseValue(value, object.btf, variable.typeId));
  }
  return program;
}
