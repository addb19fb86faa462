import elfy, { type ElfyFile } from 'elfy';
import { ElfError } from '../errors.ts';
import { readHeaders, SectionType, type HeaderFacts } from './header.ts';

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

const SHF_EXECINSTR = 0x4n;

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
  const { sections } = parseSafely(bytes).body;
  if (sections.length !== headers.sections.length) {
    throw new ElfError('ELF_INVALID', 'Cannot read the object: its section count is contradictory');
  }
  checkZeros(headers.sections);
  return {
    littleEndian: headers.littleEndian,
    type: headers.type,
    machine: headers.machine,
    sections: headers.sections.map((facts, index): ElfSection => {
      const found = sections[index];
      if (found?.size !== facts.size || found.link !== facts.link || found.info !== facts.info) {
        throw new ElfError('ELF_INVALID', `Cannot read the object: section ${facts.name} is contradictory`, {
          section: facts.name,
        });
      }
      return {
        index,
        name: facts.name,
        type: facts.type,
        executable: (facts.flags & SHF_EXECINSTR) !== 0n,
        link: facts.link,
        info: facts.info,
        entrySize: facts.entrySize,
        size: facts.size,
        data: facts.type === SectionType.Nobits ? new Uint8Array(facts.size) : plainView(found.data),
      };
    }),
  };
}

/** Not a Buffer, whose `slice()` shares memory where a Uint8Array's copies. */
function plainView({ buffer, byteOffset, byteLength }: Buffer): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
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
