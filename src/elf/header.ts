import { BoundsError, ElfError } from '../errors.ts';
import { Cursor, at, layout, u16, u32, u64 } from '../binary/index.ts';

/** `Elf64_Ehdr`, `Elf64_Shdr`: the layouts, whose offsets are the same in both byte orders. */
const FileHeader = layout('Elf64_Ehdr', 64, {
  type: at(16, u16),
  machine: at(18, u16),
  programHeaderOffset: at(32, u64),
  sectionHeaderOffset: at(40, u64),
  programHeaderEntrySize: at(54, u16),
  programHeaderCount: at(56, u16),
  sectionHeaderEntrySize: at(58, u16),
  sectionHeaderCount: at(60, u16),
  sectionNameIndex: at(62, u16),
});
const SectionHeader = layout('Elf64_Shdr', 64, {
  name: at(0, u32),
  type: at(4, u32),
  flags: at(8, u64),
  address: at(16, u64),
  offset: at(24, u64),
  size: at(32, u64),
  link: at(40, u32),
  info: at(44, u32),
  alignment: at(48, u64),
  entrySize: at(56, u64),
});
const PROGRAM_HEADER_SIZE = 56;

/** Values of `sh_type`. */
export const SectionType = {
  Null: 0,
  Progbits: 1,
  Symtab: 2,
  Strtab: 3,
  Rela: 4,
  Nobits: 8,
  Rel: 9,
} as const;

export interface HeaderFacts {
  littleEndian: boolean;
  type: number;
  machine: number;
  sections: SectionFacts[];
}

/** One section header, checked against the file. */
export interface SectionFacts {
  name: string;
  type: number;
  /** The lower half: the upper one is the processor's and the system's. */
  flags: number;
  /** Bytes from the start of the file. */
  offset: number;
  size: number;
  link: number;
  info: number;
  entrySize: number;
}

/** A name longer than this is no name: the scan for its NUL stops there, so that hostile tables cost nothing. */
export const LONGEST_NAME = 1024;

/** Reads and checks the file header and every section header; afterwards every range lies inside the file. */
export function readHeaders(bytes: Uint8Array): HeaderFacts {
  const littleEndian = checkIdentification(bytes);
  const cursor = new Cursor(bytes, littleEndian);
  try {
    return readChecked(cursor, littleEndian);
  } catch (error) {
    if (!(error instanceof BoundsError)) throw error;
    throw truncated('a header', error.offset);
  }
}

export const FILE_HEADER_SIZE = FileHeader.size;

/**
 * Where the headers of sections lie, and once these are there, their names; of the file header alone.
 *
 * @throws ElfError, BoundsError
 */
export function locateSections(bytes: Uint8Array): {
  start: number;
  end: number;
  count: number;
  names(): { start: number; end: number };
} {
  const cursor = new Cursor(bytes, checkIdentification(bytes));
  const count = cursor.u16(FileHeader.offsets.sectionHeaderCount);
  const start = cursor.size64(FileHeader.offsets.sectionHeaderOffset);
  const names = start + cursor.u16(FileHeader.offsets.sectionNameIndex) * SectionHeader.size;
  return {
    start,
    end: start + count * SectionHeader.size,
    count,
    names: () => {
      const { offset, size } = readSection(cursor, names);
      return { start: offset, end: offset + size };
    },
  };
}

function checkIdentification(bytes: Uint8Array): boolean {
  const magic = [0x7f, 0x45, 0x4c, 0x46];
  if (!magic.every((byte, index) => bytes[index] === byte)) {
    throw new ElfError('ELF_NOT_ELF', 'Cannot read the object: it is not an ELF file', {
      offset: 0,
      hint: 'compile it with: clang -O2 -g --target=bpf -c FILE.bpf.c -o FILE.bpf.o',
    });
  }
  if (bytes.length < FileHeader.size) throw truncated('the file header', bytes.length);
  if (bytes[4] !== 2) throw invalid('it is not a 64-bit ELF file', 4);
  if (bytes[5] !== 1 && bytes[5] !== 2) throw invalid(`its byte order ${String(bytes[5])} is unknown`, 5);
  return bytes[5] === 1;
}

