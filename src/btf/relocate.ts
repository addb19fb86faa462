/** Types of a module that were built with a distilled base (`.BTF.base`), related to another kernel's: Linux 6.11, pahole 1.28. */
import { BtfError } from '../errors.ts';
import { Btf } from './btf.ts';
import { encodeBtf } from './builder.ts';
import { matchDistilledBase, type BaseMatches } from './match-distilled.ts';
import { readTypeWords, renumber } from './type-words.ts';

/**
 * The same types over another base: where they refer to those of their distilled base, which holds of the kernel that they
 * were built with only what they need, by name and size, they refer to the types of that name in `base`.
 *
 * @throws BtfError for a BTF without a base, a base that is not distilled, and a type that `base` lacks or has several
 * times of the same size
 */
export function relocateBtf(btf: Btf, base: Btf): Btf {
  const distilled = btf.base;
  if (!distilled) throw new BtfError('Cannot relocate BTF: it extends no other');
  if (btf.littleEndian !== base.littleEndian)
    throw new BtfError('Cannot relocate BTF: the kernel is of the other endianness');
  const matches = matchDistilledBase(btf, { distilled, base });
  const { words, starts } = readTypeWords(btf);
  const type = (id: number): number =>
    id < btf.firstId ? (matches.ids[id] ?? 0) : id + base.typeCount - btf.firstId;
  const string = (offset: number): number => relocateString(offset, { distilled, base, matches });
  for (const start of starts.subarray(0, -1)) renumber(words, start, { type, string });
  const bytes = encodeBtf(words, { strings: btf.strings.ownBytes, littleEndian: btf.littleEndian });
  return Btf.parse(bytes, { base });
}

/** All strings of a distilled base are names of its types. */
function relocateString(
  offset: number,
  { distilled, base, matches }: { distilled: Btf; base: Btf; matches: BaseMatches },
): number {
  if (offset === 0) return 0;
  if (offset >= distilled.stringsLength) return offset + base.stringsLength - distilled.stringsLength;
  const moved = matches.strings.get(offset);
  if (moved !== undefined) return moved;
  const text = JSON.stringify(distilled.string(offset));
  throw new BtfError(`Cannot relocate BTF: string ${text} of its base names no type there`);
}
