import { HEAD } from '../type-words.ts';
import type { TypeGraph } from './type-graph.ts';

/** Whether two types are the same but for what they refer to: names, sizes, offsets, values, counts. */
export function sameShape(graph: TypeGraph, left: number, right: number): boolean {
  if (left === 0 || right === 0) return left === right;
  return sameWords(graph, left, right, isReferenceWord);
}

/** Whether two types are the same word for word. */
export function sameType(graph: TypeGraph, left: number, right: number): boolean {
  return sameWords(graph, left, right, never);
}

/** Alike for types of the same shape. */
export function hashShape(graph: TypeGraph, id: number): number {
  return hashWords(graph, id, isReferenceWord);
}

/** Alike for types that are the same word for word. */
export function hashType(graph: TypeGraph, id: number): number {
  return hashWords(graph, id, never);
}

/** Alike for all enums of a name: one without enumerators may declare another of any size. */
export function hashEnum(graph: TypeGraph, id: number): number {
  return mix(0, graph.name(id));
}

type Skip = (graph: TypeGraph, id: number, index: number) => boolean;

const never: Skip = () => false;

/** Whether the word at an index of a type is a type id. */
const isReferenceWord: Skip = (graph, id, index) => {
  const layout = graph.layout(id);
  if (index === 2) return layout.refersByThird;
  const fixed = index - HEAD;
  if (fixed < layout.fixedWords) return fixed >= 0 && fixed < layout.fixedReferences;
  return (fixed - layout.fixedWords) % layout.elementWords === layout.elementType;
};

function sameWords(graph: TypeGraph, left: number, right: number, skip: Skip): boolean {
  const { words } = graph;
  const start = graph.start(left);
  const other = graph.start(right);
  // The info words decide the length, so that equal ones make the rest comparable.
  if (words[start] !== words[other] || words[start + 1] !== words[other + 1]) return false;
  const length = graph.end(left) - start;
  let index = 2;
  while (index < length && (words[start + index] === words[other + index] || skip(graph, left, index)))
    index++;
  graph.countSteps(index >> 4);
  return index >= length;
}

function hashWords(graph: TypeGraph, id: number, skip: Skip): number {
  const start = graph.start(id);
  const length = graph.end(id) - start;
  let hash = 0;
  for (let index = 0; index < length; index++) {
    if (!skip(graph, id, index)) hash = mix(hash, graph.words[start + index] ?? 0);
  }
  return hash;
}

/** A step of MurmurHash3: names and ids are small numbers, whose low bits alone would fill few buckets. */
function mix(hash: number, word: number): number {
  const scrambled = Math.imul(word, 0xcc9e2d51);
  const combined = hash ^ Math.imul((scrambled << 15) | (scrambled >>> 17), 0x1b873593);
  const mixed = Math.imul((combined << 13) | (combined >>> 19), 5) + 0xe6546b64;
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
