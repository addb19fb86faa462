import type { Btf } from '../btf/index.ts';

const TAG = 'exception_callback:';

/**
 * The programs that say with `__exception_cb(name)` which function runs when they throw, and its name: a declaration
 * tag of the program's function. More than one name is a mistake that only loading such a program runs into.
 */
export function readExceptionCallbacks(btf: Btf | undefined): Map<string, string[]> {
  const callbacks = new Map<string, string[]>();
  if (!btf) return callbacks;
  for (const id of btf.idsOf('decl_tag')) {
    if (!btf.nameOf(id).startsWith(TAG)) continue;
    const program = btf.sizeOrTypeId(id);
    if (btf.kindOf(program) !== 'function') continue;
    const name = btf.nameOf(program);
    const callback = btf.nameOf(id).slice(TAG.length);
    const others = callbacks.get(name);
    if (others) others.push(callback);
    else callbacks.set(name, [callback]);
  }
  return callbacks;
}
