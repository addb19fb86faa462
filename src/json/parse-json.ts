import { ArgumentError } from '../errors.ts';

/** What a configuration file holds. @throws ArgumentError that names the file, where it is not JSON */
export function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ArgumentError(file, `Cannot use the configuration ${file}: it is not JSON: ${why}`, { cause });
  }
}
