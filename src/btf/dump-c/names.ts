import type { Btf } from '../btf.ts';

/**
 * Names that C can tell apart. BTF may have several types of one name, of different source files; all but the first
 * get a flavour, `foo___2`, which CO-RE takes for the same type.
 */
export class UniqueNames {
  readonly #btf: Btf;
  /** How often a name was given out, apart for tags and for ordinary identifiers, as C keeps them apart. */
  readonly #tags = new Map<string, number>();
  readonly #identifiers = new Map<string, number>();
  /** By id. */
  readonly #ofTypes: string[] = [];
  #enumerators = 0;

  constructor(btf: Btf) {
    this.#btf = btf;
  }

  /** How many names of enumerators were given out. */
  get enumerators(): number {
    return this.#enumerators;
  }

  /** Of a struct, union or enum. */
  tag(id: number): string {
    return this.#ofType(id, this.#tags);
  }

  typedef(id: number): string {
    return this.#ofType(id, this.#identifiers);
  }

  /** A new name at each call: the enumerators of an anonymous enum repeat wherever it does. */
  enumerator(name: string): string {
    this.#enumerators++;
    return unique(name, this.#identifiers);
  }

  #ofType(id: number, given: Map<string, number>): string {
    let name = this.#ofTypes[id];
    if (name === undefined) {
      name = unique(this.#btf.nameOf(id), given);
      this.#ofTypes[id] = name;
    }
    return name;
  }
}

function unique(name: string, given: Map<string, number>): string {
  const count = (given.get(name) ?? 0) + 1;
  given.set(name, count);
  return count === 1 ? name : `${name}___${String(count)}`;
}