function readChecked(cursor: Cursor, littleEndian: boolean): HeaderFacts {
  const field = FileHeader.offsets;
  const count = cursor.u16(field.sectionHeaderCount);
  const tableOffset = cursor.size64(field.sectionHeaderOffset);
  if (tableOffset === 0) throw invalid('it has no sections', field.sectionHeaderOffset);
  if (count === 0) throw invalid('it numbers its sections in the extended form', field.sectionHeaderCount);
  if (cursor.u16(field.sectionHeaderEntrySize) !== SectionHeader.size) {
    throw invalid('its section headers are not 64 bytes each', field.sectionHeaderEntrySize);
  }
  if (tableOffset + count * SectionHeader.size > cursor.length)
    throw truncated('the section table', tableOffset);
  checkProgramHeaders(cursor);
  const nameIndex = cursor.u16(field.sectionNameIndex);
  if (nameIndex >= count) throw invalid('its section name table does not exist', field.sectionNameIndex);
  const headers = Array.from({ length: count }, (_, index) => tableOffset + index * SectionHeader.size);
  const names = readSection(cursor, headers[nameIndex] ?? 0);
  if (names.type !== SectionType.Strtab) {
    throw invalid('its section name table is not a string table', field.sectionNameIndex);
  }
  const sections = headers.map((header) => {
    const section = readSection(cursor, header);
    section.name = sectionName(cursor, names, cursor.u32(header + SectionHeader.offsets.name));
    return section;
  });
  let sizes = 0;
  sections.forEach((section) => {
    if (section.link >= count)
      throw invalid(`section ${section.name} links to a section that does not exist`);
    if (isInFile(section.type)) sizes += section.size;
  });
  // The ELF specification says that no byte is in two sections. Otherwise a small file could hold any number of
  // large ones, and cost as much.
  if (sizes > cursor.length) throw invalid('its sections overlap');
  return { littleEndian, type: cursor.u16(field.type), machine: cursor.u16(field.machine), sections };
}

/** elfy walks the program headers too, so they must be sound although a relocatable object has none. */
function checkProgramHeaders(cursor: Cursor): void {
  const field = FileHeader.offsets;
  const count = cursor.u16(field.programHeaderCount);
  const offset = cursor.size64(field.programHeaderOffset);
  if (count === 0 || offset === 0) return;
  if (cursor.u16(field.programHeaderEntrySize) !== PROGRAM_HEADER_SIZE) {
    throw invalid('its program headers are not 56 bytes each', field.programHeaderEntrySize);
  }
  if (offset + count * PROGRAM_HEADER_SIZE > cursor.length) throw truncated('the program headers', offset);
}

function readSection(cursor: Cursor, header: number): SectionFacts {
  const field = SectionHeader.offsets;
  const section = {
    name: '',
    type: cursor.u32(header + field.type),
    flags: cursor.low32(header + field.flags),
    offset: cursor.size64(header + field.offset),
    size: cursor.size64(header + field.size),
    link: cursor.u32(header + field.link),
    info: cursor.u32(header + field.info),
    entrySize: cursor.size64(header + field.entrySize),
  };
  if (isInFile(section.type) && section.offset + section.size > cursor.length)
    throw truncated('a section', section.offset);
  return section;
}

function isInFile(type: number): boolean {
  return type !== SectionType.Nobits && type !== SectionType.Null;
}

function sectionName(cursor: Cursor, names: SectionFacts, at: number): string {
  if (at >= names.size) throw invalid('a section name lies outside the name table', names.offset);
  const start = names.offset + at;
  const limit = Math.min(names.offset + names.size, start + LONGEST_NAME);
  try {
    return cursor.string(start, limit);
  } catch (error) {
    if (!(error instanceof BoundsError)) throw error;
    throw invalid('a section name does not end', start);
  }
}

function truncated(what: string, offset: number): ElfError {
  return new ElfError('ELF_TRUNCATED', `Cannot read the object: ${what} reaches past the end of the file`, {
    offset,
    hint: 'the file was cut short; build or copy it again',
  });
}

function invalid(why: string, offset?: number): ElfError {
  return new ElfError('ELF_INVALID', `Cannot read the object: ${why}`, { offset });
}
