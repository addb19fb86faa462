/** Where the settings that the running kernel was built with are written down. */
import { readFileSync } from 'node:fs';
import { release } from 'node:os';
import { gunzipSync } from 'node:zlib';
import { FileError } from '../../errors.ts';

/** The kernel's own word first (CONFIG_IKCONFIG_PROC), then where distributions put the file. */
export function kernelConfigPaths(kernelRelease: string = release()): readonly string[] {
  return [
    '/proc/config.gz',
    `/boot/config-${kernelRelease}`,
    `/usr/lib/modules/${kernelRelease}/config`,
    `/lib/modules/${kernelRelease}/config`,
  ];
}

/**
 * The first of the files that is there and may be read; undefined where none is.
 *
 * @throws FileError for one that is damaged
 */
export function readKernelConfig(paths: readonly string[] = kernelConfigPaths()): string | undefined {
  for (const path of paths) {
    const bytes = readIfThere(path);
    if (bytes) return path.endsWith('.gz') ? unpack(path, bytes) : bytes.toString('utf8');
  }
  return undefined;
}

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
    if (['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM'].includes(code)) return undefined;
    throw new FileError('FILE_UNREADABLE', path, `Cannot read the kernel's settings in ${path}: ${code}`, {
      cause,
    });
  }
}

function unpack(path: string, bytes: Buffer): string {
  try {
    return gunzipSync(bytes).toString('utf8');
  } catch (cause) {
    throw new FileError(
      'FILE_UNREADABLE',
      path,
      `Cannot read the kernel's settings in ${path}: it is damaged`,
      { cause },
    );
  }
}
