import { ObjectError } from '../errors.ts';
import { alignUp } from '../binary/index.ts';
import { alignmentOf, sizeOf, type Btf } from '../btf/index.ts';
import { BPF_F_MMAPABLE, BPF_F_RDONLY_PROG, BPF_MAP_TYPE_ARRAY } from '../uapi/index.ts';
import { emptyMapSpec, type MapSpec } from './map-spec.ts';
import { SymbolBinding, SymbolType, UNDEFINED_SECTION, type ElfSymbol } from './symbols.ts';

/** Something that the object refers to and does not define: a kfunc, a kernel symbol, a kernel setting. */
export interface ExternSpec {
  readonly name: string;
  /** Resolves to zero where the kernel lacks it, instead of failing. */
  readonly weak: boolean;
  /** The BTF id of its VAR or FUNC; undefined where BTF does not describe it. */
  readonly typeId: number | undefined;
  /** `.ksyms` or `.kconfig`. */
  readonly section: string | undefined;
  /** Where an extern of `.kconfig` lies in the map that holds them all; undefined for any other. */
  readonly place: ExternPlace | undefined;
}

/** In bytes. */
export interface ExternPlace {
  readonly offset: number;
  readonly size: number;
}

/** The section of kernel settings, and the name of the map that holds them. */
export const KERNEL_CONFIG_SECTION = '.kconfig';

/** No setting is a fraction of this; a size that BTF makes up must not be allocated. */
const LARGEST_CONFIG = 1 << 20;

/** Undefined symbols, by name. */
export function readExterns(symbols: readonly ElfSymbol[], btf: Btf | undefined): Map<string, ExternSpec> {
  const externs = new Map<string, ExternSpec>();
  const sections = btf ? sectionsOfVariables(btf) : new Map<number, string>();
  for (const symbol of symbols) {
    if (symbol.section !== UNDEFINED_SECTION || symbol.name === '' || symbol.type === SymbolType.Section)
      continue;
    const typeId = btf?.find(symbol.name, 'function') ?? btf?.find(symbol.name, 'variable');
    externs.set(symbol.name, {
      name: symbol.name,
      weak: symbol.binding === SymbolBinding.Weak,
      typeId,
      section: typeId === undefined ? undefined : sections.get(typeId),
      place: undefined,
    });
  }
  return btf ? placeSettings(externs, btf) : externs;
}

function sectionsOfVariables(btf: Btf): Map<number, string> {
  const sections = new Map<number, string>();
  for (const name of ['.ksyms', KERNEL_CONFIG_SECTION]) {
    const id = btf.find(name, 'datasec');
    const datasec = id === undefined ? undefined : btf.type(id);
    if (datasec?.kind !== 'datasec') continue;
    for (const { typeId } of datasec.variables) sections.set(typeId, name);
  }
  return sections;
}

/** In the order of libbpf's cmp_externs(): the strictest alignment first, then the smallest, then by name. */
function placeSettings(externs: Map<string, ExternSpec>, btf: Btf): Map<string, ExternSpec> {
  const settings = [...externs.values()]
    .filter(({ section }) => section === KERNEL_CONFIG_SECTION)
    .map((extern) => {
      const size = sizeOf(btf, extern.typeId ?? 0);
      if (size === 0) throw broken(extern.name, 'its type has no size');
      return { extern, size, alignment: alignmentOf(btf, extern.typeId ?? 0) };
    })
    .sort(
      (a, b) => b.alignment - a.alignment || a.size - b.size || compareBytes(a.extern.name, b.extern.name),
    );
  let end = 0;
  for (const { extern, size, alignment } of settings) {
    const offset = alignUp(end, Math.max(1, alignment));
    end = offset + size;
    if (end > LARGEST_CONFIG)
      throw broken(extern.name, `the settings exceed ${LARGEST_CONFIG} bytes with it`);
    externs.set(extern.name, { ...extern, place: { offset, size } });
  }
  return externs;
}

function compareBytes(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

/** The map that holds the kernel settings of an object, which are known when it is loaded; undefined without any. */
export function kernelConfigMap(
  externs: ReadonlyMap<string, ExternSpec>,
  btf: Btf | undefined,
): MapSpec | undefined {
  const ends = [...externs.values()].flatMap(({ place }) => (place ? [place.offset + place.size] : []));
  if (ends.length === 0) return undefined;
  const name = KERNEL_CONFIG_SECTION;
  return {
    ...emptyMapSpec(name, { kind: 'data', sectionIndex: -1, offset: 0, section: name }),
    type: BPF_MAP_TYPE_ARRAY,
    keySize: 4,
    valueSize: ends.reduce((last, end) => Math.max(last, end), 0),
    maxEntries: 1,
    flags: BPF_F_MMAPABLE | BPF_F_RDONLY_PROG,
    valueTypeId: btf?.find(name, 'datasec') ?? 0,
    freeze: true,
  };
}

function broken(name: string, why: string): ObjectError {
  return new ObjectError('OBJECT_INVALID', `Cannot read extern ${name}: ${why}`, {
    section: KERNEL_CONFIG_SECTION,
  });
}
