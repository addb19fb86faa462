import { BtfError } from '../errors.ts';
import type { Btf } from './btf.ts';
import type { BtfComposite } from './type.ts';

/** `MAX_RESOLVE_DEPTH` of kernel/bpf/btf.c: nothing that the kernel accepts nests deeper. */
const MAX_DEPTH = 32;
/** The program runs on a 64-bit machine whatever this process runs on. */
const POINTER_SIZE = 8;

/** The id behind typedefs, const, volatile, restrict and type tags. Throws {@link BtfError} where they form a loop. */
export function resolveType(btf: Btf, id: number): number {
  let current = id;
  for (let depth = 0; depth <= MAX_DEPTH; depth++) {
    switch (btf.kindOf(current)) {
      case 'typedef':
      case 'const':
      case 'volatile':
      case 'restrict':
      case 'type_tag':
        current = btf.sizeOrTypeId(current);
        break;
      default:
        return current;
    }
  }
  throw tooDeep(id);
}

/** The size of a type in bytes, as C's sizeof. Throws {@link BtfError} for a type that has none. */
export function sizeOf(btf: Btf, id: number): number {
  let count = 1;
  let current = resolveType(btf, id);
  for (let depth = 0; depth <= MAX_DEPTH; depth++) {
    const type = btf.kindOf(current);
    switch (type) {
      case 'int':
      case 'struct':
      case 'union':
      case 'enum':
      case 'enum64':
      case 'float':
      case 'datasec':
        return checkedSize(id, count * btf.sizeOrTypeId(current));
      case 'pointer':
        return checkedSize(id, count * POINTER_SIZE);
      case 'variable':
        current = resolveType(btf, btf.sizeOrTypeId(current));
        break;
      case 'array': {
        const array = btf.type(current);
        if (array.kind !== 'array') throw tooDeep(id);
        count *= array.length;
        current = resolveType(btf, array.elementTypeId);
        break;
      }
      default:
        throw new BtfError(`Cannot tell the size of BTF type ${String(id)}: a ${type} has none`, {
          typeId: id,
        });
    }
  }
  throw tooDeep(id);
}

/** The alignments that were asked for, by type id: variables by the thousand may have types that are made of the same. */
const alignments = new WeakMap<Btf, Map<number, number>>();

/** The alignment of a type in bytes, as C's _Alignof on a 64-bit machine. */
export function alignmentOf(btf: Btf, id: number): number {
  const known = alignments.get(btf) ?? new Map<number, number>();
  alignments.set(btf, known);
  return alignment(btf, id, { known, depth: 0 });
}

interface AlignmentSearch {
  /** By type id. Structs that each contain the next one twice would multiply otherwise. */
  readonly known: Map<number, number>;
  readonly depth: number;
}

function alignment(btf: Btf, id: number, { known, depth }: AlignmentSearch): number {
  if (depth > MAX_DEPTH) throw tooDeep(id);
  const resolved = resolveType(btf, id);
  const found = known.get(resolved) ?? alignmentOfResolved(btf, resolved, { known, depth: depth + 1 });
  known.set(resolved, found);
  return found;
}

function alignmentOfResolved(btf: Btf, id: number, search: AlignmentSearch): number {
  const type = btf.type(id);
  switch (type.kind) {
    case 'int':
    case 'enum':
    case 'enum64':
    case 'float':
      return type.size;
    case 'pointer':
      return POINTER_SIZE;
    case 'array':
      return alignment(btf, type.elementTypeId, search);
    case 'variable':
      return alignment(btf, type.typeId, search);
    case 'struct':
    case 'union': {
      const ofMembers = type.members.map((member) => alignment(btf, member.typeId, search));
      return isPacked(type, ofMembers) ? 1 : ofMembers.reduce((most, one) => Math.max(most, one), 1);
    }
    default:
      throw new BtfError(`Cannot tell the alignment of BTF type ${String(id)}: a ${type.kind} has none`, {
        typeId: id,
      });
  }
}

/** BTF does not say so: a size or an offset that natural alignment rules out does. */
function isPacked({ size, members }: BtfComposite, alignments: readonly number[]): boolean {
  return alignments.some((natural, index) => {
    const member = members[index];
    return size % natural !== 0 || (member?.bitSize === 0 && member.bitOffset % (natural * 8) !== 0);
  });
}

function checkedSize(id: number, size: number): number {
  // The kernel computes array sizes in 32 bits and refuses what does not fit.
  if (size <= 0xffffffff) return size;
  throw new BtfError(`Cannot tell the size of BTF type ${String(id)}: it exceeds 4 GiB`, { typeId: id });
}

function tooDeep(id: number): BtfError {
  return new BtfError(
    `Cannot resolve BTF type ${String(id)}: it refers to itself, or through more than ${String(MAX_DEPTH)} types`,
    { typeId: id },
  );
}
