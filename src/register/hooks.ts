import { basename, extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ObjectFile } from '../elf/index.ts';
import { generateModule } from '../gen/index.ts';

interface LoadedModule {
  readonly format: string;
  readonly source?: unknown;
  readonly shortCircuit?: boolean;
}

/**
 * Node's `load` hook: a file that ends in `.o` becomes the module that `ts-xdp gen` would write for it. It works in the
 * thread of the hooks (`module.register`) and in the importing one (`module.registerHooks`).
 *
 * @throws FileError, ElfError, BtfError, ObjectError, which the import then fails with
 */
export function load<Context, Result>(
  url: string,
  context: Context,
  nextLoad: (url: string, context: Context) => Result,
): Result | LoadedModule {
  const { protocol, pathname } = new URL(url);
  if (protocol !== 'file:' || !pathname.endsWith('.o')) return nextLoad(url, context);
  const path = fileURLToPath(url);
  const name = basename(path);
  // The object is where the module says that it is itself.
  const source = generateModule(ObjectFile.open(path), {
    form: 'javascript',
    runtime: new URL(`../gen-runtime/index${extname(import.meta.url)}`, import.meta.url).href,
    source: { kind: 'beside', path: `./${encodeURIComponent(name)}` },
    objectName: name,
    regenerate: `import ${name} again`,
  });
  return { format: 'module', source, shortCircuit: true };
}
