import { ObjectError } from '../errors.ts';
import {
  BPF_MAP_TYPE_ARRAY_OF_MAPS,
  BPF_MAP_TYPE_HASH_OF_MAPS,
  BPF_MAP_TYPE_PROG_ARRAY,
} from '../uapi/index.ts';
import { resolveType, sizeOf, type Btf } from '../btf/index.ts';
import type { ElfSection } from './container.ts';
import { relocationsBetween, type ElfRelocation } from './relocations.ts';
import { emptyMapSpec, type InitialSlot, type MapDefinition, type MapSpec } from './map-spec.ts';
import type { ElfSymbol, SymbolTable } from './symbols.ts';

const BPF_F_NUMA_NODE = 4;
const PIN_BY_NAME = 1;
const POINTER_SIZE = 8;

interface Member {
  name: string;
  typeId: number;
  /** Bytes from the start of the map's struct. */
  offset: number;
}

/** A map definition while its members are read, one by one. */
interface Draft extends Omit<MapSpec, 'keyTypeId' | 'valueTypeId' | 'inner' | 'initialSlots'> {
  keyTypeId: number;
  valueTypeId: number;
  inner: MapSpec | undefined;
  valuesOffset: number | undefined;
}

/**
 * Reads the maps of a `.maps` section.
 *
 * A map is a global variable of an anonymous struct whose member types carry the definition: `__uint(name, 5)` is
 * a pointer to an array of five, `__type(name, T)` a pointer to T, `__array(values, T)` an array of pointers to T.
 * The section's bytes say nothing, except for relocations of `values`.
 */
export function readBtfMaps(
  section: ElfSection,
  context: {
    btf: Btf;
    symbols: SymbolTable;
    relocations: readonly ElfRelocation[];
    objectName: string;
  },
): MapSpec[] {
  const { btf, symbols, relocations } = context;
  const datasecId = btf.find(section.name, 'datasec');
  if (datasecId === undefined) throw broken(section.name, 'BTF does not describe it');
  const datasec = btf.type(datasecId);
  if (datasec.kind !== 'datasec') throw broken(section.name, 'BTF does not describe it');
  let slots = 0;
  const listed = new Set(datasec.variables.map(({ typeId }) => typeId));
  return [...listed].map((typeId) => {
    const variable = btf.type(typeId);
    if (variable.kind !== 'variable')
      throw broken(section.name, 'BTF names something else than a variable in it');
    const symbol = symbols.object(section.index, variable.name);
    if (!symbol) throw broken(variable.name, 'it has no symbol');
    const definition: MapDefinition = {
      kind: 'btf',
      sectionIndex: section.index,
      offset: symbol.value,
      section: section.name,
    };
    const draft = readDefinition(variable.name, { btf, typeId: variable.typeId, definition });
    const spec = finish(draft, { symbol, relocations });
    slots += spec.initialSlots.length;
    if (slots > relocations.length) throw broken(variable.name, 'it overlaps with another');
    return spec;
  });
}

function readDefinition(
  name: string,
  { btf, typeId, definition }: { btf: Btf; typeId: number; definition: MapDefinition },
): Draft {
  const type = btf.type(resolveType(btf, typeId));
  if (type.kind !== 'struct') throw broken(name, 'its type is not a struct');
  const draft: Draft = { ...emptyMapSpec(name, definition), valuesOffset: undefined };
  const names = new Set<string>();
  for (const member of type.members) {
    if (names.has(member.name)) throw broken(name, `it has a member ${member.name} twice`);
    names.add(member.name);
    readMember(draft, { btf, member: { ...member, offset: member.bitOffset / 8 } });
  }
  if (draft.type === 0) throw broken(name, 'it has no type');
  return draft;
}

function readMember(draft: Draft, { btf, member }: { btf: Btf; member: Member }): void {
  switch (member.name) {
    case 'type':
      draft.type = readNumber(draft.name, { btf, member });
      return;
    case 'max_entries':
      draft.maxEntries = readNumber(draft.name, { btf, member });
      return;
    case 'map_flags':
      draft.flags |= readNumber(draft.name, { btf, member });
      return;
    case 'numa_node':
      draft.numaNode = readNumber(draft.name, { btf, member });
      draft.flags |= BPF_F_NUMA_NODE;
      return;
    case 'map_extra':
      draft.extra = BigInt(readNumber(draft.name, { btf, member }));
      return;
    case 'key_size':
      draft.keySize = agree(draft, { part: 'key', size: readNumber(draft.name, { btf, member }) });
      return;
    case 'value_size':
      draft.valueSize = agree(draft, { part: 'value', size: readNumber(draft.name, { btf, member }) });
      return;
    case 'key':
      draft.keyTypeId = readPointer(draft.name, { btf, member });
      draft.keySize = agree(draft, { part: 'key', size: sizeOf(btf, draft.keyTypeId) });
      return;
    case 'value':
      draft.valueTypeId = readPointer(draft.name, { btf, member });
      draft.valueSize = agree(draft, { part: 'value', size: sizeOf(btf, draft.valueTypeId) });
      return;
    case 'values':
      readValues(draft, { btf, member });
      return;
    case 'pinning':
      draft.pinByName = readPinning(draft.name, readNumber(draft.name, { btf, member }));
      return;
    default:
      throw broken(draft.name, `it has a member ${member.name} of unknown meaning`);
  }
}

