import type { Btf } from '../btf/index.ts';

/** The texts of `__attribute__((btf_decl_tag("…")))`, by what they stand at. */
export class DeclarationTags {
  readonly #tags = new Map<string, string[]>();

  readonly #btf: Btf;

  constructor(btf: Btf) {
    this.#btf = btf;
    for (const id of btf.ids()) {
      if (btf.kindOf(id) !== 'decl_tag') continue;
      const tag = btf.type(id);
      if (tag.kind !== 'decl_tag' || tag.attribute) continue;
      const key = `${String(tag.typeId)}:${String(tag.componentIndex)}`;
      const others = this.#tags.get(key);
      if (others) others.push(tag.name);
      else this.#tags.set(key, [tag.name]);
    }
  }

  /** Those of a type or variable, or of one of its members. */
  of(typeId: number, member = -1): readonly string[] {
    return this.#tags.get(`${String(typeId)}:${String(member)}`) ?? [];
  }

  /** Those of a global variable, or of a map. */
  ofVariable(name: string): readonly string[] {
    return this.#btf.findAll(name, 'variable').flatMap((id) => this.of(id));
  }
}
