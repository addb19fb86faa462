import { BtfError } from '../../errors.ts';
import { hashType, sameType } from './equality.ts';
import type { TypeGraph } from './type-graph.ts';
import type { TypeTable } from './type-table.ts';

/**
 * Decides all types that are nothing but a name for others, pointers, qualifiers, typedefs, arrays, functions, tags: they
 * are the same where what they refer to is. Structs must be decided, as every circle goes through one.
 *
 * @throws BtfError for types that refer to themselves without a struct in between
 */
export function mergeReferences(graph: TypeGraph, table: TypeTable): void {
  const walk = new ReferenceWalk(graph, table);
  for (let id = graph.firstId; id < graph.typeCount; id++) {
    if (!graph.isDecided(id)) walk.decide(id);
  }
}

class ReferenceWalk {
  readonly #graph: TypeGraph;
  readonly #table: TypeTable;
  readonly #begun = new Set<number>();
  readonly #places: number[] = [];

  constructor(graph: TypeGraph, table: TypeTable) {
    this.#graph = graph;
    this.#table = table;
  }

  /** What a type refers to first, then itself; with a stack of its own, as chains may be as long as the BTF. */
  decide(root: number): void {
    const stack = [root];
    for (let id = stack.at(-1); id !== undefined; id = stack.at(-1)) {
      if (this.#graph.isDecided(id)) stack.pop();
      else if (this.#begun.has(id)) {
        stack.pop();
        this.#begun.delete(id);
        this.#decideResolved(id);
      } else {
        this.#begun.add(id);
        this.#pushUndecided(id, stack);
      }
    }
  }

  #pushUndecided(id: number, stack: number[]): void {
    for (const reference of this.#references(id)) {
      if (this.#graph.isDecided(reference)) continue;
      if (this.#begun.has(reference)) {
        const why = 'it refers to itself';
        throw new BtfError(`Cannot deduplicate BTF type ${reference}: ${why}`, { typeId: reference });
      }
      stack.push(reference);
    }
  }

  #decideResolved(id: number): void {
    const graph = this.#graph;
    const { words } = graph;
    this.#places.length = 0;
    graph.referencePlaces(id, this.#places);
    for (const place of this.#places) words[place] = graph.resolve(words[place] ?? 0);
    const hash = hashType(graph, id);
    const same = this.#table.find(hash, (other) => sameType(graph, id, other));
    graph.decide(id, same ?? id);
    if (same === undefined) this.#table.add(id, hash);
  }

  #references(id: number): number[] {
    this.#places.length = 0;
    this.#graph.referencePlaces(id, this.#places);
    return this.#places.map((place) => this.#graph.words[place] ?? 0);
  }
}
