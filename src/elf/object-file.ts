import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { BoundsError, BtfError, ElfError, FileError, NotFoundError, ObjectError } from '../errors.ts';
import { Cursor } from '../binary/index.ts';
import { Btf, BtfExt } from '../btf/index.ts';
import { readBtfMaps } from './btf-maps.ts';
import { readContainer, type ElfContainer, type ElfSection } from './container.ts';
import { dataSectionKind, dataSectionMap, readVariables } from './data-sections.ts';
import { readEventAnchors, type EventAnchors } from './event-anchors.ts';
import { readFunctions } from './functions.ts';
import type { SectionRoles } from './instruction-relocations.ts';
import type { MapSpec } from './map-spec.ts';
import type { FunctionSpec, ProgramSpec } from './program-spec.ts';
import { readRelocations, type ElfRelocation } from './relocations.ts';
import { readSymbols, sectionNameOf, SymbolType, UNDEFINED_SECTION, type ElfSymbol } from './symbols.ts';
import { VariableSpec } from './variable-spec.ts';

const MACHINE_BPF = 247;
const TYPE_RELOCATABLE = 1;

/** Something that the object refers to and does not define: a kfunc, a kernel symbol, a kernel setting. */
export interface ExternSpec {
  readonly name: string;
  /** Resolves to zero where the kernel lacks it, instead of failing. */
  readonly weak: boolean;
  /** The BTF id of its VAR or FUNC; undefined where BTF does not describe it. */
  readonly typeId: number | undefined;
  /** `.ksyms` or `.kconfig`. */
  readonly section: string | undefined;
}

/**
 * What a compiled BPF object holds, as pure data: programs, maps, global variables, types.
 *
 * Nothing here touches the kernel. Between reading and loading, the specs may be edited: a variable set, a map
 * resized, a program left out. `Collection.load()` then brings it into the kernel; edits after that have no effect
 * on what is loaded.
 *
 * @example
 * const object = ObjectFile.open('sniffer.bpf.o');
 * object.variable('use_load_bytes').set(0);
 * object.map('events').maxEntries = 4 << 20;
 */
export class ObjectFile {
  readonly name: string;
  readonly littleEndian: boolean;
  /** The contents of section `license`; empty where there is none. */
  readonly license: string;
  /** The contents of section `version`, which only kprobes before Linux 5.0 needed. */
  readonly kernelVersion: number;
  readonly btf: Btf | undefined;
  readonly btfExt: BtfExt | undefined;
  readonly programs: ReadonlyMap<string, ProgramSpec>;
  readonly subprograms: readonly FunctionSpec[];
  readonly maps: ReadonlyMap<string, MapSpec>;
  readonly variables: ReadonlyMap<string, VariableSpec>;
  readonly externs: ReadonlyMap<string, ExternSpec>;
  readonly anchors: EventAnchors;
  /** Sizes of the sections, by name: BTF leaves those of its DATASECs open. */
  readonly sectionSizes: ReadonlyMap<string, number>;
  readonly #symbolOffsets: ReadonlyMap<string, number>;

