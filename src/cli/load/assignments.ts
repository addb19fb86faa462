import { ArgumentError, ValueError } from '../../errors.ts';
import { parseValue } from '../../btf/index.ts';
import type { ObjectFile } from '../../elf/index.ts';
import type { BpfMap } from '../../maps/index.ts';

/** `--var name=value`: gives a global variable its first value. @throws NotFoundError, ValueError */
export function setVariable(object: ObjectFile, { name, value }: { name: string; value: string }): void {
  const variable = object.variable(name);
  const { btf } = object;
  if (!btf) return;
  naming(`--var ${name}=${value}`, () => {
    variable.set(parseValue(value, btf, variable.typeId));
  });
}

/** `--set map[key]=value`: writes an entry of a map in the kernel. @throws ValueError, ArgumentError */
export function setEntry(map: BpfMap, { key, value }: { key: string; value: string }): void {
  const { name, types } = map;
  if (!types) {
    throw new ArgumentError(
      'set',
      `Cannot write to map ${name}: the object does not say the types of its entries`,
    );
  }
  naming(`--set ${name}[${key}]=${value}`, () => {
    map.set(parseValue(key, types.btf, types.keyTypeId), parseValue(value, types.btf, types.valueTypeId));
  });
}

/** A value that does not fit is told with the option that it stands in: there may be many. */
function naming(option: string, action: () => void): void {
  try {
    action();
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    const why = error.message.charAt(0).toLowerCase() + error.message.slice(1);
    throw new ValueError(error.path, error.type, `Cannot apply ${option}: ${why}`, {
      hint: error.hint,
      cause: error,
    });
  }
}
