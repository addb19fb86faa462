import { ElfError } from '../../errors.ts';
import type { ExecutableFile, ExecutableSection } from './executable-file.ts';
import { NameReader } from './names.ts';
import { symbolVersions, type SymbolVersions } from './symbol-versions.ts';

const SHT_SYMTAB = 2;
const SHT_DYNSYM = 11;
/** Elf64_Sym: name at 0, info at 4, section at 6, value at 8, size at 16. */
const SYMBOL_SIZE = 24;
const STT_FUNC = 2;
const STB_LOCAL = 0;

/** A function of an executable. */
export interface ExecutableFunction {
  /** Without version. */
  readonly name: string;
  /** Where its first instruction is in the file, in bytes, as uprobes want it. */
  readonly offset: number;
  /** Bytes; 0 where the file does not say. */
  readonly size: number;
  readonly local: boolean;
}

/**
 * The functions that an executable defines and whose names satisfy a test, from the symbols for the debugger and those
 * for the dynamic linker. Of several versions of a name it is the one that programs are linked with by default, unless
 * a version is given.
 *
 * @throws ElfError where the file is broken
 */
export function findFunctions(
  file: ExecutableFile,
  wanted: { readonly test: (name: string) => boolean; readonly version?: string | undefined },
): ExecutableFunction[] {
  const byOffset = new Map<string, ExecutableFunction>();
  // The ELF specification has a file hold one table of each kind, and libbpf reads the first.
  for (const type of [SHT_DYNSYM, SHT_SYMTAB]) {
    const table = file.sections.find((section) => section.type === type);
    if (!table) continue;
    const versions = type === SHT_DYNSYM ? symbolVersions(file) : undefined;
    for (const fn of functionsOf(file, { table, versions, wanted })) {
      const key = `${fn.name}:${String(fn.offset)}`;
      if (!byOffset.has(key)) byOffset.set(key, fn);
    }
  }
  return [...byOffset.values()];
}

function* functionsOf(
  file: ExecutableFile,
  facts: {
    table: ExecutableSection;
    versions: SymbolVersions | undefined;
    wanted: { readonly test: (name: string) => boolean; readonly version?: string | undefined };
  },
): Generator<ExecutableFunction> {
  const { table, versions, wanted } = facts;
  const symbols = file.contents(table);
  const names = file.sections[table.link];
  if (!names) throw new ElfError('ELF_INVALID', `Cannot read ${file.source.name}: its symbols have no names`);
  const count = Math.floor(symbols.length / SYMBOL_SIZE);
  const strings = new NameReader(file.source, file.contents(names), { count });
  const view = new DataView(symbols.buffer, symbols.byteOffset, symbols.length);
  for (let at = 0; at + SYMBOL_SIZE <= symbols.length; at += SYMBOL_SIZE) {
    const info = view.getUint8(at + 4);
    const sectionIndex = view.getUint16(at + 6, true);
    if ((info & 0xf) !== STT_FUNC || sectionIndex === 0) continue;
    const full = strings.at(view.getUint32(at, true));
    const [name, version, isDefault] = versionOf(full, versions?.of(at / SYMBOL_SIZE));
    if (!wanted.test(name)) continue;
    if (wanted.version === undefined ? !isDefault : version !== wanted.version) continue;
    const section = file.sections[sectionIndex];
    if (!section) continue;
    const offset = Number(view.getBigUint64(at + 8, true)) - section.address + section.offset;
    // A symbol may claim any address; one before the file's beginning or beyond its end is of no instruction in it.
    if (!(offset >= 0 && offset < file.source.size)) continue;
    yield {
      name,
      offset,
      size: Number(view.getBigUint64(at + 16, true)),
      local: info >>> 4 === STB_LOCAL,
    };
  }
}

/** The linker writes versions into the names for the debugger: `name@@DEFAULT`, `name@OTHER`. */
function versionOf(
  full: string,
  dynamic: { readonly name: string | undefined; readonly isDefault: boolean } | undefined,
): [name: string, version: string | undefined, isDefault: boolean] {
  const separator = full.indexOf('@');
  if (separator < 0) return [full, dynamic?.name, dynamic?.isDefault ?? true];
  const isDefault = full.startsWith('@@', separator);
  return [full.slice(0, separator), full.slice(separator + (isDefault ? 2 : 1)), isDefault];
}
