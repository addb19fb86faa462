/** A graph whose nodes are numbers below `nodes`. */
export interface Graph {
  readonly nodes: number;
  readonly successors: (node: number) => readonly number[];
}

/** What leads to the nodes of a graph. */
export interface Dominators {
  /** The nodes that can be reached from node 0, each behind its dominators. */
  readonly order: readonly number[];
  /** What every way to a node leads through last: its immediate dominator, itself for node 0. Of others it says nothing. */
  readonly immediate: Int32Array;
}

/** A walk in depth, in which every node is told by its place in the order of the walk. */
interface Walk {
  /** The node at each place. */
  readonly order: readonly number[];
  /** From which place each one was entered. */
  readonly parents: readonly number[];
  /** The places from which an edge leads to each one. */
  readonly predecessors: readonly (readonly number[])[];
}

/**
 * As Lengauer and Tarjan find them ("A fast algorithm for finding dominators in a flowgraph", 1979, the simple version): edges
 * times the logarithm of nodes, also for a graph that somebody has made to be slow.
 */
export function findDominators(graph: Graph): Dominators {
  const { order, parents, predecessors } = walk(graph);
  const dominators = new Int32Array(order.length);
  const forest = new Forest(order.length);
  const { semidominators } = forest;
  const waiting: number[][] = order.map(() => []);
  for (let place = order.length - 1; place > 0; place--) {
    for (const predecessor of predecessors[place] ?? []) {
      const candidate = at(semidominators, forest.lowest(predecessor));
      if (candidate < at(semidominators, place)) semidominators[place] = candidate;
    }
    waiting[at(semidominators, place)]?.push(place);
    const parent = parents[place] ?? 0;
    forest.link(place, { under: parent });
    for (const one of waiting[parent]?.splice(0) ?? []) {
      const lowest = forest.lowest(one);
      dominators[one] = at(semidominators, lowest) < at(semidominators, one) ? lowest : parent;
    }
  }
  for (let place = 1; place < order.length; place++) {
    if (dominators[place] !== semidominators[place])
      dominators[place] = at(dominators, at(dominators, place));
  }
  const immediate = new Int32Array(graph.nodes);
  order.forEach((node, place) => {
    immediate[node] = order[at(dominators, place)] ?? 0;
  });
  return { order, immediate };
}

function at(numbers: Int32Array, index: number): number {
  return numbers[index] ?? 0;
}

function walk({ nodes, successors }: Graph): Walk {
  const places = new Int32Array(nodes).fill(-1);
  const [order, parents, predecessors]: [number[], number[], number[][]] = [[], [], []];
  const pending: (readonly [node: number, from: number])[] = nodes > 0 ? [[0, 0]] : [];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const [node, from] = next;
    if (at(places, node) < 0) {
      const place = order.push(node) - 1;
      places[node] = place;
      parents.push(from);
      predecessors.push([]);
      for (const successor of successors(node)) pending.push([successor, place]);
    }
    predecessors[at(places, node)]?.push(from);
  }
  return { order, parents, predecessors };
}

/** What has been walked over so far, from the end: trees whose paths are made shorter each time they are asked for. */
class Forest {
  /** The earliest place from which a path over later places alone leads to each one. */
  readonly semidominators: Int32Array;
  readonly #ancestors: Int32Array;
  /** The place with the lowest semidominator between each one and its ancestor. */
  readonly #lowest: Int32Array;

  constructor(places: number) {
    this.semidominators = Int32Array.from({ length: places }, (_, place) => place);
    this.#lowest = this.semidominators.slice();
    this.#ancestors = new Int32Array(places).fill(-1);
  }

  link(place: number, { under }: { under: number }): void {
    this.#ancestors[place] = under;
  }

  /** The place with the lowest semidominator on the path from the root of a tree, without it, down to a place. */
  lowest(place: number): number {
    const ancestors = this.#ancestors;
    const path: number[] = [];
    for (let one = place; at(ancestors, one) >= 0; one = at(ancestors, one)) path.push(one);
    // The topmost one has the root above it and stays as it is.
    for (let index = path.length - 2; index >= 0; index--) {
      const [one, above] = [path[index] ?? 0, path[index + 1] ?? 0];
      const lowest = at(this.#lowest, above);
      if (at(this.semidominators, lowest) < at(this.semidominators, at(this.#lowest, one)))
        this.#lowest[one] = lowest;
      ancestors[one] = at(ancestors, above);
    }
    return at(this.#lowest, place);
  }
}
