import elfy, { type ElfyFile, type ElfySection } from 'elfy';
import { ElfError } from '../errors.ts';
import { readHeaders, SectionType, type HeaderFacts, type SectionFacts } from './header.ts';

/** A section with its contents. `data` is a view on the file; for NOBITS sections it is zeros. */
export interface ElfSection {
  readonly index: number;
  readonly name: string;
  readonly type: number;
  readonly executable: boolean;
  readonly link: number;
  readonly info: number;
  readonly entrySize: number;
  readonly size: number;
  readonly data: Uint8Array;
}

export interface ElfContainer {
  readonly littleEndian: boolean;
  readonly type: number;
  readonly machine: number;
  readonly sections: readonly ElfSection[];
}

const SHF_EXECINSTR = 0x4;

/** All .bss together larger than this are no object's: the zeros are allocated here, so hostile sizes are refused. */
const LARGEST_NOBITS = 64 * 1024 * 1024;

/**
 * Reads an ELF64 file into sections.
 *
 * elfy does the slicing. It has no checks of its own (it returns short data silently, mistakes names and scans
 * without bounds), so every header is validated first and compared with what elfy found afterwards. Section types,
 * alignment and entry size come from the validated headers: elfy 1.0.0 reads the last two from wrong offsets.
 *
 * @throws ElfError for anything that is not a sound ELF64 file
 */
export function readContainer(bytes: Uint8Array): ElfContainer {
  const headers = readHeaders(bytes);
  checkZeros(headers.sections);
  const found = headers.sections.length > MOST_FOR_ELFY ? undefined : parseSections(bytes, headers.sections);
  return {
    littleEndian: headers.littleEndian,
    type: headers.type,
    machine: headers.machine,
    sections: headers.sections.map((facts, index) => {
      const data = found?.[index]?.data;
      return new Section(facts, { index, bytes: data ?? bytes, start: data ? 0 : facts.offset });
    }),
  };
}

/** elfy makes eight objects of each section, which takes longer than all else where there are tens of thousands. */
const MOST_FOR_ELFY = 8192;

function parseSections(bytes: Uint8Array, headers: readonly SectionFacts[]): readonly ElfySection[] {
  const { sections } = parseSafely(bytes).body;
  if (sections.length !== headers.length) {
    throw new ElfError('ELF_INVALID', 'Cannot read the object: its section count is contradictory');
  }
  headers.forEach(({ name, size, link, info }, index) => {
    const found = sections[index];
    if (found?.size === size && found.link === link && found.info === info) return;
    throw new ElfError('ELF_INVALID', `Cannot read the object: section ${name} is contradictory`, {
      section: name,
    });
  });
  return sections;
}

/** Its data are made when they are asked for: of tens of thousands of sections, views take more memory than all else. */
class Section implements ElfSection {
  readonly index: number;
  readonly name: string;
  readonly type: number;
  readonly executable: boolean;
  readonly link: number;
  readonly info: number;
  readonly entrySize: number;
  readonly size: number;
  readonly #bytes: Uint8Array;
  readonly #start: number;
  #data: Uint8Array | undefined;

  /** It lies at `start` in the bytes. */
  constructor(
    facts: SectionFacts,
    { index, bytes, start }: { index: number; bytes: Uint8Array; start: number },
  ) {
    this.index = index;
    this.name = facts.name;
    this.type = facts.type;
    this.executable = (facts.flags & SHF_EXECINSTR) !== 0;
    this.link = facts.link;
    this.info = facts.info;
    this.entrySize = facts.entrySize;
    this.size = facts.size;
    this.#bytes = bytes;
    this.#start = start;
  }

  get data(): Uint8Array {
    this.#data ??= this.type === SectionType.Nobits ? new Uint8Array(this.size) : this.#view();
    return this.#data;
  }

  /** Not a Buffer, whose `slice()` shares memory where a Uint8Array's copies. */
  #view(): Uint8Array {
    const { buffer, byteOffset, byteLength } = this.#bytes.subarray(this.#start, this.#start + this.size);
    return new Uint8Array(buffer, byteOffset, byteLength);
  }
}

function parseSafely(bytes: Uint8Array): ElfyFile {
  try {
    return elfy.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  } catch (cause) {
    throw new ElfError('ELF_INVALID', 'Cannot read the object: its sections cannot be resolved', { cause });
  }
}

function checkZeros(sections: HeaderFacts['sections']): void {
  let total = 0;
  for (const { name, type, size } of sections) {
    if (type !== SectionType.Nobits) continue;
    total += size;
    if (total <= LARGEST_NOBITS) continue;
    throw new ElfError(
      'ELF_INVALID',
      `Cannot read the object: section ${name} wants ${size} bytes of zeros, and ${LARGEST_NOBITS} may there be`,
      { section: name },
    );
  }
}
