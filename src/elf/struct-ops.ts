import { ObjectError } from '../errors.ts';
import { resolveType, type Btf } from '../btf/index.ts';
import { BPF_F_LINK, BPF_MAP_TYPE_STRUCT_OPS } from '../uapi/index.ts';
import type { ElfSection } from './container.ts';
import { emptyMapSpec, type MapSpec } from './map-spec.ts';
import type { ElfRelocation } from './relocations.ts';
import { SymbolType, type ElfSymbol } from './symbols.ts';

/**
 * Whether a section holds struct_ops maps. Those of `.struct_ops.link` are registered by a link, those of
 * `.struct_ops` by writing to the map; with `?` before its name a section's maps are created only when asked for.
 */
export function isStructOpsSection({ name }: ElfSection): boolean {
  return /^\??\.struct_ops(\.link)?$/.test(name);
}

/**
 * Reads the maps of a section: each global variable in it is one, its type the struct that it implements.
 *
 * @throws ObjectError
 */
export function readStructOps(
  section: ElfSection,
  context: { btf: Btf; symbols: readonly ElfSymbol[]; relocations: readonly ElfRelocation[] },
): MapSpec[] {
  const { btf, symbols, relocations } = context;
  const id = btf.find(section.name, 'datasec');
  const datasec = id === undefined ? undefined : btf.type(id);
  if (datasec?.kind !== 'datasec') throw broken(section.name, 'BTF does not describe it');
  const maps = datasec.variables.map(({ typeId }) => {
    const name = btf.nameOf(typeId);
    const symbol = symbols.find(
      (candidate) =>
        candidate.section === section.index &&
        candidate.name === name &&
        candidate.type === SymbolType.Object,
    );
    if (!symbol) throw broken(name, 'it has no symbol');
    if (symbol.value + symbol.size > section.size) throw broken(name, 'it lies outside its section');
    const own = relocations.filter(
      ({ offset }) => offset >= symbol.value && offset < symbol.value + symbol.size,
    );
    return readMap(section, { btf, typeId: btf.sizeOrTypeId(typeId), symbol, relocations: own });
  });
  return maps;
}

function readMap(
  section: ElfSection,
  context: { btf: Btf; typeId: number; symbol: ElfSymbol; relocations: readonly ElfRelocation[] },
): MapSpec {
  const { btf, symbol, relocations } = context;
  const { name } = symbol;
  const typeId = resolveType(btf, context.typeId);
  const struct = btf.type(typeId);
  if (struct.kind !== 'struct') throw broken(name, 'its type is not a struct');
  if (struct.name === '') throw broken(name, 'its struct has no name');
  if (struct.size > symbol.size) throw broken(name, 'its struct is larger than it');
  const programs = new Map<number, string>();
  for (const relocation of relocations) {
    const index = struct.members.findIndex(
      ({ bitOffset }) => bitOffset === (relocation.offset - symbol.value) * 8,
    );
    const member = struct.members[index];
    if (!member || !isFunctionPointer(btf, member.typeId)) {
      throw broken(
        name,
        `its byte ${relocation.offset - symbol.value} is initialised and no function pointer`,
      );
    }
    programs.set(index, relocation.symbol.name);
  }
  return {
    ...emptyMapSpec(name, {
      kind: 'struct_ops',
      sectionIndex: section.index,
      offset: symbol.value,
      section: section.name,
    }),
    type: BPF_MAP_TYPE_STRUCT_OPS,
    keySize: 4,
    valueSize: struct.size,
    maxEntries: 1,
    flags: section.name.endsWith('.link') ? BPF_F_LINK : 0,
    autocreate: !section.name.startsWith('?'),
    structOps: {
      typeId,
      contents: Uint8Array.prototype.slice.call(section.data, symbol.value, symbol.value + struct.size),
      programs,
    },
  };
}

function isFunctionPointer(btf: Btf, typeId: number): boolean {
  const pointer = btf.type(resolveType(btf, typeId));
  return pointer.kind === 'pointer' && btf.kindOf(resolveType(btf, pointer.typeId)) === 'function_proto';
}

/**
 * The programs that a struct_ops map refers to are loaded with it and not without, whatever their sections say
 * (bpf_object_adjust_struct_ops_autoload() of libbpf). Undefined for a program that no map refers to.
 */
export function isWantedByStructOps(program: string, maps: Iterable<MapSpec>): boolean | undefined {
  let wanted: boolean | undefined;
  for (const { structOps, autocreate } of maps) {
    if (!structOps || ![...structOps.programs.values()].includes(program)) continue;
    wanted = autocreate || wanted === true;
  }
  return wanted;
}

function broken(map: string, why: string): ObjectError {
  return new ObjectError('OBJECT_INVALID', `Cannot read struct_ops map ${map}: ${why}`, {
    section: '.struct_ops',
  });
}
