import { BtfError } from '../errors.ts';
import type { Btf } from './btf.ts';
import type { BtfType } from './type.ts';

/** Where the types of a distilled base are in another. */
export interface BaseMatches {
  /** By id in the distilled base. */
  readonly ids: Uint32Array;
  /** Offsets of names. */
  readonly strings: ReadonlyMap<number, number>;
}

type Distilled = Extract<BtfType, { kind: 'int' | 'float' | 'enum' | 'struct' | 'union' | 'forward' }>;

/** @throws BtfError naming the type that `base` lacks, or has several of */
export function matchDistilledBase(
  split: Btf,
  { distilled, base }: { distilled: Btf; base: Btf },
): BaseMatches {
  const embedded = embeddedTypes(split);
  const ids = new Uint32Array(distilled.typeCount);
  const strings = new Map<number, number>();
  for (const id of distilled.ids()) {
    const type = distilledType(distilled, id);
    const found = candidates(base, type, { sized: embedded.has(id) });
    const [match, other] = found;
    if (match === undefined) throw refuse(type, id, 'the kernel has none that fits');
    if (other !== undefined)
      throw refuse(type, id, `the kernel has several that fit: types ${found.join(', ')}`);
    ids[id] = match;
    strings.set(distilled.nameOffsetOf(id), base.nameOffsetOf(match));
  }
  return { ids, strings };
}

/** Named ints, floats, enums, structs, unions and declarations of these; structs and unions without members. */
function distilledType(distilled: Btf, id: number): Distilled {
  const type = distilled.type(id);
  switch (type.kind) {
    case 'int':
    case 'float':
    case 'enum':
    case 'struct':
    case 'union':
    case 'forward':
      if (type.name !== '') return type;
      throw new BtfError(`Cannot relocate BTF: type ${id} of its base is anonymous`, { typeId: id });
    default:
      throw new BtfError(`Cannot relocate BTF: type ${id} of its base is a ${type.kind}, which none can be`, {
        typeId: id,
      });
  }
}

/**
 * Types that can stand for one. A struct needs the same size where the module has it within its own, or where the kernel has
 * several of the name: btf_relocate_map_distilled_base() of kernel/bpf/btf_relocate.c.
 */
function candidates(base: Btf, type: Distilled, { sized }: { sized: boolean }): number[] {
  const named = base.findAll(type.name);
  const composites = named.filter((id) => ['struct', 'union'].includes(base.kindOf(id)));
  return named.filter((id) => {
    const candidate = base.type(id);
    switch (type.kind) {
      case 'int':
        return candidate.kind === 'int' && isSameInt(candidate, type);
      case 'float':
        return candidate.kind === 'float' && candidate.size === type.size;
      case 'enum':
        // Enums of 64 bits are distilled to others of that size.
        return (candidate.kind === 'enum' || candidate.kind === 'enum64') && candidate.size === type.size;
      case 'forward':
        return candidate.kind === 'forward' ? candidate.of === type.of : candidate.kind === type.of;
      default:
        if (candidate.kind !== type.kind) return false;
        return (!sized && composites.length === 1) || candidate.size === type.size;
    }
  });
}

type Int = Extract<BtfType, { kind: 'int' }>;

function isSameInt(one: Int, other: Int): boolean {
  const { size, signed, char, bool } = one;
  return size === other.size && signed === other.signed && char === other.char && bool === other.bool;
}

/** Types of the base that structs and unions of the split BTF hold themselves, not by a pointer. */
function embeddedTypes(split: Btf): Set<number> {
  const embedded = new Set<number>();
  for (let id = split.firstId; id < split.typeCount; id++) {
    const type = split.type(id);
    if (type.kind !== 'struct' && type.kind !== 'union') continue;
    for (const { typeId } of type.members) {
      const held = heldBy(split, typeId);
      if (held < split.firstId) embedded.add(held);
    }
  }
  return embedded;
}

/** Through everything that takes no pointer to follow. */
function heldBy(btf: Btf, typeId: number): number {
  let id = typeId;
  for (let depth = 0; depth < btf.typeCount; depth++) {
    const type = btf.type(id);
    switch (type.kind) {
      case 'const':
      case 'volatile':
      case 'restrict':
      case 'typedef':
      case 'type_tag':
        id = type.typeId;
        break;
      case 'array':
        id = type.elementTypeId;
        break;
      default:
        return id;
    }
  }
  throw new BtfError(`Cannot relocate BTF: type ${typeId} is made of itself`, { typeId });
}

function refuse({ kind, name }: Distilled, id: number, why: string): BtfError {
  const what = kind === 'forward' ? name : `${kind} ${name}`;
  return new BtfError(`Cannot relocate BTF to the kernel's: ${what} of its base: ${why}`, { typeId: id });
}
