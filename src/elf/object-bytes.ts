import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { basename } from 'node:path';
import { BoundsError, ElfError, FileError } from '../errors.ts';
import { FILE_HEADER_SIZE, locateSections, readHeaders, SectionType, type SectionFacts } from './header.ts';
import { isObjectPackage, unpackObject } from './object-package.ts';

/** An object in memory, and what it is called. */
export interface NamedObject {
  readonly bytes: Uint8Array;
  readonly name: string;
}

/** All bytes of an object, also out of a package. @throws FileError, ObjectError */
export function readObjectBytes(path: string): Uint8Array {
  return readNamedObject(path).bytes;
}

/** The same with its name. @throws FileError, ObjectError */
export function readNamedObject(path: string): NamedObject {
  return named(
    path,
    reading(path, () => readFileSync(path)),
  );
}

function named(path: string, bytes: Uint8Array): NamedObject {
  const name = objectNameOf(path);
  if (!isObjectPackage(bytes)) return { bytes, name };
  const unpacked = unpackObject(bytes);
  return { bytes: unpacked.bytes, name: unpacked.name ?? name };
}

/** What an object is called by its file: `sniffer` for `build/sniffer.bpf.o`. */
export function objectNameOf(path: string): string {
  return basename(path).replace(/(\.bpf)?\.o$|\.json$/, '');
}

/**
 * An object's bytes, but for sections that nothing here looks at, which are zeros. Of what clang -g writes, debug
 * information is most, and reading it into memory that is new costs more than anything else of reading an object.
 *
 * @throws FileError, ObjectError
 */
export function readObjectParts(path: string): NamedObject {
  const bytes = reading(path, () => {
    const fd = openSync(path, 'r');
    try {
      // What is no regular file has no size, and an unsound one is reported by whoever reads all of it.
      return readParts(fd, fstatSync(fd)) ?? readFileSync(fd);
    } finally {
      closeSync(fd);
    }
  });
  return named(path, bytes);
}

/** What is loaded has it, and debug information has not. */
const SHF_ALLOC = 2;
const UNUSED_SECTIONS = /^(?:\.rel)?\.(?:debug_|llvm)|^\.rel\.(?:BTF|eh_frame)/;
/** Headers of more are not read twice. */
const MOST_SECTIONS = 1024;

function readParts(fd: number, file: { isFile(): boolean; size: number }): Uint8Array | undefined {
  if (!file.isFile() || file.size < FILE_HEADER_SIZE) return undefined;
  const bytes = new Uint8Array(file.size);
  try {
    fill(fd, { bytes, start: 0, end: FILE_HEADER_SIZE });
    const table = locateSections(bytes);
    if (table.count > MOST_SECTIONS) return undefined;
    fill(fd, { bytes, ...table });
    fill(fd, { bytes, ...table.names() });
    for (const section of readHeaders(bytes).sections) {
      if (isUsed(section)) fill(fd, { bytes, start: section.offset, end: section.offset + section.size });
    }
    return bytes;
  } catch (error) {
    if (error instanceof ElfError || error instanceof BoundsError) return undefined;
    throw error;
  }
}

function isUsed({ name, type, flags }: SectionFacts): boolean {
  if (type === SectionType.Nobits || type === SectionType.Null) return false;
  return (flags & SHF_ALLOC) !== 0 || !UNUSED_SECTIONS.test(name);
}

/** @throws BoundsError where the file has no such place, or has become shorter */
function fill(fd: number, { bytes, start, end }: { bytes: Uint8Array; start: number; end: number }): void {
  if (end > bytes.length) throw new BoundsError(start, end - start, bytes.length);
  for (let at = start; at < end;) {
    const count = readSync(fd, bytes, at, end - at, at);
    if (count === 0) throw new BoundsError(at, end - at, at);
    at += count;
  }
}

function reading(path: string, read: () => Uint8Array): Uint8Array {
  try {
    return read();
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw new FileError('FILE_NOT_FOUND', path, `Cannot open ${path}: no such file`, { cause });
    }
    throw new FileError('FILE_UNREADABLE', path, `Cannot open ${path}: ${code}`, { cause });
  }
}
