import { readContainer } from '../../src/elf/index.ts';
import { btfAnatomyOf, type BtfAnatomy } from './btf-anatomy.ts';

export const SECTION_HEADER = 64;
const SECTION_OFFSET = 24;

export interface PlacedSection {
  readonly name: string;
  readonly type: number;
  readonly executable: boolean;
  /** Bytes from the start of the file. */
  readonly offset: number;
  readonly size: number;
}

/** Where the structures of an object lie; the same in all of its mutants. */
export interface ElfAnatomy {
  readonly bytes: Uint8Array;
  readonly littleEndian: boolean;
  readonly programTable: number;
  readonly sectionTable: number;
  readonly sections: readonly PlacedSection[];
  readonly btf: BtfAnatomy | undefined;
}

export function elfAnatomyOf(bytes: Uint8Array): ElfAnatomy {
  const { littleEndian, sections } = readContainer(bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const sectionTable = Number(view.getBigUint64(40, littleEndian));
  const programTable = Number(view.getBigUint64(32, littleEndian));
  const placed = sections.map(({ name, type, size, executable }, index) => {
    const header = sectionTable + index * SECTION_HEADER;
    return {
      name,
      type,
      size,
      executable,
      offset: Number(view.getBigUint64(header + SECTION_OFFSET, littleEndian)),
    };
  });
  const btf = placed.find(({ name, size }) => name === '.BTF' && size > 0);
  return {
    bytes,
    littleEndian,
    programTable,
    sectionTable,
    sections: placed,
    btf: btf && btfAnatomyOf(bytes.subarray(btf.offset, btf.offset + btf.size), btf.offset),
  };
}
