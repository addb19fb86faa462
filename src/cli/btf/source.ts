import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { Btf } from '../../btf/index.ts';
import { ObjectFile } from '../../elf/index.ts';
import { BtfError, FileError } from '../../errors.ts';
import { resolveObject } from '../shipped-object.ts';

const KERNEL_FOLDER = '/sys/kernel/btf';
const KERNEL = `${KERNEL_FOLDER}/vmlinux`;

/**
 * The types of `kernel`, of an object, or of a file that is BTF and nothing else. A kernel module's extend the kernel's.
 *
 * @throws FileError, ElfError, BtfError
 */
export function readBtfSource(source: string): Btf {
  if (source === 'kernel') return Btf.parse(readBytes(KERNEL));
  const { path } = resolveObject(source);
  const bytes = readBytes(path);
  if (isBtf(bytes)) {
    const ofModule = dirname(resolve(path)) === KERNEL_FOLDER && resolve(path) !== KERNEL;
    return Btf.parse(bytes, { base: ofModule ? Btf.parse(readBytes(KERNEL)) : undefined });
  }
  const { btf } = ObjectFile.parse(bytes);
  if (btf) return btf;
  throw new BtfError('Cannot dump the types: the object has no BTF', { hint: 'compile it with -g' });
}

/** `BTF_MAGIC` in either byte order. */
function isBtf(bytes: Uint8Array): boolean {
  const [first, second] = bytes;
  return (first === 0x9f && second === 0xeb) || (first === 0xeb && second === 0x9f);
}

function readBytes(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
    if (code === 'ENOENT')
      throw new FileError('FILE_NOT_FOUND', path, `Cannot open ${path}: no such file`, { cause });
    throw new FileError('FILE_UNREADABLE', path, `Cannot open ${path}: ${code}`, { cause });
  }
}
