import type { BtfMember } from '../type.ts';
import { elementOffset, isFlexibleArray, MAX_INDEXES } from './access-spec.ts';
import type { Accessor, AccessSpec } from './access-spec.ts';
import { fieldsAreCompatible, typesAreCompatible } from './compatible.ts';
import type { TypeReference } from './decoded-types.ts';
import { essentialName } from './essential-name.ts';
import { familyOf } from './kind.ts';
import { typesMatch } from './match-type.ts';
import { StepLimit } from './step-limit.ts';

/**
 * Finds in a type of the target what a spec means in the program's types: fields by name, wherever they have moved
 * to; elements by index, as far as the target's array reaches. Undefined where the target lacks any of it.
 */
export function matchSpec(local: AccessSpec, target: TypeReference): AccessSpec | undefined {
  switch (familyOf(local.kind)) {
    case 'type':
      return matchType(local, target);
    case 'enumerator':
      return matchEnumerator(local, target);
    case 'field':
      return new FieldMatch(local, target).find();
  }
}

function matchType(local: AccessSpec, target: TypeReference): AccessSpec | undefined {
  const root = { types: local.types, id: local.rootTypeId };
  const matches = local.kind === 'type_matches' ? typesMatch : typesAreCompatible;
  if (!matches(root, target)) return undefined;
  return { ...local, types: target.types, rootTypeId: target.id };
}

function matchEnumerator(local: AccessSpec, { types, id }: TypeReference): AccessSpec | undefined {
  const { id: typeId, type } = types.resolve(id);
  if (type.kind !== 'enum' && type.kind !== 'enum64') return undefined;
  const wanted = essentialName(local.accessors[0]?.name ?? '');
  const index = type.values.findIndex(({ name }) => essentialName(name) === wanted);
  const name = type.values[index]?.name;
  if (name === undefined) return undefined;
  const accessors = [{ typeId, index, name }];
  return { types, kind: local.kind, rootTypeId: id, accessors, indexes: [index], bitOffset: 0 };
}

/** A member found by name, possibly inside anonymous structs and unions. */
interface FoundMember {
  readonly owner: number;
  readonly member: BtfMember;
  /** The last is the member's own; those before lead through anonymous ones. */
  readonly indexes: readonly number[];
  readonly bitOffset: number;
}

const encoder = new TextEncoder();

class FieldMatch {
  readonly #local: AccessSpec;
  readonly #target: TypeReference;
  readonly #limit = new StepLimit('search the fields of a type');
  readonly #accessors: Accessor[] = [];
  readonly #indexes: number[] = [];
  #bitOffset = 0;

  constructor(local: AccessSpec, target: TypeReference) {
    this.#local = local;
    this.#target = target;
  }

  find(): AccessSpec | undefined {
    const { types, id: rootTypeId } = this.#target;
    let id: number | undefined = rootTypeId;
    for (const [level, accessor] of this.#local.accessors.entries()) {
      id = accessor.name === undefined ? this.#element(id, accessor, level) : this.#field(id, accessor);
      if (id === undefined) return undefined;
      if (this.#indexes.length > MAX_INDEXES) throw this.#limit.tooDeep();
    }
    return {
      types,
      kind: this.#local.kind,
      rootTypeId,
      accessors: this.#accessors,
      indexes: this.#indexes,
      bitOffset: this.#bitOffset,
    };
  }

  /** The type of the element. On the first level the type is already that of the element. */
  #element(id: number, { index }: Accessor, level: number): number | undefined {
    const { types } = this.#target;
    let typeId = types.resolveId(id);
    if (level > 0) {
      const array = types.btf.kindOf(typeId) === 'array' ? types.type(typeId) : undefined;
      if (array?.kind !== 'array') return undefined;
      const flexible = isFlexibleArray(types, array, this.#accessors.at(-1));
      if (index >= array.length && !flexible) return undefined;
      typeId = types.resolveId(array.elementTypeId);
    }
    this.#accessors.push({ typeId, index, name: undefined });
    this.#indexes.push(index);
    this.#bitOffset += elementOffset(types, typeId, index);
    return typeId;
  }

  /** The type of the field. */
  #field(id: number, accessor: Accessor): number | undefined {
    const { types } = this.#target;
    const found = this.#search(id, encoder.encode(`${accessor.name ?? ''}\0`), []);
    if (found === undefined) return undefined;
    const localType = { types: this.#local.types, id: this.#typeOf(accessor) };
    if (!fieldsAreCompatible(localType, { types, id: found.member.typeId })) return undefined;
    const index = found.indexes.at(-1) ?? 0;
    this.#accessors.push({ typeId: found.owner, index, name: found.member.name });
    this.#indexes.push(...found.indexes);
    this.#bitOffset += found.bitOffset;
    return found.member.typeId;
  }

  /** `name` ends in its NUL. */
  #search(id: number, name: Uint8Array, outer: readonly number[]): FoundMember | undefined {
    const { types } = this.#target;
    const owner = types.resolveId(id);
    const members = types.members(owner);
    if (members === undefined) return undefined;
    if (outer.length > MAX_INDEXES) throw this.#limit.tooDeep();
    for (let from = 0; ;) {
      const next = members.next(name, from);
      this.#limit.step((next?.index ?? members.count - 1) + 1 - from);
      if (next === undefined) return undefined;
      from = next.index + 1;
      const member = members.at(next.index);
      if (member === undefined) continue;
      const indexes = [...outer, next.index];
      if (next.isNamed) return { owner, member, indexes, bitOffset: member.bitOffset };
      const inner = this.#search(member.typeId, name, indexes);
      if (inner) return { ...inner, bitOffset: inner.bitOffset + member.bitOffset };
    }
  }

  #typeOf({ typeId, index }: Accessor): number {
    return this.#local.types.members(typeId)?.at(index)?.typeId ?? 0;
  }
}
