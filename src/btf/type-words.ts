import { BtfError } from '../errors.ts';
import type { Btf } from './btf.ts';
import { readHeader } from './header.ts';
import { kindLayouts, type KindLayout } from './kind-layout.ts';
import { elementCount, kindOfInfo } from './scan.ts';

/** The three words that all types have. */
export const HEAD = 3;

/** The types of a BTF, without its base's, as numbers: for what treats all of them and must not make an object of each. */
export interface TypeWords {
  /** A copy in this machine's byte order. */
  readonly words: Uint32Array<ArrayBuffer>;
  /** The first word of each type, in the order of ids, and last where they end. */
  readonly starts: Uint32Array<ArrayBuffer>;
}

/** @throws BtfError for a BTF with types of a kind that is not known, since nobody knows which of their words are ids */
export function readTypeWords(btf: Btf): TypeWords {
  const { bytes } = btf;
  const { types } = readHeader(bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset + types.start, types.end - types.start);
  const words = new Uint32Array(view.byteLength / 4);
  for (let index = 0; index < words.length; index++)
    words[index] = view.getUint32(index * 4, btf.littleEndian);
  const starts = new Uint32Array(btf.typeCount - btf.firstId + 1);
  for (let id = btf.firstId; id < btf.typeCount; id++) {
    const start = (btf.byteOffsetOf(id) - types.start) / 4;
    starts[id - btf.firstId] = start;
    layoutAt(words, start, id);
  }
  starts[starts.length - 1] = words.length;
  return { words, starts };
}

function layoutAt(words: Uint32Array, start: number, id: number): KindLayout {
  const kind = kindOfInfo(words[start + 1] ?? 0);
  const layout = kindLayouts[kind];
  if (layout) return layout;
  throw new BtfError(`Cannot renumber BTF type ${id}: kind ${kind} is not known`, { typeId: id });
}

/** What becomes of the type ids and the offsets of strings in a type. */
export interface Renumbering {
  readonly type: (id: number) => number;
  readonly string: (offset: number) => number;
}

/** Changes the ids and string offsets of the type at a word. */
export function renumber(words: Uint32Array, start: number, { type, string }: Renumbering): void {
  const layout = kindLayouts[kindOfInfo(words[start + 1] ?? 0)];
  if (!layout) return;
  const change = (index: number, by: (value: number) => number): void => {
    words[index] = by(words[index] ?? 0);
  };
  change(start, string);
  if (layout.refersByThird) change(start + 2, type);
  for (let index = 0; index < layout.fixedReferences; index++) change(start + HEAD + index, type);
  const { elementWords, elementName, elementType } = layout;
  if (elementWords === 0) return;
  const first = start + HEAD + layout.fixedWords;
  const end = first + elementCount(words[start + 1] ?? 0) * elementWords;
  for (let element = first; element < end; element += elementWords) {
    if (elementName >= 0) change(element + elementName, string);
    if (elementType >= 0) change(element + elementType, type);
  }
}
