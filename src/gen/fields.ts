import { resolveType, type Btf, type BtfMember } from '../btf/index.ts';

export interface FoundField {
  /** With its bit offset in the outermost struct. */
  readonly member: BtfMember;
  /** The struct or union that declares it, and its place there: what decl tags refer to. */
  readonly of: number;
  readonly index: number;
}

/** The fields of a struct as `fieldsOf()` lists them, each with where it is declared. */
export function listFields(btf: Btf, id: number, base = 0): FoundField[] {
  const type = btf.type(id);
  if (type.kind !== 'struct' && type.kind !== 'union') return [];
  return type.members.flatMap((member, index): FoundField[] => {
    const bitOffset = base + member.bitOffset;
    if (member.name !== '') return [{ member: { ...member, bitOffset }, of: id, index }];
    return member.bitSize === 0 ? listFields(btf, resolveType(btf, member.typeId), bitOffset) : [];
  });
}