  private constructor(name: string, elf: ElfContainer) {
    const symbols = readSymbols(elf);
    const relocations = readRelocations(elf, symbols);
    this.name = name;
    this.littleEndian = elf.littleEndian;
    this.license = readText(elf, 'license');
    this.kernelVersion = readVersion(elf);
    this.btf = readBtf(elf);
    this.btfExt = readBtfExt(elf, this.btf);
    this.maps = readMaps(elf, { btf: this.btf, symbols, relocations, objectName: name });
    const { programs, subprograms } = readFunctions(elf, {
      symbols,
      relocations,
      roles: rolesOf(elf, this.maps),
    });
    this.programs = new Map(programs.map((program) => [program.name, program]));
    this.subprograms = subprograms;
    this.variables = readAllVariables(elf, { btf: this.btf, symbols, maps: this.maps });
    this.externs = readExterns(symbols, this.btf);
    this.anchors = readEventAnchors(this.btf);
    this.sectionSizes = new Map(elf.sections.map((section) => [section.name, section.size]));
    this.#symbolOffsets = new Map(
      symbols
        .filter((symbol) => symbol.type === SymbolType.Object && symbol.section !== UNDEFINED_SECTION)
        .map((symbol) => [`${sectionNameOf(elf.sections, symbol.section)}:${symbol.name}`, symbol.value]),
    );
  }

  /**
   * Reads an object from its bytes, which are kept, not copied.
   *
   * @throws ElfError, BtfError or ObjectError; nothing else, whatever the bytes are
   */
  static parse(bytes: Uint8Array, options: { name?: string } = {}): ObjectFile {
    try {
      const elf = readContainer(bytes);
      if (elf.machine !== MACHINE_BPF) {
        throw new ElfError(
          'ELF_NOT_BPF',
          `Cannot read the object: it is for machine ${elf.machine}, not for BPF`,
          {
            hint: 'compile it with: clang -O2 -g --target=bpf -c FILE.bpf.c -o FILE.bpf.o',
          },
        );
      }
      if (elf.type !== TYPE_RELOCATABLE) {
        throw new ElfError('ELF_INVALID', `Cannot read the object: its type is ${elf.type}, not relocatable`);
      }
      return new ObjectFile(options.name ?? 'object', elf);
    } catch (error) {
      if (!(error instanceof BoundsError)) throw error;
      throw new ElfError('ELF_INVALID', `Cannot read the object: ${error.message}`, { cause: error });
    }
  }

  /** Reads an object from a file. @throws FileError besides what {@link ObjectFile.parse} throws */
  static open(path: string): ObjectFile {
    return ObjectFile.parse(readObjectBytes(path), { name: basename(path).replace(/(\.bpf)?\.o$/, '') });
  }

  /** Where a variable lies in its section, in bytes, by the symbol table. */
  symbolOffset(section: string, name: string): number | undefined {
    return this.#symbolOffsets.get(`${section}:${name}`);
  }

  /** @throws NotFoundError naming the programs that there are */
  program(name: string): ProgramSpec {
    return named('program', name, this.programs);
  }

  /** @throws NotFoundError naming the maps that there are */
  map(name: string): MapSpec {
    return named('map', name, this.maps);
  }

  /** @throws NotFoundError naming the variables that there are */
  variable(name: string): VariableSpec {
    return named('variable', name, this.variables);
  }
}

function readObjectBytes(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw new FileError('FILE_NOT_FOUND', path, `Cannot open ${path}: no such file`, { cause });
    }
    throw new FileError('FILE_UNREADABLE', path, `Cannot open ${path}: ${code}`, { cause });
  }
}

function named<Spec>(
  kind: 'program' | 'map' | 'variable',
  name: string,
  specs: ReadonlyMap<string, Spec>,
): Spec {
  const spec = specs.get(name);
  if (spec !== undefined) return spec;
  const available = [...specs.keys()];
  const code = (
    { program: 'PROGRAM_NOT_FOUND', map: 'MAP_NOT_FOUND', variable: 'VARIABLE_NOT_FOUND' } as const
  )[kind];
  throw new NotFoundError(code, name, `Cannot find ${kind} ${name}: the object has none of that name`, {
    available,
    hint:
      available.length > 0 ? `the object has: ${available.join(', ')}` : `the object has no ${kind}s at all`,
  });
}

function sectionNamed(elf: ElfContainer, name: string): ElfSection | undefined {
  return elf.sections.find((section) => section.name === name);
}

function readText(elf: ElfContainer, name: string): string {
  const data = sectionNamed(elf, name)?.data;
  if (!data) return '';
  const end = data.indexOf(0);
  return new TextDecoder().decode(end < 0 ? data : data.subarray(0, end));
}

function readVersion(elf: ElfContainer): number {
  const section = sectionNamed(elf, 'version');
  return section && section.size >= 4 ? new Cursor(section.data, elf.littleEndian).u32(0) : 0;
}

