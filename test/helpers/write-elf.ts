/** ELF objects made by hand, of sections that no compiler would write. */
const FILE_HEADER = 64;
const SECTION_HEADER = 64;
export const SYMBOL = 24;
export const PROGBITS = 1;
export const SYMTAB = 2;
export const STRTAB = 3;
export const NOBITS = 8;

const ALLOC = 2;
const RELOCATABLE = 1;
const EM_BPF = 247;

export interface Section {
  readonly name: string;
  readonly type: number;
  /** @default that it is in memory */
  readonly flags?: number;
  readonly link?: number;
  readonly info?: number;
  /** What it has for itself, or a part of the shared body, which may be one that others have too. */
  readonly content: Uint8Array | { readonly offset?: number; readonly size: number };
}

/** An object of these sections, behind the empty one and before the names. The body comes first in the file. */
export function writeElf(sections: readonly Section[], body: Uint8Array = new Uint8Array()): Uint8Array {
  const names = Buffer.from(`\0${[...sections.map(({ name }) => name), '.shstrtab'].join('\0')}\0`);
  const all: Section[] = [...sections, { name: '.shstrtab', type: STRTAB, content: names }];
  const own = all.map(({ content }) => (content instanceof Uint8Array ? content : new Uint8Array()));
  const length = own.reduce((sum, bytes) => sum + bytes.length, body.length);
  const table = FILE_HEADER + Math.ceil(length / 8) * 8;
  const bytes = new Uint8Array(table + (all.length + 1) * SECTION_HEADER);
  const view = new DataView(bytes.buffer);
  writeFileHeader(view, { table, sections: all.length + 1 });
  bytes.set(body, FILE_HEADER);
  let [name, end] = [1, FILE_HEADER + body.length];
  all.forEach((section, index) => {
    const { content } = section;
    const isOwn = content instanceof Uint8Array;
    writeSectionHeader(view, {
      at: table + (index + 1) * SECTION_HEADER,
      name,
      section,
      offset: isOwn ? end : FILE_HEADER + (content.offset ?? 0),
      size: isOwn ? content.length : content.size,
    });
    name += section.name.length + 1;
    if (!isOwn) return;
    bytes.set(content, end);
    end += content.length;
  });
  return bytes;
}

function writeFileHeader(view: DataView, { table, sections }: { table: number; sections: number }): void {
  new Uint8Array(view.buffer).set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, RELOCATABLE, true);
  view.setUint16(18, EM_BPF, true);
  view.setBigUint64(40, BigInt(table), true);
  view.setUint16(58, SECTION_HEADER, true);
  view.setUint16(60, sections, true);
  view.setUint16(62, sections - 1, true);
}

interface Placed {
  readonly at: number;
  readonly name: number;
  readonly section: Section;
  readonly offset: number;
  readonly size: number;
}

function writeSectionHeader(view: DataView, { at, name, section, offset, size }: Placed): void {
  view.setUint32(at, name, true);
  view.setUint32(at + 4, section.type, true);
  view.setBigUint64(at + 8, BigInt(section.flags ?? ALLOC), true);
  view.setBigUint64(at + 24, BigInt(offset), true);
  view.setBigUint64(at + 32, BigInt(size), true);
  view.setUint32(at + 40, section.link ?? 0, true);
  view.setUint32(at + 44, section.info ?? 0, true);
  view.setBigUint64(at + 56, section.type === SYMTAB ? BigInt(SYMBOL) : 0n, true);
}
