import { at, Cursor, layout, u16, u32, u64 } from '../../binary/index.ts';
import { ElfError } from '../../errors.ts';
import { NameReader } from './names.ts';

/** Bytes that are read when they are asked for: an executable may be hundreds of megabytes. */
export interface ByteSource {
  /** For messages. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** Exactly these bytes, which lie within the size. */
  read(offset: number, length: number): Uint8Array;
}

/** Elf64_Ehdr, Elf64_Shdr and Elf64_Phdr of the ELF specification. */
const fileHeader = layout('Elf64_Ehdr', 64, {
  type: at(16, u16),
  machine: at(18, u16),
  phoff: at(32, u64),
  shoff: at(40, u64),
  phentsize: at(54, u16),
  phnum: at(56, u16),
  shentsize: at(58, u16),
  shnum: at(60, u16),
  shstrndx: at(62, u16),
});
const sectionHeader = layout('Elf64_Shdr', 64, {
  name: at(0, u32),
  type: at(4, u32),
  addr: at(16, u64),
  offset: at(24, u64),
  size: at(32, u64),
  link: at(40, u32),
});
const programHeader = layout('Elf64_Phdr', 56, {
  type: at(0, u32),
  flags: at(4, u32),
  offset: at(8, u64),
  vaddr: at(16, u64),
  filesz: at(32, u64),
  memsz: at(40, u64),
});

const MAGIC = 0x464c_457f;
const ELFCLASS64 = 2;
const ELFDATA2LSB = 1;
const ET_EXEC = 2;
const ET_DYN = 3;
const PT_LOAD = 1;
const PF_X = 1;
const SHT_NOBITS = 8;
const SHN_XINDEX = 0xffff;
/** Program headers in the 64 KiB that the kernel reads of them (load_elf_phdrs() in fs/binfmt_elf.c). */
const MOST_SEGMENTS = Math.floor(65_536 / programHeader.size);

export interface ExecutableSection {
  readonly name: string;
  readonly type: number;
  /** Where it is in memory, before the file is moved to where it is loaded. */
  readonly address: number;
  /** Where it is in the file; sizes in bytes. */
  readonly offset: number;
  readonly size: number;
  readonly link: number;
}

export interface LoadSegment {
  readonly address: number;
  readonly memorySize: number;
  readonly offset: number;
  readonly executable: boolean;
}

/**
 * A program file or shared library, as far as attaching to its functions needs: sections, segments, names. Nothing is
 * taken on trust, since any file may be named.
 */
export class ExecutableFile {
  readonly source: ByteSource;
  /** Whether it is loaded wherever there is room: shared libraries, and most programs. */
  readonly positionIndependent: boolean;
  readonly sections: readonly ExecutableSection[];
  readonly segments: readonly LoadSegment[];

  /** @throws ElfError where it is no 64-bit little-endian executable, or where it is broken */
  constructor(source: ByteSource) {
    this.source = source;
    const header = readHeader(source);
    this.positionIndependent = header.type === ET_DYN;
    this.sections = readSections(source, header);
    this.segments = readSegments(source, header);
  }

  section(name: string): ExecutableSection | undefined {
    return this.sections.find((section) => section.name === name);
  }

  /** The bytes of a section; none for one that takes no room in the file. @throws ElfError */
  contents(section: ExecutableSection): Uint8Array {
    if (section.type === SHT_NOBITS) return new Uint8Array(0);
    return take(this.source, {
      offset: section.offset,
      length: section.size,
      what: `section ${section.name}`,
    });
  }

  /** The segment that an address falls into once the file is loaded. */
  segmentAt(address: number): LoadSegment | undefined {
    return this.segments.find(
      (segment) => address >= segment.address && address < segment.address + segment.memorySize,
    );
  }
}

type Header = ReturnType<typeof fileHeader.decode>;

function readHeader(source: ByteSource): Header {
  if (source.size < fileHeader.size) throw notElf(source);
  const bytes = source.read(0, fileHeader.size);
  if (new Cursor(bytes).u32(0) !== MAGIC) throw notElf(source);
  const refuse = (why: string): ElfError => new ElfError('ELF_INVALID', `Cannot read ${source.name}: ${why}`);
  if (bytes[4] !== ELFCLASS64) throw refuse('it is not a 64-bit file');
  if (bytes[5] !== ELFDATA2LSB) throw refuse('it is not little-endian');
  const header = fileHeader.decode(bytes);
  if (header.type !== ET_EXEC && header.type !== ET_DYN) {
    throw refuse('it is neither a program nor a shared library');
  }
  return header;
}

function notElf(source: ByteSource): ElfError {
  return new ElfError('ELF_NOT_ELF', `Cannot read ${source.name}: it is not an ELF file`);
}

/** More than any linker makes; a table of more is a broken header. */
const MOST_ENTRIES = 1 << 20;

function readSections(source: ByteSource, header: Header): ExecutableSection[] {
  const offset = Number(header.shoff);
  if (offset === 0) return [];
  if (header.shentsize !== sectionHeader.size) throw broken(source, 'section headers of an unknown size');
  const first = sectionHeader.decode(
    take(source, { offset, length: sectionHeader.size, what: 'the first section header' }),
  );
  // With very many sections the numbers stand in the first header (ELF specification, "extended numbering").
  const count = header.shnum === 0 ? Number(first.size) : header.shnum;
  const namesIndex = header.shstrndx === SHN_XINDEX ? first.link : header.shstrndx;
  if (count > MOST_ENTRIES) throw broken(source, `${String(count)} sections`);
  const table = take(source, { offset, length: count * sectionHeader.size, what: 'the section headers' });
  const headers = Array.from({ length: count }, (_, index) =>
    sectionHeader.decode(table, index * sectionHeader.size),
  );
  const nameHeader = headers[namesIndex];
  const nameTable = nameHeader
    ? take(source, {
        offset: Number(nameHeader.offset),
        length: Number(nameHeader.size),
        what: 'the section names',
      })
    : new Uint8Array(0);
  const names = new NameReader(source, nameTable, { count });
  return headers.map((one) => ({
    name: names.at(one.name),
    type: one.type,
    address: Number(one.addr),
    offset: Number(one.offset),
    size: Number(one.size),
    link: one.link,
  }));
}

function readSegments(source: ByteSource, header: Header): LoadSegment[] {
  const { phnum, phentsize } = header;
  if (phnum === 0) return [];
  if (phentsize !== programHeader.size) throw broken(source, 'program headers of an unknown size');
  if (phnum > MOST_SEGMENTS) throw broken(source, `${String(phnum)} program headers`);
  const table = take(source, {
    offset: Number(header.phoff),
    length: phnum * programHeader.size,
    what: 'the program headers',
  });
  return Array.from({ length: phnum }, (_, index) => programHeader.decode(table, index * programHeader.size))
    .filter(({ type }) => type === PT_LOAD)
    .map((one) => ({
      address: Number(one.vaddr),
      memorySize: Number(one.memsz),
      offset: Number(one.offset),
      executable: (one.flags & PF_X) !== 0,
    }));
}

function take(
  source: ByteSource,
  { offset, length, what }: { offset: number; length: number; what: string },
): Uint8Array {
  if (Number.isSafeInteger(offset + length) && offset + length <= source.size)
    return source.read(offset, length);
  throw new ElfError('ELF_TRUNCATED', `Cannot read ${source.name}: ${what} reaches past its end`, { offset });
}

function broken(source: ByteSource, what: string): ElfError {
  return new ElfError('ELF_INVALID', `Cannot read ${source.name}: it has ${what}`);
}
