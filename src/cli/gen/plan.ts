import { basename, dirname, relative, resolve } from 'node:path';
import { ObjectFile, readNamedObject } from '../../elf/index.ts';
import { generateModule } from '../../gen/index.ts';
import { UsageError } from '../exit-code.ts';
import { resolveObject } from '../shipped-object.ts';

export interface GenOptions {
  readonly output?: string;
  readonly embed?: boolean;
  readonly declaration?: boolean;
  readonly check?: boolean;
  readonly watch?: boolean;
  readonly package?: string;
}

/** What is generated, from what, and where it goes. */
export interface GenPlan {
  /** The object's path. */
  readonly object: string;
  /** Undefined for standard output. */
  readonly output: string | undefined;
  /** The command that does the same, as it was given here. */
  readonly command: string;
  /** Reads the object and makes the text. @throws FileError, ElfError, BtfError, ObjectError */
  readonly generate: () => string;
}

/** @throws UsageError for options that do not go together */
export function planGeneration(object: string, options: GenOptions): GenPlan {
  const { declaration = false, embed = false } = options;
  if (declaration && embed)
    throw new UsageError('--embed goes without --declaration, which holds types only');
  const { path, shipped } = resolveObject(object);
  const output = options.output ?? (declaration ? declarationBeside(path) : undefined);
  if (output === undefined && options.check === true)
    throw new UsageError('--check compares with a file: name it with -o');
  if (output === undefined && options.watch === true)
    throw new UsageError('--watch writes a file: name it with -o');
  if (options.check === true && options.watch === true)
    throw new UsageError('--check writes nothing, so it goes without --watch');
  const folder = output === undefined ? '.' : dirname(output);
  // Relative to the module, so that the text is the same wherever the command runs.
  const fromModule = relative(resolve(folder), resolve(path));
  const moduleName = output === undefined ? undefined : basename(output);
  const regenerate = commandLine(shipped ? object : fromModule, { ...options, output: moduleName });
  return {
    object: path,
    output,
    command: commandLine(object, options),
    generate: () => {
      const { bytes, name } = readNamedObject(path);
      return generateModule(ObjectFile.parse(bytes, { name }), {
        form: declaration ? 'declaration' : 'typescript',
        source: embed ? { kind: 'embedded', bytes } : { kind: 'beside', path: urlPath(fromModule) },
        runtime: `${options.package ?? 'ts-xdp'}/gen-runtime`,
        objectName: basename(path),
        regenerate,
      });
    },
  };
}

/** Where TypeScript looks for the types of `./sniffer.bpf.o` (allowArbitraryExtensions). */
function declarationBeside(object: string): string {
  if (!object.endsWith('.o'))
    throw new UsageError(`--declaration wants an object called NAME.o, not ${object}`);
  return `${object.slice(0, -2)}.d.o.ts`;
}

/** A path as a relative URL. */
function urlPath(path: string): string {
  const encoded = path.split('/').map(encodeURIComponent).join('/');
  return encoded.startsWith('.') ? encoded : `./${encoded}`;
}

function commandLine(
  object: string,
  options: Omit<GenOptions, 'output'> & { output?: string | undefined },
): string {
  const words = ['ts-xdp', 'gen', object];
  if (options.declaration === true) words.push('--declaration');
  if (options.embed === true) words.push('--embed');
  if (options.package !== undefined && options.package !== 'ts-xdp') words.push('--package', options.package);
  const byDefault = options.declaration === true ? declarationBeside(object) : undefined;
  if (options.output !== undefined && options.output !== byDefault) words.push('-o', options.output);
  return words
    .map((word) => (/^[\w./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`))
    .join(' ');
}
