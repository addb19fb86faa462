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

/** So few symbols of one section are looked through sooner than put into a map. */
const FEW_SYMBOLS = 8;

/** The symbols of an object, and those of each section: there may be 65,000 sections with as many symbols. */
export class SymbolTable {
  readonly all: readonly ElfSymbol[];
  /** The symbols in the order of their sections, and in each in that of the table. */
  readonly #ordered: readonly ElfSymbol[];
  /** The first of each section, and last where they end. */
  readonly #starts: Uint32Array;
  readonly #objects = new Map<number, ReadonlyMap<string, ElfSymbol>>();

  constructor(all: readonly ElfSymbol[], { sections }: ElfContainer) {
    this.all = all;
    this.#ordered = all.toSorted((a, b) => a.section - b.section);
    this.#starts = new Uint32Array(sections.length + 1);
    let at = 0;
    for (let section = 0; section <= sections.length; section++) {
      this.#starts[section] = at;
      while (this.#ordered[at]?.section === section) at++;
    }
  }

  /** In the order of the table. */
  of(section: number): readonly ElfSymbol[] {
    return this.#ordered.slice(this.#starts[section], this.#starts[section + 1]);
  }

  /** The first symbol of a variable with a name. */
  object(section: number, name: string): ElfSymbol | undefined {
    const [start, end] = [this.#starts[section] ?? 0, this.#starts[section + 1] ?? 0];
    if (end - start > FEW_SYMBOLS) return this.#objectsOf(section).get(name);
    for (let index = start; index < end; index++) {
      const symbol = this.#ordered[index];
      if (symbol?.name === name && symbol.type === SymbolType.Object) return symbol;
    }
    return undefined;
  }

  #objectsOf(section: number): ReadonlyMap<string, ElfSymbol> {
    const known = this.#objects.get(section);
    if (known) return known;
    const objects = new Map<string, ElfSymbol>();
    for (const symbol of this.of(section))
      if (symbol.type === SymbolType.Object && !objects.has(symbol.name)) objects.set(symbol.name, symbol);
    this.#objects.set(section, objects);
    return objects;
  }
}

/** The symbol table; empty for a file without one. */
export function readSymbols(elf: ElfContainer): SymbolTable {
  return new SymbolTable(readAll(elf), elf);
}

function readAll(elf: ElfContainer): ElfSymbol[] {
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
