import { BtfError } from '../errors.ts';
import type { Btf } from './btf.ts';
import { resolveType } from './resolve.ts';
import type { BtfComposite, BtfMember } from './type.ts';

/** More fields than any struct has, where types that contain each other twice would multiply without end. */
const MAX_FIELDS = 1 << 16;
const MAX_DEPTH = 32;

/** The members of a struct or union, with those of its anonymous members in their place, as C lets one name them. */
export function fieldsOf(btf: Btf, id: number): BtfMember[] {
  const fields: BtfMember[] = [];
  collect(btf, id, { fields, base: 0, depth: 0 });
  return fields;
}

interface Collection {
  readonly fields: BtfMember[];
  /** The bit at which the struct lies in the outermost one. */
  readonly base: number;
  readonly depth: number;
}

function collect(btf: Btf, id: number, { fields, base, depth }: Collection): void {
  if (depth > MAX_DEPTH || fields.length > MAX_FIELDS) {
    throw new BtfError(`Cannot list the fields of BTF type ${String(id)}: it contains itself, or too many`, {
      typeId: id,
    });
  }
  for (const member of composite(btf, id).members) {
    const bitOffset = base + member.bitOffset;
    if (member.name !== '') fields.push({ ...member, bitOffset });
    else if (member.bitSize === 0) {
      const inner = resolveType(btf, member.typeId);
      const kind = btf.kindOf(inner);
      // Anything else without a name is padding, which C does not let one name.
      if (kind === 'struct' || kind === 'union')
        collect(btf, inner, { fields, base: bitOffset, depth: depth + 1 });
    }
  }
}

function composite(btf: Btf, id: number): BtfComposite {
  const type = btf.type(id);
  if (type.kind === 'struct' || type.kind === 'union') return type;
  throw new BtfError(`Cannot list the fields of BTF type ${String(id)}: it is a ${type.kind}`, {
    typeId: id,
  });
}
