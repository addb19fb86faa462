import { ElfError } from '../errors.ts';
import { struct, u64, wordsOf } from '../binary/index.ts';
import type { ElfContainer, ElfSection } from './container.ts';
import { SectionType } from './header.ts';
import type { ElfSymbol } from './symbols.ts';

const RelocationEntry = struct('Elf64_Rel', { offset: u64, info: u64 });

/** `R_BPF_*`, from LLVM's include/llvm/BinaryFormat/ELFRelocs/BPF.def. */
export const RelocationType = { None: 0, Insn64: 1, Abs64: 2, Abs32: 3, NoDyld32: 4, Insn32: 10 } as const;

export interface ElfRelocation {
  /** Bytes from the start of the section it applies to. */
  readonly offset: number;
  readonly type: number;
  readonly symbol: ElfSymbol;
}

/**
 * The relocations of every section, by the index of the section they apply to, in ascending order of offset.
 * clang emits SHT_REL for BPF, with the addend in the instruction.
 */
export function readRelocations(
  elf: ElfContainer,
  symbols: readonly ElfSymbol[],
): ReadonlyMap<number, readonly ElfRelocation[]> {
  const bySection = new Map<number, ElfRelocation[]>();
  for (const section of elf.sections) {
    if (section.type !== SectionType.Rel || isDebug(section)) continue;
    const target = elf.sections[section.info];
    if (!target) throw malformed(section, 'applies to a section that does not exist', 0);
    const [others, own] = [bySection.get(target.index), readSection(elf, section, { target, symbols })];
    if (others) for (const relocation of own) others.push(relocation);
    else bySection.set(target.index, own);
  }
  for (const relocations of bySection.values()) sortByOffset(relocations);
  return bySection;
}

/** Sorts in place, which compilers and linkers have nearly always done. */
export function sortByOffset<Entry extends { readonly offset: number }>(entries: Entry[]): Entry[] {
  let last = 0;
  for (const { offset } of entries) {
    if (offset < last) return entries.sort((a, b) => a.offset - b.offset);
    last = offset;
  }
  return entries;
}

/** Those of a list in ascending order that lie from `start` up to `end`, in bytes from the start of the section. */
export function relocationsBetween(
  relocations: readonly ElfRelocation[],
  { start, end }: { start: number; end: number },
): readonly ElfRelocation[] {
  return relocations.slice(firstFrom(relocations, start), firstFrom(relocations, end));
}

/** The index of the first of them at or behind an offset. */
export function firstFrom(relocations: readonly ElfRelocation[], offset: number): number {
  let [low, high] = [0, relocations.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((relocations[middle]?.offset ?? 0) < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

function isDebug(section: ElfSection): boolean {
  return /^\.rel\.(debug_|eh_frame|BTF|llvm)/.test(section.name);
}

function readSection(
  elf: ElfContainer,
  section: ElfSection,
  { target, symbols }: { target: ElfSection; symbols: readonly ElfSymbol[] },
): ElfRelocation[] {
  if (section.size % RelocationEntry.size !== 0) throw malformed(section, 'has a broken size', section.size);
  // Each of the two fields is 64 bits wide: the lower half of the second is the type, the upper one the symbol.
  const words = wordsOf(section.data, { start: 0, end: section.size }, elf);
  const [low, high] = elf.littleEndian ? [0, 1] : [1, 0];
  const entries: ElfRelocation[] = [];
  for (let at = 0; at < words.length; at += RelocationEntry.size / WORD_SIZE) {
    const offset = (words[at + high] ?? 0) * 2 ** 32 + (words[at + low] ?? 0);
    const number = words[at + 2 + high] ?? 0;
    const symbol = symbols[number];
    if (!symbol) throw malformed(section, `names symbol ${number}, which does not exist`, at * WORD_SIZE);
    if (offset >= target.size)
      throw malformed(section, `points past the end of ${target.name}`, at * WORD_SIZE);
    entries.push({ offset, type: words[at + 2 + low] ?? 0, symbol });
  }
  return entries;
}

const WORD_SIZE = Uint32Array.BYTES_PER_ELEMENT;

function malformed(section: ElfSection, why: string, offset: number): ElfError {
  return new ElfError('ELF_INVALID', `Cannot read the object: ${section.name} ${why}`, {
    section: section.name,
    offset,
  });
}
