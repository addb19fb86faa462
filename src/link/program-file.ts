import { closeSync, existsSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { delimiter, isAbsolute, join, resolve } from 'node:path';
import { ArgumentError, FileError, NotFoundError } from '../errors.ts';
import { ExecutableFile, findFunctions, type ByteSource } from '../elf/index.ts';

/** What Debian and Fedora call the folders for libraries of an architecture. */
const libraryFolders: Readonly<Partial<Record<NodeJS.Architecture, readonly string[]>>> = {
  x64: ['/lib/x86_64-linux-gnu', '/usr/lib/x86_64-linux-gnu', '/usr/lib64', '/lib64', '/usr/lib', '/lib'],
  arm64: ['/lib/aarch64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib64', '/lib64', '/usr/lib', '/lib'],
};

/**
 * The path of a program or library: a path as it is, a name with `.so` from LD_LIBRARY_PATH and the system's folders,
 * any other from PATH and the system's folders. The kernel wants a path that does not depend on the current folder.
 *
 * @throws NotFoundError (SYMBOL_NOT_FOUND) naming the folders that were looked at
 */
export function findProgramFile(name: string): string {
  if (name === '') throw new ArgumentError('path', 'Cannot attach to a program file: its path is empty');
  if (isAbsolute(name) || name.includes('/')) return resolve(name);
  const library = name.includes('.so');
  const variable = library ? process.env['LD_LIBRARY_PATH'] : process.env['PATH'];
  const folders = [
    ...(variable ?? '').split(delimiter).filter((folder) => folder !== ''),
    ...(library ? (libraryFolders[process.arch] ?? []) : ['/usr/bin', '/usr/sbin', '/bin', '/sbin']),
  ];
  const found = folders.map((folder) => join(folder, name)).find((path) => isFile(path));
  if (found !== undefined) return resolve(found);
  throw new FileError(
    'FILE_NOT_FOUND',
    name,
    `Cannot find ${name}: it is in none of ${[...new Set(folders)].join(', ')}`,
    {
      hint: 'name it by its path',
    },
  );
}

function isFile(path: string): boolean {
  return existsSync(path) && statSync(path).isFile();
}

/** Runs an action with a program file open. @throws FileError, ElfError */
export function withExecutable<Result>(path: string, action: (file: ExecutableFile) => Result): Result {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const kind = code === 'ENOENT' ? 'FILE_NOT_FOUND' : 'FILE_UNREADABLE';
    throw new FileError(kind, path, `Cannot read ${path}: ${code ?? 'it cannot be opened'}`, { cause });
  }
  try {
    return action(new ExecutableFile(fileSource(path, fd)));
  } finally {
    closeSync(fd);
  }
}

function fileSource(name: string, fd: number): ByteSource {
  return {
    name,
    size: fstatSync(fd).size,
    read: (offset, length) => {
      const bytes = new Uint8Array(length);
      let done = 0;
      while (done < length) {
        const count = readSync(fd, bytes, done, length - done, offset + done);
        if (count === 0)
          throw new FileError('FILE_UNREADABLE', name, `Cannot read ${name}: it has become shorter`);
        done += count;
      }
      return bytes;
    },
  };
}

/**
 * Where a function is in its file: `malloc`, `memcpy@GLIBC_2.2.5`, `readline+0x10`.
 *
 * @throws NotFoundError (SYMBOL_NOT_FOUND); ArgumentError where several functions of that name are at different places
 */
export function functionOffset(path: string, symbol: string): bigint {
  const { name, version, plus } = parseSymbol(symbol);
  const found = withExecutable(path, (file) => findFunctions(file, { test: (one) => one === name, version }));
  const global = found.filter(({ local }) => !local);
  const candidates = global.length > 0 ? global : found;
  const [only] = candidates;
  if (only === undefined) {
    throw new NotFoundError(
      'SYMBOL_NOT_FOUND',
      symbol,
      `Cannot find ${symbol} in ${path}: it defines no such function`,
      {
        hint: 'a stripped file has only the functions that others may call; give an offset instead',
      },
    );
  }
  if (new Set(candidates.map(({ offset }) => offset)).size > 1) {
    const list = candidates.map(({ offset }) => `0x${offset.toString(16)}`).join(', ');
    throw new ArgumentError('function', `Cannot choose ${symbol} in ${path}: there are several, at ${list}`, {
      hint: 'give the offset of the one',
    });
  }
  return BigInt(only.offset + plus);
}

function parseSymbol(symbol: string): { name: string; version: string | undefined; plus: number } {
  const match = /^([^@+]+)(?:@@?([^+]+))?(?:\+(0x[0-9a-fA-F]+|\d+))?$/.exec(symbol);
  const [, name, version, plus] = match ?? [];
  if (name !== undefined) return { name, version, plus: Number(plus ?? 0) };
  throw new ArgumentError('function', `Cannot attach to ${symbol}: this is no name of a function`);
}