/** `__uint` gives a pointer to an array, `__ulong` an enum, whose 64-bit value no array length could hold. */
function readNumber(map: string, { btf, member }: { btf: Btf; member: Member }): number {
  const type = btf.type(resolveType(btf, member.typeId));
  if (type.kind === 'pointer') {
    const target = btf.type(resolveType(btf, type.typeId));
    if (target.kind === 'array') return target.length;
  }
  if ((type.kind === 'enum' || type.kind === 'enum64') && type.values[0]) return Number(type.values[0].value);
  throw broken(map, `its ${member.name} is not written with __uint`);
}

function readPointer(map: string, { btf, member }: { btf: Btf; member: Member }): number {
  const type = btf.type(resolveType(btf, member.typeId));
  if (type.kind !== 'pointer') throw broken(map, `its ${member.name} is not written with __type`);
  return type.typeId;
}

function agree(draft: Draft, { part, size }: { part: 'key' | 'value'; size: number }): number {
  const known = part === 'key' ? draft.keySize : draft.valueSize;
  if (known !== 0 && known !== size)
    throw broken(draft.name, `its ${part} is said to have ${known} and ${size} bytes`);
  return size;
}

function readPinning(map: string, value: number): boolean {
  if (value > PIN_BY_NAME) throw broken(map, `its pinning ${value} is unknown`);
  return value === PIN_BY_NAME;
}

function readValues(draft: Draft, { btf, member }: { btf: Btf; member: Member }): void {
  const { name } = draft;
  const array = btf.type(resolveType(btf, member.typeId));
  if (array.kind !== 'array') throw broken(name, 'its values are not written with __array');
  const pointer = btf.type(resolveType(btf, array.elementTypeId));
  if (pointer.kind !== 'pointer') throw broken(name, 'its values are not pointers');
  draft.valuesOffset = member.offset;
  draft.valueSize = agree(draft, { part: 'value', size: 4 });
  if (draft.type === BPF_MAP_TYPE_PROG_ARRAY) return;
  if (draft.type !== BPF_MAP_TYPE_ARRAY_OF_MAPS && draft.type !== BPF_MAP_TYPE_HASH_OF_MAPS) {
    throw broken(name, 'it has values but holds neither maps nor programs');
  }
  // The kernel has no maps of maps of maps (bpf_map_meta_alloc() of kernel/bpf/map_in_map.c).
  if (draft.definition.kind === 'inner') throw broken(name, 'maps of maps cannot hold maps of maps');
  const definition: MapDefinition = { ...draft.definition, kind: 'inner' };
  const inner = readDefinition(`${name}.inner`, { btf, typeId: pointer.typeId, definition });
  draft.inner = withoutValues(inner);
}

function finish(
  draft: Draft,
  { symbol, relocations }: { symbol: ElfSymbol; relocations: readonly ElfRelocation[] },
): MapSpec {
  return { ...withoutValues(draft), initialSlots: readSlots(draft, { symbol, relocations }) };
}

function withoutValues({ valuesOffset: _valuesOffset, ...spec }: Draft): MapSpec {
  return { ...spec, initialSlots: [] };
}

function readSlots(
  draft: Draft,
  { symbol, relocations }: { symbol: ElfSymbol; relocations: readonly ElfRelocation[] },
): InitialSlot[] {
  const first = symbol.value + (draft.valuesOffset ?? 0);
  const own = relocationsBetween(relocations, { start: symbol.value, end: symbol.value + symbol.size });
  return own.map((relocation) => {
    const distance = relocation.offset - first;
    if (draft.valuesOffset === undefined || distance < 0 || distance % POINTER_SIZE !== 0) {
      throw broken(
        draft.name,
        `something other than its values is initialised, at byte ${relocation.offset}`,
      );
    }
    return { index: distance / POINTER_SIZE, target: relocation.symbol.name };
  });
}

function broken(map: string, why: string): ObjectError {
  return new ObjectError('OBJECT_INVALID', `Cannot read map ${map}: ${why}`, { section: '.maps' });
}
