import { BtfError } from '../../errors.ts';
import type { Btf } from '../btf.ts';
import type { CoreRelocation } from '../btf-ext.ts';
import type { BtfType } from '../type.ts';
import { parseAccessSpec } from './access-spec.ts';
import type { AccessSpec } from './access-spec.ts';
import { CandidateSearch } from './candidates.ts';
import type { CoreTargets } from './candidates.ts';
import { DecodedTypes } from './decoded-types.ts';
import type { TypeReference } from './decoded-types.ts';
import { formatSpec } from './format-spec.ts';
import { matchSpec } from './match-spec.ts';
import { valueOf, valueOfAbsence } from './value.ts';
import type { CoreValue, MemoryAccess } from './value.ts';

/** What becomes of a relocated instruction. */
export interface CoreResolution {
  /** The relocation as libbpf prints it: `<byte_off> [7] struct task_struct.pid (0:1 @ offset 4)`. */
  readonly spec: string;
  /** The type or field that was found: its place in the target, printed like `spec`. */
  readonly target: string | undefined;
  /** How many types of the target have the name, flavours aside. */
  readonly candidates: number;
  /** What the compiler must have put into the instruction; undefined where it may have done otherwise. */
  readonly expected: bigint | undefined;
  /** What the instruction gets; undefined where the target lacks it, so that the instruction must not be reached. */
  readonly value: bigint | undefined;
  /** How a load or store of the field changes, where its size does. */
  readonly resize: AccessChange | undefined;
}

/** How the access of an instruction changes with the kernel's type. */
export interface AccessChange {
  /** Bytes; 0 for a bitfield. */
  readonly from: number;
  readonly to: number;
  /** The same instruction with another width still moves the same value: pointers and unsigned integers. */
  readonly preservesValue: boolean;
}

interface Match {
  readonly candidate: TypeReference;
  readonly spec: AccessSpec;
  readonly value: CoreValue;
}

/**
 * Resolves the CO-RE relocations of one object against the types of a kernel.
 *
 * Relocations of the same type depend on each other in libbpf's way: once one of them has matched some of the
 * candidates, later ones look at those only. Resolve them in the order of the object.
 *
 * @example
 * const resolver = new CoreResolver(object.btf, { main: () => Btf.parse(readFileSync('/sys/kernel/btf/vmlinux')) });
 * const { value } = resolver.resolve(relocation);
 */
export class CoreResolver {
  readonly #local: DecodedTypes;
  readonly #search: CandidateSearch;
  /** By local type id. */
  readonly #candidates = new Map<number, readonly TypeReference[]>();
  /** An unrolled loop has the same relocation a thousand times. */
  readonly #resolved = new Map<string, CoreResolution | BtfError>();

  readonly #described = new Map<string, string>();

  constructor(local: Btf, targets: CoreTargets) {
    this.#local = new DecodedTypes(local);
    this.#search = new CandidateSearch(targets);
  }

  /**
   * @throws {BtfError} where the relocation makes no sense in the program's own types, or candidates disagree. What the
   * target merely lacks is no error: see `value`.
   */
  resolve(relocation: CoreRelocation): CoreResolution {
    const key = keyOf(relocation);
    let result = this.#resolved.get(key);
    if (result === undefined) {
      result = this.#attempt(parseAccessSpec(this.#local, relocation));
      this.#resolved.set(key, result);
    }
    if (result instanceof BtfError) throw result;
    return result;
  }

  /** The relocation as libbpf prints it. Throws {@link BtfError} where it makes no sense. */
  describe(relocation: CoreRelocation): string {
    const key = keyOf(relocation);
    const spec = this.#described.get(key) ?? formatSpec(parseAccessSpec(this.#local, relocation));
    this.#described.set(key, spec);
    return spec;
  }

  #attempt(local: AccessSpec): CoreResolution | BtfError {
    const spec = formatSpec(local);
    try {
      return { spec, ...this.#resolve(local) };
    } catch (cause) {
      if (!(cause instanceof BtfError)) throw cause;
      const why = cause.message.replace(/^Cannot/, 'cannot');
      return new BtfError(`Cannot relocate ${spec}: ${why}`, { typeId: local.rootTypeId, cause });
    }
  }

  #resolve(local: AccessSpec): Omit<CoreResolution, 'spec'> {
    const present = valueOf(local);
    const expected = present.certain ? present.value : undefined;
    if (local.kind === 'local_type_id')
      return { target: undefined, candidates: 0, expected, value: present.value, resize: undefined };
    const candidates = this.#candidatesOf(local).length;
    const match = this.#match(local);
    if (match === undefined)
      return {
        target: undefined,
        candidates,
        expected,
        value: valueOfAbsence(local)?.value,
        resize: undefined,
      };
    const resize = accessChange(present.access, match.value.access);
    return { target: formatSpec(match.spec), candidates, expected, value: match.value.value, resize };
  }

  /** What all candidates agree on that have it. The others are left out from then on. */
  #match(local: AccessSpec): Match | undefined {
    const matches = this.#matches(local);
    const [match] = matches;
    if (match === undefined) return undefined;
    for (const other of matches) refuseDifference(match, other);
    this.#candidates.set(
      local.rootTypeId,
      matches.map(({ candidate }) => candidate),
    );
    return match;
  }

  #matches(local: AccessSpec): Match[] {
    return this.#candidatesOf(local).flatMap((candidate) => {
      const spec = matchSpec(local, candidate);
      return spec === undefined ? [] : [{ candidate, spec, value: valueOf(spec) }];
    });
  }

  #candidatesOf(local: AccessSpec): readonly TypeReference[] {
    const { rootTypeId } = local;
    let candidates = this.#candidates.get(rootTypeId);
    if (candidates === undefined) {
      const name = this.#local.btf.nameOf(rootTypeId);
      if (name === '') throw new BtfError('Cannot find a counterpart of a type without a name');
      candidates = this.#search.find(name, this.#local.btf.kindOf(rootTypeId));
      this.#candidates.set(rootTypeId, candidates);
    }
    return candidates;
  }
}

function keyOf({ typeId, kind, accessString }: CoreRelocation): string {
  return `${String(typeId)} ${String(kind)} ${accessString}`;
}

/** BTF often has a type several times, because something it points to differs; that must not matter. */
function refuseDifference(one: Match, other: Match): void {
  if (one.spec.bitOffset === other.spec.bitOffset && one.value.value === other.value.value) return;
  const [first, second] = [one, other].map(
    ({ spec, value }) => `${String(value.value)} by ${formatSpec(spec)}`,
  );
  throw new BtfError(`Cannot choose between candidates: it is ${first ?? ''} and ${second ?? ''}`);
}

function accessChange(
  from: MemoryAccess | undefined,
  to: MemoryAccess | undefined,
): AccessChange | undefined {
  const [before, after] = [from?.size ?? 0, to?.size ?? 0];
  if (before === after) return undefined;
  const preservesValue = from !== undefined && to !== undefined && areWidened(from.type, to.type);
  return { from: before, to: after, preservesValue };
}

function areWidened(from: TypeReference, to: TypeReference): boolean {
  const [one, other] = [from, to].map(({ types, id }) => types.type(id));
  if (one === undefined || other === undefined) return false;
  return (
    (one.kind === 'pointer' && other.kind === 'pointer') || (isZeroExtended(one) && isZeroExtended(other))
  );
}

/** An integer whose encoding is not that of a plain signed one. */
function isZeroExtended(type: BtfType): boolean {
  return type.kind === 'int' && (!type.signed || type.char || type.bool);
}
