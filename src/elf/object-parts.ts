/** How each part of an object is read from its sections. */
import { BtfError, ObjectError } from '../errors.ts';
import { INSTRUCTION_SIZE } from '../asm/index.ts';
import { Cursor } from '../binary/index.ts';
import { Btf, BtfExt, relocateBtf } from '../btf/index.ts';
import { readBtfMaps } from './btf-maps.ts';
import type { ElfContainer, ElfSection } from './container.ts';
import {
  arenaGlobals,
  arenaOf,
  dataSectionKind,
  dataSectionMap,
  placeArenaGlobals,
  readVariables,
} from './data-sections.ts';
import { kernelConfigMap, type ExternSpec } from './externs.ts';
import { isLegacyMapSection, LegacyMaps } from './legacy-maps.ts';
import type { MapSpec } from './map-spec.ts';
import type { ElfRelocation } from './relocations.ts';
import type { SymbolTable } from './symbols.ts';
import { isStructOpsSection, readStructOps } from './struct-ops.ts';
import { VariableSpec } from './variable-spec.ts';

function sectionNamed(elf: ElfContainer, name: string): ElfSection | undefined {
  return elf.sections.find((section) => section.name === name);
}

export function readText(elf: ElfContainer, name: string): string {
  const data = sectionNamed(elf, name)?.data;
  if (!data) return '';
  const end = data.indexOf(0);
  return new TextDecoder().decode(end < 0 ? data : data.subarray(0, end));
}

export function readVersion(elf: ElfContainer): number {
  const section = sectionNamed(elf, 'version');
  return section && section.size >= 4 ? new Cursor(section.data, elf.littleEndian).u32(0) : 0;
}

/** The types of an object; undefined for one without. @throws BtfError */
export function readBtf(elf: ElfContainer): Btf | undefined {
  const section = sectionNamed(elf, '.BTF');
  return section && section.size > 0 ? Btf.parse(section.data) : undefined;
}

/**
 * The types of a kernel module's file, or of an object. A module's may extend a distilled base that is in the file
 * (`.BTF.base`), and are related to the kernel's where that is given; without one they extend the kernel's themselves.
 *
 * @throws BtfError
 */
export function readModuleBtf(elf: ElfContainer, { kernel }: { kernel: Btf | undefined }): Btf | undefined {
  const own = sectionNamed(elf, '.BTF');
  if (!own || own.size === 0) return undefined;
  const distilled = sectionNamed(elf, '.BTF.base');
  if (!distilled || distilled.size === 0) return Btf.parse(own.data, { base: kernel });
  const btf = Btf.parse(own.data, { base: Btf.parse(distilled.data) });
  return kernel ? relocateBtf(btf, kernel) : btf;
}

export function readBtfExt(elf: ElfContainer, btf: Btf | undefined): BtfExt | undefined {
  const section = sectionNamed(elf, '.BTF.ext');
  if (!section || section.size === 0) return undefined;
  if (!btf) throw new BtfError('Cannot read .BTF.ext: the object has no .BTF');
  const btfExt = BtfExt.parse(section.data, btf);
  checkCoreRelocations(elf, btfExt);
  return btfExt;
}

/** An instruction has one immediate or offset, so that more than one record each is a file made to cost time. */
function checkCoreRelocations(elf: ElfContainer, { coreRelocations }: BtfExt): void {
  if (coreRelocations.size === 0) return;
  const sizes = new Map<string, number>();
  for (const { name, size } of elf.sections) sizes.set(name, (sizes.get(name) ?? 0) + size);
  for (const [section, { count }] of coreRelocations) {
    const instructions = Math.floor((sizes.get(section) ?? 0) / INSTRUCTION_SIZE);
    if (count <= Math.max(instructions, LEAST_CORE_RELOCATIONS)) continue;
    throw new ObjectError(
      'OBJECT_INVALID',
      `Cannot read .BTF.ext: section ${section} has ${count} CO-RE relocations for ${instructions} instructions`,
      { section },
    );
  }
}

/** So few cost nothing, whatever they are on: which of them is wrong is said when they are applied. */
const LEAST_CORE_RELOCATIONS = 1024;

export function readMaps(
  elf: ElfContainer,
  context: {
    btf: Btf | undefined;
    symbols: SymbolTable;
    relocations: ReadonlyMap<number, readonly ElfRelocation[]>;
    objectName: string;
    externs: ReadonlyMap<string, ExternSpec>;
  },
): Map<string, MapSpec> {
  const { btf, symbols, relocations, objectName, externs } = context;
  const maps = new Map<string, MapSpec>();
  const legacy = new LegacyMaps(elf, { btf, symbols });
  const described = new Set<string>();
  for (const section of elf.sections) {
    const dataMap = dataSectionMap(section, btf);
    if (dataMap) maps.set(dataMap.name, dataMap);
    if (isLegacyMapSection(section)) for (const map of legacy.read(section)) maps.set(map.name, map);
    const structOps = isStructOpsSection(section) && section.size > 0;
    if (section.name !== '.maps' && !structOps) continue;
    // BTF has one description for all sections of a name, and each would be read as often as there are sections.
    if (described.has(section.name))
      throw new ObjectError(
        'OBJECT_INVALID',
        `Cannot read the maps: there are several sections ${section.name}`,
        {
          section: section.name,
        },
      );
    described.add(section.name);
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
    if (structOps) {
      for (const map of readStructOps(section, { btf, symbols, relocations: ofSection }))
        maps.set(map.name, map);
      continue;
    }
    for (const map of readBtfMaps(section, { btf, symbols, relocations: ofSection, objectName }))
      maps.set(map.name, map);
  }
  placeArenaGlobals(elf.sections, maps);
  const settings = kernelConfigMap(externs, btf);
  if (settings) maps.set(settings.name, settings);
  return maps;
}

export function readAllVariables(
  elf: ElfContainer,
  context: { btf: Btf | undefined; symbols: SymbolTable; maps: ReadonlyMap<string, MapSpec> },
): Map<string, VariableSpec> {
  const { btf, symbols, maps } = context;
  const variables = new Map<string, VariableSpec>();
  if (!btf) return variables;
  const globals = arenaGlobals(elf.sections);
  for (const section of elf.sections) {
    const map = section === globals ? arenaOf(maps) : dataMapOf(section, maps);
    if (!map || section.size === 0) continue;
    const datasecId = section === globals ? (btf.find(section.name, 'datasec') ?? 0) : map.valueTypeId;
    for (const place of readVariables(section, { btf, datasecId, symbols })) {
      variables.set(place.name, new VariableSpec(place, { btf, map }));
    }
  }
  return variables;
}

/** Undefined for a section that is none of data, and where a later one of the same name takes its place. */
function dataMapOf(section: ElfSection, maps: ReadonlyMap<string, MapSpec>): MapSpec | undefined {
  if (dataSectionKind(section) === undefined) return undefined;
  const map = maps.get(section.name);
  return map?.definition.sectionIndex === section.index ? map : undefined;
}
