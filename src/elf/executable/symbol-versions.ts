import type { ExecutableFile } from './executable-file.ts';
import { NameReader } from './names.ts';

/** The section types of GNU symbol versioning (SHT_GNU_versym and SHT_GNU_verdef). */
const SHT_GNU_VERDEF = 0x6fff_fffd;
const SHT_GNU_VERSYM = 0x6fff_ffff;
/** A version that is kept for programs linked long ago. */
const HIDDEN = 0x8000;

/** Which version each symbol for the dynamic linker has. */
export interface SymbolVersions {
  of(symbolIndex: number): { readonly name: string | undefined; readonly isDefault: boolean };
}

/** Undefined for a file without versions. */
export function symbolVersions(file: ExecutableFile): SymbolVersions | undefined {
  const table = file.sections.find(({ type }) => type === SHT_GNU_VERSYM);
  if (!table) return undefined;
  const bytes = file.contents(table);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const names = versionNames(file);
  return {
    of: (index) => {
      const word = index * 2 + 2 <= bytes.length ? view.getUint16(index * 2, true) : 0;
      return { name: names.get(word & ~HIDDEN), isDefault: (word & HIDDEN) === 0 };
    },
  };
}

const DEFINITION_SIZE = 20;

/** Elf64_Verdef (ndx at 4, aux at 12, next at 16), whose first Elf64_Verdaux begins with the name. */
function versionNames(file: ExecutableFile): Map<number, string> {
  const names = new Map<number, string>();
  const section = file.sections.find(({ type }) => type === SHT_GNU_VERDEF);
  const strings = section && file.sections[section.link];
  if (!section || !strings) return names;
  const bytes = file.contents(section);
  const count = Math.floor(bytes.length / DEFINITION_SIZE);
  const text = new NameReader(file.source, file.contents(strings), { count });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at + DEFINITION_SIZE <= bytes.length;) {
    const auxiliary = at + view.getUint32(at + 12, true);
    if (auxiliary + 8 <= bytes.length) {
      names.set(view.getUint16(at + 4, true), text.at(view.getUint32(auxiliary, true)));
    }
    const next = view.getUint32(at + 16, true);
    if (next === 0) break;
    at += next;
  }
  return names;
}