function readBtf(elf: ElfContainer): Btf | undefined {
  const section = sectionNamed(elf, '.BTF');
  return section && section.size > 0 ? Btf.parse(section.data) : undefined;
}

function readBtfExt(elf: ElfContainer, btf: Btf | undefined): BtfExt | undefined {
  const section = sectionNamed(elf, '.BTF.ext');
  if (!section || section.size === 0) return undefined;
  if (!btf) throw new BtfError('Cannot read .BTF.ext: the object has no .BTF');
  return BtfExt.parse(section.data, btf);
}

function readMaps(
  elf: ElfContainer,
  context: {
    btf: Btf | undefined;
    symbols: readonly ElfSymbol[];
    relocations: ReadonlyMap<number, readonly ElfRelocation[]>;
    objectName: string;
  },
): Map<string, MapSpec> {
  const { btf, symbols, relocations, objectName } = context;
  const maps = new Map<string, MapSpec>();
  for (const section of elf.sections) {
    const dataMap = dataSectionMap(section, btf);
    if (dataMap) maps.set(dataMap.name, dataMap);
    if (section.name !== '.maps') continue;
    if (!btf) {
      throw new ObjectError(
        'OBJECT_INVALID',
        'Cannot read the maps: the object has no BTF that describes them',
        {
          section: section.name,
          hint: 'compile it with -g',
        },
      );
    }
    const ofSection = relocations.get(section.index) ?? [];
    for (const map of readBtfMaps(section, { btf, symbols, relocations: ofSection, objectName }))
      maps.set(map.name, map);
  }
  return maps;
}

function rolesOf(elf: ElfContainer, maps: ReadonlyMap<string, MapSpec>): SectionRoles {
  const byPlace = new Map<string, string>();
  const dataMaps = new Map<number, string>();
  for (const { name, definition } of maps.values()) {
    if (definition.kind === 'data') dataMaps.set(definition.sectionIndex, name);
    else byPlace.set(`${definition.sectionIndex}:${definition.offset}`, name);
  }
  return {
    sections: elf.sections,
    mapAt: (sectionIndex, offset) => byPlace.get(`${sectionIndex}:${offset}`),
    dataMap: (sectionIndex) => dataMaps.get(sectionIndex),
  };
}

function readAllVariables(
  elf: ElfContainer,
  context: { btf: Btf | undefined; symbols: readonly ElfSymbol[]; maps: ReadonlyMap<string, MapSpec> },
): Map<string, VariableSpec> {
  const { btf, symbols, maps } = context;
  const variables = new Map<string, VariableSpec>();
  if (!btf) return variables;
  for (const section of elf.sections) {
    const map = maps.get(section.name);
    if (dataSectionKind(section) === undefined || !map) continue;
    for (const place of readVariables(section, { btf, symbols })) {
      variables.set(place.name, new VariableSpec(place, { btf, map }));
    }
  }
  return variables;
}

function readExterns(symbols: readonly ElfSymbol[], btf: Btf | undefined): Map<string, ExternSpec> {
  const externs = new Map<string, ExternSpec>();
  for (const symbol of symbols) {
    if (symbol.section !== UNDEFINED_SECTION || symbol.name === '' || symbol.type === SymbolType.Section)
      continue;
    const typeId = btf?.find(symbol.name, 'function') ?? btf?.find(symbol.name, 'variable');
    externs.set(symbol.name, {
      name: symbol.name,
      weak: symbol.binding === 2,
      typeId,
      section: btf && typeId !== undefined ? datasecOf(btf, typeId) : undefined,
    });
  }
  return externs;
}

function datasecOf(btf: Btf, variableId: number): string | undefined {
  for (const section of ['.ksyms', '.kconfig']) {
    const id = btf.find(section, 'datasec');
    const datasec = id === undefined ? undefined : btf.type(id);
    if (datasec?.kind === 'datasec' && datasec.variables.some(({ typeId }) => typeId === variableId))
      return section;
  }
  return undefined;
}
