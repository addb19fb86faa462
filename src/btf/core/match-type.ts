import type { BtfComposite, BtfEnum, BtfEnum64, BtfFunctionProto, BtfMember, BtfType } from '../type.ts';
import type { TypeReference } from './decoded-types.ts';
import { essentialName } from './essential-name.ts';
import { StepLimit } from './step-limit.ts';

const MAX_DEPTH = 32;

/**
 * Whether a type of the target has all that the program's has, the answer of `bpf_core_type_matches()`: every member
 * by name and type, enumerators by name, integers and arrays of the same size. Behind a pointer the name and kind of
 * a struct are enough, and a forward declaration does. The rules are libbpf's (bpf_core_types_match).
 */
export function typesMatch(local: TypeReference, target: TypeReference): boolean {
  const limit = new StepLimit('match types');
  return new TypeMatch(local, target, limit).matches({ behindPointer: false, level: MAX_DEPTH });
}

interface Position {
  readonly behindPointer: boolean;
  /** How much deeper structs and prototypes may still nest. */
  readonly level: number;
}

class TypeMatch {
  readonly #local: TypeReference;
  readonly #target: TypeReference;
  readonly #limit: StepLimit;

  constructor(local: TypeReference, target: TypeReference, limit: StepLimit) {
    this.#local = local;
    this.#target = target;
    this.#limit = limit;
  }

  matches({ behindPointer, level }: Position): boolean {
    if (level <= 0) throw this.#limit.tooDeep();
    let [localId, targetId] = [this.#local.id, this.#target.id];
    for (let depth = 0; depth < MAX_DEPTH; depth++) {
      this.#limit.step();
      const ours = this.#local.types.resolve(localId).type;
      const theirs = this.#target.types.resolve(targetId).type;
      if (!namesMatch(nameOf(ours), nameOf(theirs))) return false;
      if (ours.kind === 'pointer') {
        if (theirs.kind !== 'pointer') return false;
        behindPointer = true;
        [localId, targetId] = [ours.typeId, theirs.typeId];
      } else if (ours.kind === 'array') {
        if (theirs.kind !== 'array' || ours.length !== theirs.length) return false;
        [localId, targetId] = [ours.elementTypeId, theirs.elementTypeId];
      } else if (ours.kind === 'function_proto') {
        if (theirs.kind !== 'function_proto') return false;
        if (!this.#parametersMatch(ours, theirs, { behindPointer, level })) return false;
        [localId, targetId] = [ours.returnTypeId, theirs.returnTypeId];
      } else {
        return this.#endsMatch(ours, theirs, { behindPointer, level });
      }
    }
    throw this.#limit.tooDeep();
  }

  #endsMatch(ours: BtfType, theirs: BtfType, position: Position): boolean {
    switch (ours.kind) {
      case 'void':
        return theirs.kind === 'void';
      case 'int':
        return theirs.kind === 'int' && ours.size === theirs.size && ours.signed === theirs.signed;
      case 'enum':
      case 'enum64':
        return (theirs.kind === 'enum' || theirs.kind === 'enum64') && enumsMatch(ours, theirs);
      case 'forward':
        if (theirs.kind === 'forward') return theirs.of === ours.of;
        return position.behindPointer && theirs.kind === ours.of;
      case 'struct':
      case 'union':
        if (position.behindPointer)
          return ours.kind === theirs.kind || (theirs.kind === 'forward' && theirs.of === ours.kind);
        return ours.kind === theirs.kind && this.#membersMatch(ours, theirs, position);
      default:
        return false;
    }
  }

  #membersMatch(ours: BtfComposite, theirs: BtfComposite, position: Position): boolean {
    if (ours.members.length > theirs.members.length) return false;
    const byName = new Map<string, BtfMember[]>();
    for (const member of theirs.members) {
      const name = essentialName(member.name);
      const known = byName.get(name);
      if (known === undefined) byName.set(name, [member]);
      else known.push(member);
    }
    return ours.members.every((member) =>
      byName
        .get(essentialName(member.name))
        ?.some((other) => this.#match(member.typeId, other.typeId, position)),
    );
  }

  #parametersMatch(ours: BtfFunctionProto, theirs: BtfFunctionProto, position: Position): boolean {
    if (ours.parameters.length !== theirs.parameters.length || ours.variadic !== theirs.variadic)
      return false;
    return ours.parameters.every((parameter, index) =>
      this.#match(parameter.typeId, theirs.parameters[index]?.typeId ?? 0, position),
    );
  }

  #match(localId: number, targetId: number, { behindPointer, level }: Position): boolean {
    const [local, target] = [
      { types: this.#local.types, id: localId },
      { types: this.#target.types, id: targetId },
    ];
    return new TypeMatch(local, target, this.#limit).matches({ behindPointer, level: level - 1 });
  }
}

function enumsMatch(ours: BtfEnum | BtfEnum64, theirs: BtfEnum | BtfEnum64): boolean {
  if (ours.size !== theirs.size || ours.values.length > theirs.values.length) return false;
  const names = new Set(theirs.values.map(({ name }) => essentialName(name)));
  return ours.values.every(({ name }) => names.has(essentialName(name)));
}

function namesMatch(ours: string, theirs: string): boolean {
  return essentialName(ours) === essentialName(theirs);
}

function nameOf(type: BtfType): string {
  return 'name' in type ? type.name : '';
}
