import { BoundsError, ElfError } from '../errors.ts';
import { Cursor, struct, u16, u32, u64, u8 } from '../binary/index.ts';
import type { ElfContainer, ElfSection } from './container.ts';
import { LONGEST_NAME, SectionType } from './header.ts';

const SymbolEntry = struct('Elf64_Sym', {
  name: u32,
  info: u8,
  other: u8,
  section: u16,
  value: u64,
  size: u64,
});

/** `STT_*`, the low nibble of `st_info`. */
export const SymbolType = { None: 0, Object: 1, Function: 2, Section: 3, File: 4 } as const;
/** `STB_*`, the high nibble of `st_info`. */
export const SymbolBinding = { Local: 0, Global: 1, Weak: 2 } as const;

/** `SHN_UNDEF`: an extern. */
export const UNDEFINED_SECTION = 0;
const FIRST_RESERVED_SECTION = 0xff00;

export interface ElfSymbol {
  readonly index: number;
  readonly name: string;
  readonly type: number;
  readonly binding: number;
  /** `STV_HIDDEN` or `STV_INTERNAL`: static as far as the verifier is concerned. */
  readonly hidden: boolean;
  readonly section: number;
  /** Bytes from the start of the section. */
  readonly value: number;
  readonly size: number;
}

/** The symbol table; empty for a file without one. */
export function readSymbols(elf: ElfContainer): ElfSymbol[] {
  const table = elf.sections.find((section) => section.type === SectionType.Symtab);
  if (!table) return [];
  const strings = elf.sections[table.link];
  if (strings?.type !== SectionType.Strtab) {
    throw new ElfError('ELF_INVALID', 'Cannot read the object: its symbol names are not a string table', {
      section: table.name,
    });
  }
  const cursor = new Cursor(table.data, elf.littleEndian);
  const names = new Cursor(strings.data, elf.littleEndian);
  const count = Math.floor(table.size / SymbolEntry.size);
  return Array.from({ length: count }, (_, index) => {
    const symbol = readSymbol(cursor, names, index);
    if (symbol.section >= elf.sections.length && symbol.section < FIRST_RESERVED_SECTION) {
      throw new ElfError('ELF_INVALID', `Cannot read the object: symbol ${symbol.name} is in no section`, {
        section: table.name,
        offset: index * SymbolEntry.size,
      });
    }
    return symbol;
  });
}

function readSymbol(cursor: Cursor, names: Cursor, index: number): ElfSymbol {
  const at = index * SymbolEntry.size;
  const { offsets } = SymbolEntry;
  try {
    const info = cursor.u8(at + offsets.info);
    const visibility = cursor.u8(at + offsets.other) & 3;
    return {
      index,
      name: readName(names, cursor.u32(at + offsets.name)),
      type: info & 0xf,
      binding: info >> 4,
      hidden: visibility === 1 || visibility === 2,
      section: cursor.u16(at + offsets.section),
      value: cursor.size64(at + offsets.value),
      size: cursor.size64(at + offsets.size),
    };
  } catch (error) {
    if (!(error instanceof BoundsError)) throw error;
    throw new ElfError('ELF_INVALID', `Cannot read the object: symbol ${index} is malformed`, {
      offset: at,
      cause: error,
    });
  }
}

function readName(names: Cursor, offset: number): string {
  return names.string(offset, Math.min(names.length, offset + LONGEST_NAME));
}

/** Names what a relocation or symbol stands in, for messages. */
export function sectionNameOf(sections: readonly ElfSection[], index: number): string {
  return sections[index]?.name ?? `section ${index}`;
}
