import { dirname, resolve } from 'node:path';
import { Btf } from '../../btf/index.ts';
import { readContainer, readModuleBtf, readObjectBytes } from '../../elf/index.ts';
import { ArgumentError, BtfError } from '../../errors.ts';
import { openMaps, openPrograms, readBtfById } from '../../inspect/index.ts';
import { systemKernel, type Kernel } from '../../sys/index.ts';
import { UsageError } from '../exit-code.ts';
import { resolveObject } from '../shipped-object.ts';

const KERNEL_FOLDER = '/sys/kernel/btf';
const KERNEL = `${KERNEL_FOLDER}/vmlinux`;

/** Types, and which of them are meant where it is not all. */
export interface BtfSource {
  readonly btf: Btf;
  readonly roots?: readonly number[];
}

/**
 * The types of `kernel`, of an object, or of a file that is BTF and nothing else; with `which` of what the kernel has: the
 * BTF of an `id`, that of a `prog`, or the key and value of a `map`; `file` is the same as none, and a number alone an id.
 * `base` is what those of a file extend: `kernel`, an object or another file.
 *
 * @throws UsageError, FileError, ElfError, BtfError, NotFoundError, PermissionError, SyscallError
 */
export function readBtfSource(
  source: string,
  options: { which?: string | undefined; base?: string | undefined; kernel?: Kernel } = {},
): BtfSource {
  const { which, base, kernel = systemKernel() } = options;
  if (base !== undefined) {
    if (which === undefined || source === 'file')
      return { btf: readExtension(which ?? source, readFile(base)) };
    throw new UsageError('--base is for types of a file: what the kernel has extends what the kernel says');
  }
  if (which === undefined)
    return { btf: /^\d+$/.test(source) ? readBtfById(kernel, idOf(source)) : readFile(source) };
  switch (source) {
    case 'file':
      return { btf: readFile(which) };
    case 'id':
      return { btf: readBtfById(kernel, idOf(which)) };
    case 'prog':
      return ofProgram(kernel, which);
    case 'map':
      return ofMap(kernel, which);
    default:
      throw new UsageError(
        `btf knows no ${source} ${which}: id, prog, map and file are followed by another argument`,
      );
  }
}

function idOf(text: string): number {
  const id = Number(text);
  if (/^\d+$/.test(text) && id <= 0xffff_ffff) return id;
  throw new UsageError(`${text} is no id of a BTF: ts-xdp btf show lists them`);
}

function ofProgram(kernel: Kernel, selector: string): BtfSource {
  const programs = openPrograms(kernel, selector);
  try {
    const { id, btfId } = requireOne(
      programs.map((program) => program.info()),
      { what: 'program', selector },
    );
    if (btfId === 0) throw new BtfError(`Cannot dump the types of program ${id}: it was loaded without BTF`);
    return { btf: readBtfById(kernel, btfId) };
  } finally {
    for (const program of programs) program.close();
  }
}

function ofMap(kernel: Kernel, selector: string): BtfSource {
  const maps = openMaps(kernel, selector);
  try {
    const { id, btfId, btfKeyTypeId, btfValueTypeId } = requireOne(
      maps.map((map) => map.info()),
      { what: 'map', selector },
    );
    if (btfId === 0) throw new BtfError(`Cannot dump the types of map ${id}: it was created without BTF`);
    const roots = [btfKeyTypeId, btfValueTypeId].filter((typeId) => typeId !== 0);
    return { btf: readBtfById(kernel, btfId), roots };
  } finally {
    for (const map of maps) map.close();
  }
}

function requireOne<Info extends { readonly id: number }>(
  found: readonly Info[],
  { what, selector }: { what: string; selector: string },
): Info {
  const [first, ...others] = found;
  if (first !== undefined && others.length === 0) return first;
  const ids = found.map(({ id }) => id).join(', ');
  throw new ArgumentError(
    'which',
    `Cannot tell which ${what} is meant by ${selector}: ${ids} are called so`,
    {
      hint: 'say which by its id',
    },
  );
}

/** Types that extend those of `base`: whole ones would be read with their ids and names shifted, as other types than they are. */
function readExtension(source: string, base: Btf): Btf {
  const btf = readFile(source, { base });
  if (btf.base !== undefined && !isWhole(btf)) return btf;
  throw new BtfError(`Cannot read the types of ${source} over a base: they extend none (no split BTF)`, {
    hint: 'leave --base out',
  });
}

/** Whether all names are among its own strings: those of an extension count on from its base's, and so do the ids. */
function isWhole({ bytes }: Btf): boolean {
  try {
    const alone = Btf.parse(bytes);
    for (const id of alone.ids()) alone.nameOf(id);
    return true;
  } catch (error) {
    if (error instanceof BtfError) return false;
    throw error;
  }
}

/** Those of a kernel module that is loaded extend the kernel's. */
function readFile(source: string, { base }: { base?: Btf } = {}): Btf {
  if (source === 'kernel') return Btf.parse(readObjectBytes(KERNEL));
  const { path } = resolveObject(source);
  const bytes = readObjectBytes(path);
  if (isBtf(bytes)) {
    const ofModule = dirname(resolve(path)) === KERNEL_FOLDER && resolve(path) !== KERNEL;
    return Btf.parse(bytes, { base: base ?? (ofModule ? Btf.parse(readObjectBytes(KERNEL)) : undefined) });
  }
  // Not ObjectFile: types can be shown of an object whose maps or programs cannot be read.
  const btf = readModuleBtf(readContainer(bytes), { kernel: base });
  if (btf) return btf;
  throw new BtfError('Cannot dump the types: the object has no BTF', { hint: 'compile it with -g' });
}

/** `BTF_MAGIC` in either byte order. */
function isBtf(bytes: Uint8Array): boolean {
  const [first, second] = bytes;
  return (first === 0x9f && second === 0xeb) || (first === 0xeb && second === 0x9f);
}
