import { ObjectError } from '../errors.ts';
import { Cursor, struct, u32 } from '../binary/index.ts';
import { sizeOf, type Btf } from '../btf/index.ts';
import {
  BPF_MAP_TYPE_ARRAY_OF_MAPS,
  BPF_MAP_TYPE_HASH_OF_MAPS,
  BPF_MAP_TYPE_PROG_ARRAY,
} from '../uapi/index.ts';
import type { ElfContainer, ElfSection } from './container.ts';
import { emptyMapSpec, type InitialSlot, type MapSpec } from './map-spec.ts';
import { SymbolType, type ElfSymbol, type SymbolTable } from './symbols.ts';

/** What all definitions begin with; `map_flags` came later, and objects without it are still around. */
const Definition = struct('bpf_map_def', {
  type: u32,
  key_size: u32,
  value_size: u32,
  max_entries: u32,
  map_flags: u32,
});
const SHORTEST = Definition.offsets.map_flags;

/** iproute2's own, include/bpf_elf.h. */
const Iproute2Definition = struct('bpf_elf_map', {
  type: u32,
  size_key: u32,
  size_value: u32,
  max_elem: u32,
  flags: u32,
  id: u32,
  pinning: u32,
  inner_id: u32,
  inner_idx: u32,
});

/** `PIN_GLOBAL_NS`, the last that iproute2 knows without a file of its own settings. */
const LAST_PINNING = 2;
/** `inner_idx` of -1: in no slot. */
const NO_SLOT = 0xffff_ffff;

interface Draft {
  spec: MapSpec;
  /** Of iproute2's definition; zeros in any other. */
  readonly id: number;
  readonly innerId: number;
  readonly innerIndex: number;
}

/** Whether a section holds maps in the style of before BTF: `maps`, or one section for each as gobpf wants it. */
export function isLegacyMapSection({ name }: ElfSection): boolean {
  return name === 'maps' || name.startsWith('maps/');
}

/**
 * Reads maps defined as `struct bpf_map_def SEC("maps") name = { … }`. How long a definition is, only the number of
 * symbols tells. What follows `map_flags` must be zero, unless the length is that of iproute2's `struct bpf_elf_map`.
 */
export class LegacyMaps {
  readonly #elf: ElfContainer;
  readonly #btf: Btf | undefined;
  readonly #symbols: SymbolTable;
  #tailCalls: ReadonlyMap<number, readonly InitialSlot[]> | undefined;

  constructor(elf: ElfContainer, { btf, symbols }: { btf: Btf | undefined; symbols: SymbolTable }) {
    this.#elf = elf;
    this.#btf = btf;
    this.#symbols = symbols;
  }

