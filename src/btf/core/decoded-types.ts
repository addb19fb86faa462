import type { Btf } from '../btf.ts';
import type { Members } from '../decode.ts';
import type { BtfKind } from '../kind.ts';
import { resolveType } from '../resolve.ts';
import type { BtfType } from '../type.ts';

/**
 * The types of a BTF that relocations have looked at, decoded once. Of structs only the members that they name are: those
 * of the kernel have hundreds.
 */
export class DecodedTypes {
  readonly btf: Btf;
  readonly #types = new Map<number, BtfType>();
  readonly #members = new Map<number, Members>();

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

  /** Of a struct or union; undefined for any other type. Throws as {@link type}. */
  members(id: number): Members | undefined {
    let members = this.#members.get(id);
    if (members === undefined && isComposite(this.btf.kindOf(id))) {
      members = this.btf.membersOf(id);
      this.#members.set(id, members);
    }
    return members;
  }

  /** The id behind typedefs, qualifiers and tags. */
  resolveId(id: number): number {
    return resolveType(this.btf, id);
  }

  /** The type behind typedefs, qualifiers and tags. */
  resolve(id: number): ResolvedType {
    const resolved = resolveType(this.btf, id);
    return { id: resolved, type: this.type(resolved) };
  }
}

export function isComposite(kind: BtfKind): kind is 'struct' | 'union' {
  return kind === 'struct' || kind === 'union';
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
