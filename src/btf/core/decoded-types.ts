import type { Btf } from '../btf.ts';
import { resolveType } from '../resolve.ts';
import type { BtfType } from '../type.ts';

/**
 * The types of a BTF that relocations have looked at, decoded once: hundreds of relocations search the same structs
 * member by member.
 */
export class DecodedTypes {
  readonly btf: Btf;
  readonly #types = new Map<number, BtfType>();

  constructor(btf: Btf) {
    this.btf = btf;
  }

  /** Throws {@link BtfError} for an id that is not there or a malformed type. */
  type(id: number): BtfType {
    let type = this.#types.get(id);
    if (type === undefined) {
      type = this.btf.type(id);
      this.#types.set(id, type);
    }
    return type;
  }

  /** The type behind typedefs, qualifiers and tags. */
  resolve(id: number): ResolvedType {
    const resolved = resolveType(this.btf, id);
    return { id: resolved, type: this.type(resolved) };
  }
}

export interface ResolvedType {
  readonly id: number;
  readonly type: BtfType;
}

/** A type and where its id leads. */
export interface TypeReference {
  readonly types: DecodedTypes;
  readonly id: number;
}
