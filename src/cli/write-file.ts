import { writeFileSync } from 'node:fs';
import { FileError } from '../errors.ts';

/** @throws FileError */
export function writeBytes(path: string, bytes: Uint8Array): void {
  try {
    writeFileSync(path, bytes, { mode: 0o600 });
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new FileError('FILE_UNREADABLE', path, `Cannot write ${path}: ${code}`, { cause });
  }
}
