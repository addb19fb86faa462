import { kindNumber } from '../kind.ts';
import { hashEnum, hashShape, hashType, sameShape, sameType } from './equality.ts';
import { Equivalence } from './equivalence.ts';
import type { TypeGraph } from './type-graph.ts';
import type { TypeTable } from './type-table.ts';

/** Puts the types of the base into the table, and decides that variables and sections stay: each is a place of its own. */
export function prepare(graph: TypeGraph, table: TypeTable): void {
  for (let id = 1; id < graph.typeCount; id++) {
    const kind = graph.kind(id);
    const isPlace = kind === kindNumber.variable || kind === kindNumber.datasec;
    if (isPlace) graph.decide(id, id);
    else if (id < graph.firstId) table.add(id, hashFor(graph, id));
  }
}

function hashFor(graph: TypeGraph, id: number): number {
  if (graph.isComposite(id)) return hashShape(graph, id);
  return graph.isEnum(id) ? hashEnum(graph, id) : hashType(graph, id);
}

/** Decides types that refer to no other: numbers, enums and forward declarations. */
export function mergePrimitives(graph: TypeGraph, table: TypeTable): void {
  const simple: readonly number[] = [kindNumber.int, kindNumber.float, kindNumber.forward];
  for (let id = graph.firstId; id < graph.typeCount; id++) {
    if (graph.isEnum(id)) mergeEnum(graph, table, id);
    else if (simple.includes(graph.kind(id))) {
      const hash = hashType(graph, id);
      decide(graph, table, { id, hash, same: table.find(hash, (other) => sameType(graph, id, other)) });
    }
  }
}

/** `enum name;` stands for the enum of that name, whichever of the two comes first. */
function mergeEnum(graph: TypeGraph, table: TypeTable, id: number): void {
  const hash = hashEnum(graph, id);
  const same = table.find(hash, (other) => {
    if (!graph.isEnum(other) || graph.name(other) !== graph.name(id)) return false;
    if (sameType(graph, id, other) || graph.isEnumForward(id)) return true;
    if (graph.isEnumForward(other)) graph.decide(other, id);
    return false;
  });
  decide(graph, table, { id, hash, same });
}

/** Decides structs and unions, and with them the forward declarations that they show the definition of. */
export function mergeComposites(graph: TypeGraph, table: TypeTable): void {
  const equivalence = new Equivalence(graph);
  for (let id = graph.firstId; id < graph.typeCount; id++) {
    if (graph.isDecided(id) || !graph.isComposite(id)) continue;
    const hash = hashShape(graph, id);
    const same = table.find(
      hash,
      (other) => sameShape(graph, id, other) && equivalence.compare(id, other) && equivalence.merge(),
    );
    decide(graph, table, { id, hash, same });
  }
}

/** Forward declarations that no struct has resolved mean the only struct or union of their name. */
export function resolveForwards(graph: TypeGraph): void {
  const definitions = new Map<number, number | 'several'>();
  for (let id = 1; id < graph.typeCount; id++) {
    const name = graph.name(id);
    if (!graph.isComposite(id) || !graph.stays(id) || name === 0) continue;
    definitions.set(name, definitions.has(name) ? 'several' : id);
  }
  for (let id = graph.firstId; id < graph.typeCount; id++) {
    if (!graph.isForward(id) || !graph.stays(id)) continue;
    const definition = definitions.get(graph.name(id));
    if (typeof definition === 'number' && graph.kind(definition) === graph.kindOfForward(id))
      graph.decide(id, definition);
  }
}

function decide(
  graph: TypeGraph,
  table: TypeTable,
  { id, hash, same }: { id: number; hash: number; same: number | undefined },
): void {
  graph.decide(id, same ?? id);
  if (same === undefined) table.add(id, hash);
}