  /** @throws ObjectError */
  read(section: ElfSection): MapSpec[] {
    const own = this.#symbols
      .of(section.index)
      .filter(({ type, name }) => name !== '' && (type === SymbolType.Object || type === SymbolType.None));
    if (own.length === 0) return [];
    const size = definitionSize(section, own);
    const cursor = new Cursor(section.data, this.#elf.littleEndian);
    const drafts = own.map((symbol) => readDefinition(section, { symbol, size, cursor, btf: this.#btf }));
    const byId = groupedById(drafts);
    return drafts.map((draft) => this.#withSlots(withInner(draft, byId), byId));
  }

  #withSlots({ spec, id, innerId }: Draft, byId: ReadonlyMap<number, SameId>): MapSpec {
    if (spec.inner) return { ...spec, initialSlots: byId.get(innerId)?.slots ?? [] };
    if (spec.type !== BPF_MAP_TYPE_PROG_ARRAY || id === 0) return spec;
    this.#tailCalls ??= tailCalls(this.#elf, this.#symbols);
    return { ...spec, initialSlots: this.#tailCalls.get(id) ?? [] };
  }
}

interface SameId {
  readonly drafts: Draft[];
  /** Those of them that go into a map of maps. One list for all such maps: there may be thousands of either. */
  readonly slots: InitialSlot[];
}

/** In their order. Without those of id 0, which is none. */
function groupedById(drafts: readonly Draft[]): ReadonlyMap<number, SameId> {
  const groups = new Map<number, SameId>();
  for (const draft of drafts) {
    const { id, innerIndex, spec } = draft;
    if (id === 0) continue;
    const group = groups.get(id) ?? { drafts: [], slots: [] };
    group.drafts.push(draft);
    if (innerIndex !== NO_SLOT) group.slots.push({ index: innerIndex, target: spec.name });
    groups.set(id, group);
  }
  return groups;
}

function definitionSize(section: ElfSection, symbols: readonly ElfSymbol[]): number {
  const size = section.size / symbols.length;
  if (!Number.isInteger(size) || size % 4 !== 0 || size < SHORTEST) {
    throw new ObjectError(
      'OBJECT_INVALID',
      `Cannot read the maps of section ${section.name}: ` +
        `${symbols.length} definitions of at least ${SHORTEST} bytes do not make ${section.size} bytes`,
      { section: section.name },
    );
  }
  const places = new Set<number>();
  for (const { name, value } of symbols) {
    if (value % size !== 0 || value >= section.size || places.has(value))
      throw broken(section, name, `its definition is not one of ${size} bytes, as those of the others are`);
    places.add(value);
  }
  return size;
}

function readDefinition(
  section: ElfSection,
  at: { symbol: ElfSymbol; size: number; cursor: Cursor; btf: Btf | undefined },
): Draft {
  const { symbol, size, cursor, btf } = at;
  const word = (offset: number): number => (offset < size ? cursor.u32(symbol.value + offset) : 0);
  const { offsets } = Definition;
  const definition = {
    kind: 'legacy',
    sectionIndex: section.index,
    offset: symbol.value,
    section: section.name,
  } as const;
  const spec: MapSpec = {
    ...emptyMapSpec(symbol.name, definition),
    type: word(offsets.type),
    keySize: word(offsets.key_size),
    valueSize: word(offsets.value_size),
    maxEntries: word(offsets.max_entries),
    flags: word(offsets.map_flags),
  };
  if (spec.type === 0) throw broken(section, spec.name, 'it has no type');
  const typed = { ...spec, ...typesOf(spec, btf) };
  if (size === Iproute2Definition.size) return readIproute2(section, { spec: typed, word });
  for (let offset = Definition.size; offset < size; offset += 4) {
    if (word(offset) === 0) continue;
    throw broken(
      section,
      spec.name,
      `its definition has ${size} bytes, and the meaning of byte ${offset}, which is not zero, is unknown`,
    );
  }
  return { spec: typed, id: 0, innerId: 0, innerIndex: NO_SLOT };
}

function readIproute2(
  section: ElfSection,
  { spec, word }: { spec: MapSpec; word: (offset: number) => number },
): Draft {
  const { offsets } = Iproute2Definition;
  const pinning = word(offsets.pinning);
  if (pinning > LAST_PINNING) throw broken(section, spec.name, `its pinning ${pinning} is unknown`);
  // Whether the folder is one object's or everyone's is for the caller to say, who names it.
  const pinned = { ...spec, pinByName: pinning !== 0 };
  return {
    spec: pinned,
    id: word(offsets.id),
    innerId: word(offsets.inner_id),
    innerIndex: word(offsets.inner_idx),
  };
}

/** `BPF_ANNOTATE_KV_PAIR` leaves a struct of key and value behind; types of other sizes than the map's do not count. */
function typesOf(
  spec: MapSpec,
  btf: Btf | undefined,
): { keyTypeId: number; valueTypeId: number } | undefined {
  const id = btf?.find(`____btf_map_${spec.name}`, 'struct');
  const type = id === undefined ? undefined : btf?.type(id);
  if (!btf || type?.kind !== 'struct') return undefined;
  const [key, value] = type.members;
  if (!key || !value) return undefined;
  if (sizeOf(btf, key.typeId) !== spec.keySize || sizeOf(btf, value.typeId) !== spec.valueSize)
    return undefined;
  return { keyTypeId: key.typeId, valueTypeId: value.typeId };
}

/** The inner maps look like the map of the same section whose `id` is the outer one's `inner_id`. */
function withInner(draft: Draft, byId: ReadonlyMap<number, SameId>): Draft {
  const { spec, innerId } = draft;
  const holdsMaps = spec.type === BPF_MAP_TYPE_ARRAY_OF_MAPS || spec.type === BPF_MAP_TYPE_HASH_OF_MAPS;
  // Without it, only a map that the caller gives can stand in.
  if (innerId === 0) return draft;
  const { section } = spec.definition;
  if (!holdsMaps)
    throw broken({ name: section }, spec.name, `it has the inner_id ${innerId} but holds no maps`);
  const inner = byId.get(innerId)?.drafts.find((other) => other !== draft)?.spec;
  if (!inner) throw broken({ name: section }, spec.name, `no map has the id ${innerId} of its inner maps`);
  const definition = { ...inner.definition, kind: 'inner' } as const;
  return { ...draft, spec: { ...spec, inner: { ...inner, definition } } };
}

/**
 * iproute2's tail calls, by the id of a program array: the program of section `ID/INDEX` goes into that slot of the array of
 * that id.
 */
function tailCalls(
  { sections }: ElfContainer,
  symbols: SymbolTable,
): ReadonlyMap<number, readonly InitialSlot[]> {
  const slots = new Map<number, InitialSlot[]>();
  for (const section of sections) {
    const [, owner, index] = /^(\d+|0x[0-9a-f]+)\/(\d+|0x[0-9a-f]+)$/i.exec(section.name) ?? [];
    if (!section.executable || owner === undefined) continue;
    const program = symbols.of(section.index).find(({ type }) => type === SymbolType.Function);
    if (!program) continue;
    const own = slots.get(Number(owner)) ?? [];
    own.push({ index: Number(index), target: program.name });
    slots.set(Number(owner), own);
  }
  return slots;
}

function broken({ name: section }: { name: string }, map: string, why: string): ObjectError {
  return new ObjectError('OBJECT_INVALID', `Cannot read map ${map}: ${why}`, { section });
}
