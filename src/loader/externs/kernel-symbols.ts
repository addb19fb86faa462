import { readFileSync } from 'node:fs';
import { FileError } from '../../errors.ts';

const PATH = '/proc/kallsyms';

/**
 * The addresses of kernel symbols, those of loaded modules included. All of them are 0 for a reader without
 * CAP_SYSLOG, as kptr_restrict wants it; the names are there all the same. A name that stands for several addresses
 * has them all.
 *
 * @throws FileError where the kernel does not list its symbols (CONFIG_KALLSYMS)
 */
export function findKernelSymbols(
  names: ReadonlySet<string>,
  { path = PATH }: { path?: string } = {},
): Map<string, readonly bigint[]> {
  return names.size === 0 ? new Map<string, bigint[]>() : symbolsIn(readList(path), names);
}

/** The same in the text of such a list. */
export function symbolsIn(text: string, names: ReadonlySet<string>): Map<string, readonly bigint[]> {
  const found = new Map<string, bigint[]>();
  // A line is `ffffffff81000000 T name`, with a tab and `[module]` after it for a module's. Link-time optimization
  // appends a hash to the names of static variables.
  const line = /^([0-9a-f]+) (?:d (\S+?)\.llvm\.\S*|\S (\S+))/gm;
  for (const [, address = '', variable, plain] of text.matchAll(line)) {
    const name = variable ?? plain ?? '';
    if (!names.has(name)) continue;
    const value = BigInt(`0x${address}`);
    const known = found.get(name) ?? [];
    if (!known.includes(value)) known.push(value);
    found.set(name, known);
  }
  return found;
}

function readList(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new FileError('FILE_UNREADABLE', path, `Cannot read the kernel's symbols in ${path}: ${code}`, {
      cause,
      hint: 'the kernel must be built with CONFIG_KALLSYMS',
    });
  }
}
