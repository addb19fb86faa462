import { ObjectError } from '../errors.ts';
import { BPF_F_MMAPABLE, BPF_F_RDONLY_PROG, BPF_MAP_TYPE_ARENA, BPF_MAP_TYPE_ARRAY } from '../uapi/index.ts';
import { sizeOf, type Btf } from '../btf/index.ts';
import type { ElfSection } from './container.ts';
import { SectionType } from './header.ts';
import { emptyMapSpec, type MapSpec } from './map-spec.ts';
import type { SymbolTable } from './symbols.ts';

/** Which kind of data a section holds; undefined for every other section. */
export function dataSectionKind(section: ElfSection): 'data' | 'rodata' | 'bss' | undefined {
  const { name, type } = section;
  if (type === SectionType.Progbits) {
    if (name === '.data' || name.startsWith('.data.')) return 'data';
    if (name === '.rodata' || name.startsWith('.rodata.')) return 'rodata';
  }
  if (type === SectionType.Nobits && (name === '.bss' || name.startsWith('.bss.'))) return 'bss';
  return undefined;
}

/**
 * The array map of one element that holds a data section. It bears the section's name; the kernel gets to see
 * the name that {@link kernelMapName} makes of it.
 *
 * Mappable (Linux 5.5), so that globals are read and written without a system call.
 */
export function dataSectionMap(section: ElfSection, btf: Btf | undefined): MapSpec | undefined {
  const kind = dataSectionKind(section);
  if (kind === undefined || section.size === 0) return undefined;
  const readOnly = kind === 'rodata';
  const map = emptyMapSpec(
    section.name,
    { kind: 'data', sectionIndex: section.index, offset: 0, section: section.name },
    // The value's type is the section itself, as the kernel's array_map_check_btf expects of a DATASEC value.
    { valueTypeId: btf?.find(section.name, 'datasec') },
  );
  map.type = BPF_MAP_TYPE_ARRAY;
  map.keySize = 4;
  map.valueSize = section.size;
  map.maxEntries = 1;
  map.flags = BPF_F_MMAPABLE | (readOnly ? BPF_F_RDONLY_PROG : 0);
  // What is all zeros comes into being when somebody asks for it: a header may claim megabytes of them.
  if (kind !== 'bss') map.contents = section.data.slice();
  map.freeze = readOnly;
  return map;
}

/** The section of globals that lie in the object's arena (`__arena` variables). No map is made of it. */
const ARENA_SECTION = '.addr_space.1';

/** The first that holds any. */
export function arenaGlobals(sections: readonly ElfSection[]): ElfSection | undefined {
  return sections.find(({ name, size }) => name === ARENA_SECTION && size > 0);
}

/**
 * Gives the arena of an object its first contents: the globals of its arena section.
 *
 * @returns the arena, or undefined for an object without such globals
 * @throws ObjectError where there is no arena to hold them, or several
 */
export function placeArenaGlobals(
  sections: readonly ElfSection[],
  maps: ReadonlyMap<string, MapSpec>,
): MapSpec | undefined {
  const [arena, ...others] = [...maps.values()].filter(({ type }) => type === BPF_MAP_TYPE_ARENA);
  if (others.length > 0) {
    const names = [arena, ...others].map((map) => map?.name).join(' and ');
    throw new ObjectError('OBJECT_INVALID', `Cannot read the maps: only one may be an arena, not ${names}`);
  }
  const section = arenaGlobals(sections);
  if (!section) return undefined;
  if (!arena) {
    throw new ObjectError('OBJECT_INVALID', 'Cannot read the arena variables: the object has no arena map', {
      section: ARENA_SECTION,
      hint: 'declare a map of type BPF_MAP_TYPE_ARENA in SEC(".maps")',
    });
  }
  arena.contents = new Uint8Array(section.data);
  return arena;
}

export function arenaOf(maps: ReadonlyMap<string, MapSpec>): MapSpec | undefined {
  return [...maps.values()].find(({ type }) => type === BPF_MAP_TYPE_ARENA);
}

/** Where a global variable lies, and the bytes it starts with. */
export interface VariablePlace {
  readonly name: string;
  readonly section: string;
  /** Bytes from the start of the section. */
  readonly offset: number;
  readonly size: number;
  readonly typeId: number;
}

/**
 * The global variables of a data section. In an object that no linker has seen, BTF leaves offsets at 0 and the
 * symbol table has them, as libbpf's btf_fixup_datasec knows.
 */
export function readVariables(
  section: ElfSection,
  {
    btf,
    datasecId,
    symbols,
  }: {
    btf: Btf;
    /** 0 where BTF does not describe it. */
    datasecId: number;
    symbols: SymbolTable;
  },
): VariablePlace[] {
  const datasec = btf.type(datasecId);
  if (datasec.kind !== 'datasec') return [];
  const places: VariablePlace[] = [];
  for (const { typeId, offset, size } of datasec.variables) {
    const variable = btf.type(typeId);
    if (variable.kind !== 'variable') continue;
    const symbol = symbols.object(section.index, variable.name);
    const place = {
      name: variable.name,
      section: section.name,
      offset: symbol?.value ?? offset,
      size,
      typeId: variable.typeId,
    };
    // The section's entry and the type each say a size: a flexible array makes the first larger, damage the second.
    if (place.offset + Math.max(size, sizeOf(btf, variable.typeId)) > section.size) {
      throw new ObjectError(
        'OBJECT_INVALID',
        `Cannot read variable ${variable.name}: it lies outside ${section.name}`,
        {
          section: section.name,
        },
      );
    }
    places.push(place);
  }
  return places;
}
