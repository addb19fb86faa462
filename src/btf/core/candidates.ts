import type { Btf } from '../btf.ts';
import type { BtfKind } from '../kind.ts';
import { DecodedTypes } from './decoded-types.ts';
import type { TypeReference } from './decoded-types.ts';
import { essentialName } from './essential-name.ts';

/** Where the counterparts of a program's types are looked for. */
export interface CoreTargets {
  /** The kernel's types, or those that stand in for them. Called when the first relocation needs one. */
  readonly main: () => Btf;
  /** Those of kernel modules, which are searched only for types that `main` does not have in any flavour. */
  readonly modules?: (() => readonly Btf[]) | undefined;
}

/** Kinds that may stand for each other: equal ones, and enums of whatever width. */
export function kindsAreCompatible(one: BtfKind, other: BtfKind): boolean {
  return one === other || (isEnum(one) && isEnum(other));
}

export function isEnum(kind: BtfKind): kind is 'enum' | 'enum64' {
  return kind === 'enum' || kind === 'enum64';
}

/** Finds the types that may be what a type of the program means: of the same name, flavours aside, and kind. */
export class CandidateSearch {
  readonly #targets: CoreTargets;
  #main: FlavouredTypes | undefined;
  #modules: readonly FlavouredTypes[] | undefined;

  constructor(targets: CoreTargets) {
    this.#targets = targets;
  }

  /** In the order of their ids. A module's types refer to the kernel's, so its own are what it adds. */
  find(name: string, kind: BtfKind): TypeReference[] {
    const essential = essentialName(name);
    this.#main ??= new FlavouredTypes(this.#targets.main());
    const found = this.#main.find(essential, kind);
    if (found.length > 0) return found;
    this.#modules ??= (this.#targets.modules?.() ?? []).map((btf) => new FlavouredTypes(btf));
    return this.#modules.flatMap((module) => module.find(essential, kind));
  }
}

/** The types of one BTF by essential name. */
class FlavouredTypes {
  readonly #types: DecodedTypes;

  constructor(btf: Btf) {
    this.#types = new DecodedTypes(btf);
  }

  find(essential: string, kind: BtfKind): TypeReference[] {
    const { btf } = this.#types;
    const names = [...(flavouredNames(btf).get(essential) ?? [])];
    // `a___b` is the essential name of `a___b___c`, and as a name of its own a flavour of `a`.
    if (essentialName(essential) === essential) names.push(essential);
    return names
      .flatMap((name) => btf.findAll(name))
      .filter((id) => kindsAreCompatible(btf.kindOf(id), kind))
      .sort((a, b) => a - b)
      .map((id) => ({ types: this.#types, id }));
  }
}

/** Of the kernel's types, which outlive an object's load. */
const flavours = new WeakMap<Btf, ReadonlyMap<string, readonly string[]>>();

function flavouredNames(btf: Btf): ReadonlyMap<string, readonly string[]> {
  const known = flavours.get(btf) ?? findFlavouredNames(btf);
  flavours.set(btf, known);
  return known;
}

/**
 * Every string that is a flavour, under its essential name. Searches the bytes: of the kernel's 100,000 names a few
 * hundred have three underscores, and only those become strings.
 */
function findFlavouredNames(btf: Btf): ReadonlyMap<string, readonly string[]> {
  const names = new Map(btf.base === undefined ? [] : flavouredNames(btf.base));
  const strings = btf.strings.ownBytes;
  for (let at = strings.indexOf('___'); at >= 0;) {
    const first = strings.lastIndexOf(0, at) + 1;
    const last = strings.indexOf(0, at);
    const name = strings.toString('utf8', first, last);
    const essential = essentialName(name);
    if (essential !== name) {
      const known = names.get(essential) ?? [];
      if (!known.includes(name)) names.set(essential, [...known, name]);
    }
    at = strings.indexOf('___', last);
  }
  return names;
}
