import { ObjectError } from '../errors.ts';
import type { Btf } from '../btf/index.ts';

const TAG = 'exception_callback:';

/**
 * The programs that say with `__exception_cb(name)` which function runs when they throw, and its name. The tag is a
 * declaration tag of the program's function.
 *
 * @throws ObjectError where one program names several
 */
export function readExceptionCallbacks(btf: Btf | undefined): Map<string, string> {
  const callbacks = new Map<string, string>();
  if (!btf) return callbacks;
  for (const id of btf.ids()) {
    if (btf.kindOf(id) !== 'decl_tag' || !btf.nameOf(id).startsWith(TAG)) continue;
    const program = btf.sizeOrTypeId(id);
    if (btf.kindOf(program) !== 'function') continue;
    const name = btf.nameOf(program);
    if (callbacks.has(name)) throw several(name);
    callbacks.set(name, btf.nameOf(id).slice(TAG.length));
  }
  return callbacks;
}

function several(program: string): ObjectError {
  return new ObjectError(
    'OBJECT_INVALID',
    `Cannot use program ${program}: it names several exception callbacks, and may have one`,
    { program },
  );
}
