import type { BtfKind } from '../kind.ts';
import type { BtfType } from '../type.ts';
import { kindsAreCompatible } from './candidates.ts';
import { isComposite, type TypeReference } from './decoded-types.ts';
import { essentialName } from './essential-name.ts';
import { StepLimit } from './step-limit.ts';

/** As deep as libbpf follows pointers, and as deep as it lets prototypes nest. */
const MAX_DEPTH = 32;

/**
 * Whether a type of the target may be what one of the program means, for relocations of whole types: of the same
 * shape as far as pointers, arrays and prototypes go, and of the same kind where these end. Names and members do not
 * count. The rules are libbpf's (bpf_core_types_are_compat).
 */
export function typesAreCompatible(local: TypeReference, target: TypeReference): boolean {
  if (!kindsAreCompatible(local.types.btf.kindOf(local.id), target.types.btf.kindOf(target.id))) return false;
  return shapesAreEqual(local, target, { limit: new StepLimit('compare types'), level: MAX_DEPTH });
}

interface Comparison {
  readonly limit: StepLimit;
  /** How much deeper prototypes may still nest. */
  readonly level: number;
}

function shapesAreEqual(local: TypeReference, target: TypeReference, comparison: Comparison): boolean {
  const { limit, level } = comparison;
  for (let depth = 0; depth < MAX_DEPTH; depth++) {
    limit.step();
    const [localId, targetId] = [local.types.resolveId(local.id), target.types.resolveId(target.id)];
    const kind = local.types.btf.kindOf(localId);
    if (!kindsAreCompatible(kind, target.types.btf.kindOf(targetId))) return false;
    if (NAMED_KINDS.has(kind)) return true;
    const [ours, theirs] = [local.types.type(localId), target.types.type(targetId)];
    if (ours.kind === 'function_proto' && theirs.kind === 'function_proto') {
      if (ours.parameters.length !== theirs.parameters.length || ours.variadic !== theirs.variadic)
        return false;
      const parametersAreEqual = ours.parameters.every((parameter, index) => {
        if (level <= 0) throw limit.tooDeep();
        const other = theirs.parameters[index]?.typeId ?? 0;
        const [from, to] = [at(local, parameter.typeId), at(target, other)];
        return shapesAreEqual(from, to, { limit, level: level - 1 });
      });
      if (!parametersAreEqual) return false;
    }
    const next = [followed(ours), followed(theirs)];
    if (next[0] === undefined || next[1] === undefined) return isWholeInteger(ours) && isWholeInteger(theirs);
    [local, target] = [at(local, next[0]), at(target, next[1])];
  }
  throw limit.tooDeep();
}

/** What a type consists of when it has one part that counts: what it points to, its elements, what it returns. */
function followed(type: BtfType): number | undefined {
  if (type.kind === 'pointer') return type.typeId;
  if (type.kind === 'array') return type.elementTypeId;
  return type.kind === 'function_proto' ? type.returnTypeId : undefined;
}

/** What may end a chain of pointers, and of which nothing but the kind counts. */
const NAMED_KINDS: ReadonlySet<BtfKind> = new Set(['void', 'struct', 'union', 'enum', 'enum64', 'forward']);

/**
 * Whether a field of the target may be what one of the program means: integers of any size and sign, any two
 * pointers, any two structs or unions, arrays by their elements, enums and forward declarations by name. The rules
 * are libbpf's (bpf_core_fields_are_compat).
 */
export function fieldsAreCompatible(local: TypeReference, target: TypeReference): boolean {
  for (let depth = 0; ; depth++) {
    const [localId, targetId] = [local.types.resolveId(local.id), target.types.resolveId(target.id)];
    const kinds = [local.types.btf.kindOf(localId), target.types.btf.kindOf(targetId)] as const;
    if (isComposite(kinds[0]) && isComposite(kinds[1])) return true;
    if (!kindsAreCompatible(...kinds)) return false;
    const [ours, theirs] = [local.types.type(localId), target.types.type(targetId)];
    if (ours.kind !== 'array' || theirs.kind !== 'array') return endsAreCompatible(ours, theirs);
    if (depth > MAX_DEPTH) throw new StepLimit('compare fields').tooDeep();
    [local, target] = [at(local, ours.elementTypeId), at(target, theirs.elementTypeId)];
  }
}

/** Of fields that are of the same kind, and neither structs nor arrays. */
function endsAreCompatible(ours: BtfType, theirs: BtfType): boolean {
  switch (ours.kind) {
    case 'pointer':
    case 'float':
      return true;
    case 'int':
      return isWholeInteger(ours) && isWholeInteger(theirs);
    case 'forward':
    case 'enum':
    case 'enum64': {
      const [one, other] = [essentialName(ours.name), 'name' in theirs ? essentialName(theirs.name) : ''];
      return one === '' || other === '' || one === other;
    }
    default:
      return false;
  }
}

/** Not a bitfield in the style of before BTF's `kind_flag`. */
function isWholeInteger(type: BtfType): boolean {
  return type.kind === 'int' && type.offset === 0;
}

function at({ types }: TypeReference, id: number): TypeReference {
  return { types, id };
}
