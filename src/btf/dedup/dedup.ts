import { Btf } from '../btf.ts';
import { encodeBtf } from '../builder.ts';
import { renumber } from '../type-words.ts';
import { mergeComposites, mergePrimitives, prepare, resolveForwards } from './definitions.ts';
import { mergeReferences } from './references.ts';
import { TypeGraph } from './type-graph.ts';
import { TypeTable } from './type-table.ts';

/** BTF without duplicates, and where each type went. */
export interface DedupResult {
  /** Each type and string once, with the same base. */
  readonly btf: Btf;
  /** The new id of every old one, the base's included, which keep theirs. */
  readonly ids: Uint32Array;
}

/**
 * Leaves each type of a BTF that was put together from several only once, by the rules of libbpf's `btf__dedup`: equal
 * types become one, structs where all that they lead to is equivalent; a forward declaration becomes its definition; a
 * split BTF loses what its base has. Variables and sections stay as they are. Strings that no type names are gone.
 *
 * @throws {BtfError} for types of an unknown kind, that refer to what is not there, or to themselves other than through a
 * struct or union; and where far too many types are alike but for what they lead to
 *
 * @example
 * const builder = new BtfBuilder();
 * for (const btf of ofObjects) builder.append(btf);
 * const { btf } = dedup(Btf.parse(builder.build()));
 */
export function dedup(btf: Btf): DedupResult {
  const graph = new TypeGraph(btf);
  const table = new TypeTable(graph.typeCount, (steps) => {
    graph.countSteps(steps);
  });
  prepare(graph, table);
  mergePrimitives(graph, table);
  mergeComposites(graph, table);
  resolveForwards(graph);
  mergeReferences(graph, table);
  const ids = newIds(graph);
  const words = compact(graph, ids);
  const bytes = encodeBtf(words, { strings: graph.strings.bytes, littleEndian: btf.littleEndian });
  return { btf: Btf.parse(bytes, { base: btf.base }), ids };
}

function newIds(graph: TypeGraph): Uint32Array {
  const ids = new Uint32Array(graph.typeCount);
  let next = graph.firstId;
  for (let id = 0; id < graph.typeCount; id++) {
    if (id < graph.firstId) ids[id] = id;
    else if (graph.stays(id)) ids[id] = next++;
  }
  for (let id = graph.firstId; id < graph.typeCount; id++) ids[id] = ids[graph.resolve(id)] ?? 0;
  return ids;
}

/** The words of the own types that stay, with the new ids. */
function compact(graph: TypeGraph, ids: Uint32Array): Uint32Array {
  const { words } = graph;
  const first = graph.start(graph.firstId);
  let used = first;
  for (let id = graph.firstId; id < graph.typeCount; id++) {
    if (!graph.stays(id)) continue;
    const [start, length] = [graph.start(id), graph.end(id) - graph.start(id)];
    words.copyWithin(used, start, start + length);
    renumber(words, used, { type: (reference) => ids[reference] ?? 0, string: (offset) => offset });
    used += length;
  }
  return words.subarray(first, used);
}
