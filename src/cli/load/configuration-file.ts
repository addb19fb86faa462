import { readFileSync, type FSWatcher } from 'node:fs';
import { FileError } from '../../errors.ts';
import {
  diffConfiguration,
  parseSnifferConfiguration,
  type SnifferConfiguration,
  type SnifferMaps,
} from '../../sniffer/index.ts';
import { errorText } from '../output/error-report.ts';
import type { LoadedContext, StreamContext } from './context.ts';
import { followFile } from './follow-file.ts';

/** @throws FileError, ArgumentError naming the place in the file */
export function readConfiguration(path: string): SnifferConfiguration {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
    const missing = code === 'ENOENT' || code === 'ENOTDIR';
    const why = missing ? 'no such file' : code;
    throw new FileError(
      missing ? 'FILE_NOT_FOUND' : 'FILE_UNREADABLE',
      path,
      `Cannot read the configuration ${path}: ${why}`,
      { cause },
    );
  }
  return parseSnifferConfiguration(text, path);
}

/** Writes a configuration into maps that have none yet. */
export function applyConfiguration(
  configuration: SnifferConfiguration,
  { maps, targets }: { maps: SnifferMaps; targets: LoadedContext['targets'] },
): void {
  const indexes = new Map(targets.map(({ name, index }) => [name, index]));
  for (const step of diffConfiguration(undefined, configuration))
    maps.apply(step, (name) => indexes.get(name));
}

/**
 * Applies the configuration file anew whenever it changes. A file that cannot be read or understood changes nothing;
 * what is wrong with it is said. Interfaces that were not attached at the start stay unattached, which is said too.
 */
export function followConfiguration(path: string, context: StreamContext): FSWatcher {
  const { maps, output } = context;
  const indexes = new Map(context.targets.map(({ name, index }) => [name, index]));
  let current = context.configuration;
  const reload = (): void => {
    try {
      const next = readConfiguration(path);
      for (const step of diffConfiguration(current, next)) maps?.apply(step, (name) => indexes.get(name));
      current = next;
      output.note(`note: the configuration ${path} changed and is in effect`);
      const strangers = next.interfaces.filter(({ name }) => !indexes.has(name)).map(({ name }) => name);
      if (strangers.length > 0)
        output.note(`note: not attached since the start, so not watched: ${strangers.join(', ')}`);
    } catch (error) {
      output.note(
        `${errorText(error, { verbose: false }).trimEnd()}\nnote: the configuration before stays in effect`,
      );
    }
  };
  return followFile(path, reload);
}
