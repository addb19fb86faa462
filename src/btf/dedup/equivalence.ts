import { HEAD } from '../type-words.ts';
import { sameShape, sameType } from './equality.ts';
import { IdStack } from './id-stack.ts';
import type { TypeGraph } from './type-graph.ts';

/** How deep, and over how many types, copies of one type within one struct are compared. */
const MAX_COPY_DEPTH = 16;
const MAX_COPY_STEPS = 1 << 12;
const NONE = 0xffffffff;

/**
 * Whether what can be reached from one struct is what can be reached from another. Types refer to each other in circles,
 * so the two graphs are walked side by side under the hypothesis that the pairs met so far are equivalent: the first
 * contradiction refutes all of it. A forward declaration is equivalent to what it declares.
 *
 * The walk keeps a stack of its own: the kernel's types reach deeper than the stack of a process.
 */
export class Equivalence {
  readonly #graph: TypeGraph;
  /** By the id of a type that stays: its counterpart. */
  readonly #counterparts: Uint32Array;
  /** The ids that have one. */
  readonly #met = new IdStack();
  readonly #pending = new IdStack();
  #completesBase = false;

  constructor(graph: TypeGraph) {
    this.#graph = graph;
    this.#counterparts = new Uint32Array(graph.typeCount).fill(NONE);
  }

  /** Compares a type with one that stays, and remembers the pairs for {@link merge}. */
  compare(candidate: number, canonical: number): boolean {
    this.#clear();
    this.#pending.push(candidate);
    this.#pending.push(canonical);
    while (this.#pending.length > 0) {
      const right = this.#pending.pop();
      const left = this.#pending.pop();
      if (!this.#comparePair(left, right)) return false;
    }
    return true;
  }

  /**
   * Takes the pairs of the last comparison for decided. False where the two are not interchangeable all the same: the
   * base has only a forward declaration of what the other one defines, and the base cannot change. Then only those
   * forwards are decided, so that more of them are known to mean the definition.
   */
  merge(): boolean {
    const graph = this.#graph;
    for (let index = 0; index < this.#met.length; index++) {
      const met = this.#met.at(index);
      const left = graph.resolve(this.#counterparts[met] ?? 0);
      const right = graph.resolve(met);
      if (!graph.isForward(left) && graph.isForward(right)) graph.decide(right, left);
      if (this.#completesBase) continue;
      if (graph.isForward(left) && !graph.isForward(right)) graph.decide(left, right);
      else if (graph.isComposite(left) && !graph.isForward(right)) {
        if (graph.isDecided(right) && !graph.isDecided(left)) graph.decide(left, right);
      }
    }
    return !this.#completesBase;
  }

  #comparePair(left: number, given: number): boolean {
    const graph = this.#graph;
    graph.countSteps(1);
    if (graph.resolve(left) === graph.resolve(given)) return true;
    const right = this.#resolveForward(given);
    const before = this.#counterparts[right] ?? NONE;
    if (before !== NONE) return before === left || this.#areCopies(before, left);
    this.#counterparts[right] = left;
    this.#met.push(right);
    if (graph.name(left) !== graph.name(right)) return false;
    if (sameShape(graph, left, right)) {
      this.#pushReferences(left, right);
      return true;
    }
    if (graph.isForward(left) !== graph.isForward(right)) return this.#declares(left, right);
    return this.#areEnumAndForward(left, right);
  }

  #declares(left: number, right: number): boolean {
    const graph = this.#graph;
    if (graph.isForward(left)) return graph.kindOfForward(left) === graph.kind(right);
    const declares = graph.kindOfForward(right) === graph.kind(left);
    if (declares && right < graph.firstId) this.#completesBase = true;
    return declares;
  }

  #areEnumAndForward(left: number, right: number): boolean {
    const graph = this.#graph;
    if (!graph.isEnum(left) || !graph.isEnum(right)) return false;
    return graph.isEnumForward(left) || graph.isEnumForward(right);
  }

  /** In reverse, so that they are compared in their order. */
  #pushReferences(left: number, right: number): void {
    if (left === 0) return;
    const graph = this.#graph;
    const { refersByThird, fixedWords, fixedReferences, elementWords, elementType } = graph.layout(left);
    const start = graph.start(left);
    const other = graph.start(right);
    if (elementType >= 0) {
      const first = HEAD + fixedWords + elementType;
      const last = first + (graph.elements(left) - 1) * elementWords;
      for (let index = last; index >= first; index -= elementWords)
        this.#pushPair(start + index, other + index);
    }
    for (let index = HEAD + fixedReferences - 1; index >= HEAD; index--)
      this.#pushPair(start + index, other + index);
    if (refersByThird) this.#pushPair(start + 2, other + 2);
  }

  #pushPair(place: number, other: number): void {
    const left = this.#graph.words[place] ?? 0;
    const right = this.#graph.words[other] ?? 0;
    if (left === right) return;
    this.#pending.push(left);
    this.#pending.push(right);
  }

  /** The definition that a forward is known to mean; the type itself otherwise. */
  #resolveForward(id: number): number {
    if (!this.#graph.isForward(id)) return id;
    const resolved = this.#graph.resolve(id);
    return this.#graph.isForward(resolved) ? id : resolved;
  }

  /** Compilers write some types down more than once in one unit, arrays above all, and use each copy somewhere. */
  #areCopies(left: number, right: number): boolean {
    let steps = 0;
    const graph = this.#graph;
    const compare = (one: number, other: number, depth: number): boolean => {
      if (one === other || graph.resolve(one) === graph.resolve(other)) return true;
      if (depth === 0 || ++steps > MAX_COPY_STEPS || one === 0 || other === 0) return false;
      if (sameType(graph, one, other)) return true;
      if (!sameShape(graph, one, other)) return false;
      const places: number[] = [];
      const others: number[] = [];
      graph.referencePlaces(one, places);
      graph.referencePlaces(other, others);
      return places.every((place, index) =>
        compare(graph.words[place] ?? 0, graph.words[others[index] ?? 0] ?? 0, depth - 1),
      );
    };
    const areCopies = compare(left, right, MAX_COPY_DEPTH);
    graph.countSteps(steps);
    return areCopies;
  }

  #clear(): void {
    for (let index = 0; index < this.#met.length; index++) this.#counterparts[this.#met.at(index)] = NONE;
    this.#met.clear();
    this.#pending.clear();
    this.#completesBase = false;
  }
}
