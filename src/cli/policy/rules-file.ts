import { readFileSync } from 'node:fs';
import { FileError } from '../../errors.ts';
import { parseRulesFile, type RulesFile } from '../../policy/index.ts';

/** @throws FileError, ArgumentError naming the place in the file */
export function readRulesFile(path: string): RulesFile {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
    const missing = code === 'ENOENT' || code === 'ENOTDIR';
    throw new FileError(
      missing ? 'FILE_NOT_FOUND' : 'FILE_UNREADABLE',
      path,
      `Cannot read the rules ${path}: ${missing ? 'no such file' : code}`,
      { cause },
    );
  }
  return parseRulesFile(text, path);
}
