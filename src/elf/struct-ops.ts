import { ObjectError } from '../errors.ts';
import { resolveType, type Btf, type BtfComposite } from '../btf/index.ts';
import { BPF_F_LINK, BPF_MAP_TYPE_STRUCT_OPS } from '../uapi/index.ts';
import type { ElfSection } from './container.ts';
import { emptyMapSpec, type MapSpec } from './map-spec.ts';
import { relocationsBetween, type ElfRelocation } from './relocations.ts';
import type { ElfSymbol, SymbolTable } from './symbols.ts';

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
  context: { btf: Btf; symbols: SymbolTable; relocations: readonly ElfRelocation[] },
): MapSpec[] {
  const { btf, symbols, relocations } = context;
  const id = btf.find(section.name, 'datasec');
  const datasec = id === undefined ? undefined : btf.type(id);
  if (datasec?.kind !== 'datasec') throw broken(section.name, 'BTF does not describe it');
  const members: MembersByPlace = new Map();
  let room = section.size;
  return datasec.variables.map(({ typeId }) => {
    const name = btf.nameOf(typeId);
    const symbol = symbols.object(section.index, name);
    if (!symbol) throw broken(name, 'it has no symbol');
    const end = symbol.value + symbol.size;
    if (end > section.size) throw broken(name, 'it lies outside its section');
    room -= symbol.size;
    // Otherwise a small file could have any number of large maps.
    if (room < 0) throw broken(name, 'it overlaps with another');
    const own = relocationsBetween(relocations, { start: symbol.value, end });
    return readMap(section, { btf, typeId: btf.sizeOrTypeId(typeId), symbol, relocations: own, members });
  });
}

/** By the id of a struct: the index of the first member at each bit. */
type MembersByPlace = Map<number, ReadonlyMap<number, number>>;

function readMap(
  section: ElfSection,
  context: {
    btf: Btf;
    typeId: number;
    symbol: ElfSymbol;
    relocations: readonly ElfRelocation[];
    members: MembersByPlace;
  },
): MapSpec {
  const { btf, symbol, relocations, members } = context;
  const { name } = symbol;
  const typeId = resolveType(btf, context.typeId);
  const struct = btf.type(typeId);
  if (struct.kind !== 'struct') throw broken(name, 'its type is not a struct');
  if (struct.name === '') throw broken(name, 'its struct has no name');
  if (struct.size > symbol.size) throw broken(name, 'its struct is larger than it');
  const programs = new Map<number, string>();
  if (relocations.length > 0 && !members.has(typeId)) members.set(typeId, indexByPlace(struct));
  for (const relocation of relocations) {
    const index = members.get(typeId)?.get((relocation.offset - symbol.value) * 8);
    const member = index === undefined ? undefined : struct.members[index];
    if (index === undefined || !member || !isFunctionPointer(btf, member.typeId)) {
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

function indexByPlace({ members }: BtfComposite): ReadonlyMap<number, number> {
  const indexes = new Map<number, number>();
  for (const [index, { bitOffset }] of members.entries())
    if (!indexes.has(bitOffset)) indexes.set(bitOffset, index);
  return indexes;
}

function isFunctionPointer(btf: Btf, typeId: number): boolean {
  const pointer = btf.type(resolveType(btf, typeId));
  return pointer.kind === 'pointer' && btf.kindOf(resolveType(btf, pointer.typeId)) === 'function_proto';
}

/**
 * The programs that struct_ops maps refer to, and whether they are loaded: with such a map and not without, whatever their
 * sections say (bpf_object_adjust_struct_ops_autoload() of libbpf).
 */
export function programsOfStructOps(maps: Iterable<MapSpec>): ReadonlyMap<string, boolean> {
  const wanted = new Map<string, boolean>();
  for (const { structOps, autocreate } of maps) {
    for (const program of structOps?.programs.values() ?? [])
      wanted.set(program, autocreate || wanted.get(program) === true);
  }
  return wanted;
}

function broken(map: string, why: string): ObjectError {
  return new ObjectError('OBJECT_INVALID', `Cannot read struct_ops map ${map}: ${why}`, {
    section: '.struct_ops',
  });
}
