import { BtfError } from '../errors.ts';
import type { Btf } from './btf.ts';
import { resolveType } from './resolve.ts';
import type { BtfMember } from './type.ts';

/** More members than any struct has: structs that each contain the next one twice would multiply without end. */
const MAX_MEMBERS = 1 << 16;
const MAX_DEPTH = 32;

/** The members of a struct or union, with those of its anonymous members in their place, as C lets one name them. */
export function fieldsOf(btf: Btf, id: number): BtfMember[] {
  const collector = new FieldCollector(btf, id);
  collector.collect(id, { base: 0, depth: 0 });
  return collector.fields;
}

class FieldCollector {
  readonly fields: BtfMember[] = [];
  readonly #btf: Btf;
  readonly #outermost: number;
  #visited = 0;

  constructor(btf: Btf, outermost: number) {
    this.#btf = btf;
    this.#outermost = outermost;
  }

  /** `base` is the bit at which the struct lies in the outermost one. */
  collect(id: number, { base, depth }: { base: number; depth: number }): void {
    if (depth > MAX_DEPTH) throw this.#error('it contains itself, or is nested too deeply');
    const type = this.#btf.type(id);
    if (type.kind !== 'struct' && type.kind !== 'union') throw this.#error(`it is a ${type.kind}`);
    for (const member of type.members) {
      if (++this.#visited > MAX_MEMBERS) throw this.#error(`it has more than ${String(MAX_MEMBERS)}`);
      const bitOffset = base + member.bitOffset;
      if (member.name !== '') this.fields.push({ ...member, bitOffset });
      else if (member.bitSize === 0) {
        const inner = resolveType(this.#btf, member.typeId);
        const kind = this.#btf.kindOf(inner);
        // Anything else without a name is padding, which C does not let one name.
        if (kind === 'struct' || kind === 'union') this.collect(inner, { base: bitOffset, depth: depth + 1 });
      }
    }
  }

  #error(why: string): BtfError {
    const id = this.#outermost;
    return new BtfError(`Cannot list the fields of BTF type ${String(id)}: ${why}`, { typeId: id });
  }
}
