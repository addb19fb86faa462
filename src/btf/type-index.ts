import { BtfError } from '../errors.ts';
import { wordsOf } from '../binary/index.ts';
import type { BtfHeader } from './header.ts';
import {
  COUNT_MASK,
  KIND_MASK,
  KIND_SHIFT,
  kindLengths,
  kindOfInfo,
  UNKNOWN_LENGTH,
  type KindLengths,
} from './scan.ts';

/** `BTF_MAX_TYPE` of include/uapi/linux/btf.h, the highest id the kernel accepts. */
const MAX_TYPE_ID = 0xfffff;
/** The three words of `struct btf_type`. */
const LEAST_WORDS = 3;
/** Where there are many types, one in 2^3 is marked, and in between is walked. */
const SPARSE_MARKS = 3;
/** So many types more, and all are found: `task_struct` of the kernel and what it is made of are among its first few hundred. */
const FAR = 4096;

/**
 * Where each type of a BTF lies: they have no index and vary in length. Found from the first one on, as far as anybody
 * asks, and only what decides a type's length is checked.
 *
 * The kernel's own BTF has over 100,000 types. Memory that is touched for the first time costs more than the search
 * itself, so that only every eighth place is kept of those; of an object's, all of them.
 */
export class TypeIndex {
  readonly #words: Uint32Array;
  readonly #lengths: KindLengths;
  /** The word of each type whose index is a multiple of 2^`#markShift`. */
  readonly #marks: Uint32Array;
  readonly #markShift: number;
  /** Bytes at the end that fill no word. */
  readonly #rest: number;
  readonly #firstId: number;
  /** Types found so far, and the word behind the last of them. */
  #found = 0;
  #end = 0;

  /** `sparse`: it is the kernel's own, or a module's. */
  constructor(
    bytes: Uint8Array,
    header: BtfHeader,
    { firstId, sparse }: { firstId: number; sparse: boolean },
  ) {
    const { types } = header;
    this.#words = wordsOf(bytes, types, header);
    this.#rest = (types.end - types.start) % 4;
    this.#lengths = kindLengths(bytes, header);
    this.#markShift = sparse ? SPARSE_MARKS : 0;
    this.#marks = new Uint32Array((Math.floor(this.#words.length / LEAST_WORDS) >> this.#markShift) + 1);
    this.#firstId = firstId;
  }

  /** How many types there are. Throws {@link BtfError} where the length of one is wrong. */
  get count(): number {
    this.findAll();
    return this.#found;
  }

  /** Throws as {@link count}. */
  findAll(): void {
    if (this.#end >= this.#words.length && this.#rest === 0) return;
    if (this.#markShift === 0) this.#markAll();
    else this.#advance(Infinity, this.#words.length);
  }

  /** Whether there is a type of that index, counted from 0. Throws as {@link count}. */
  has(index: number): boolean {
    if (index >= this.#found) this.#advance(index + 1, this.#words.length);
    return index >= 0 && index < this.#found;
  }

  /** The first word of a type; undefined for an index that is not there. Throws as {@link count}. */
  wordOf(index: number): number | undefined {
    if (!this.has(index) || !Number.isInteger(index)) return undefined;
    const mark = index >> this.#markShift;
    let word = this.#marks[mark] ?? 0;
    for (let steps = index - (mark << this.#markShift); steps > 0; steps--) word += this.#lengthAt(word);
    return word;
  }

  /** The indexes of all types of a kind, by its number. Throws as {@link count}. */
  ofKind(kind: number): number[] {
    const words = this.#words;
    const { head, element } = this.#lengths;
    const found: number[] = [];
    for (let index = 0, word = 0, { count } = this; index < count; index++) {
      const info = words[word + 1] as number;
      const its = (info >>> KIND_SHIFT) & KIND_MASK;
      if (its === kind) found.push(index);
      word += (head[its] as number) + (element[its] as number) * (info & COUNT_MASK);
    }
    return found;
  }

  /** The string offsets of the names of all types. Throws as {@link count}. */
  nameOffsets(): Uint32Array {
    const words = this.#words;
    const names = new Uint32Array(this.count);
    for (let index = 0, word = 0; index < names.length; index++) {
      names[index] = words[word] ?? 0;
      word += this.#lengthAt(word);
    }
    return names;
  }

  /**
   * The indexes of the types with a name, by its string offset, in ascending order; undefined where that number is in too
   * many places. Looks at all words in one native pass. The word behind a type's name has its kind; behind most other
   * places of the number is a small one, of kind void, so that types are found only as far as they have the name.
   */
  named(nameOffset: number): number[] | undefined {
    const found: number[] = [];
    const words = this.#words;
    let places = 0;
    for (let at = words.indexOf(nameOffset); at >= 0; at = words.indexOf(nameOffset, at + 1)) {
      if (++places > MOST_PLACES) return undefined;
      if (this.#lengths.head[kindOfInfo(words[at + 1] ?? 0)] === UNKNOWN_LENGTH) continue;
      const index = this.#indexAt(at);
      if (index !== undefined) found.push(index);
    }
    return found;
  }

  /** The index of the type that begins at a word; undefined within a type. */
  #indexAt(word: number): number | undefined {
    if (word >= this.#end) this.#advance(Infinity, word + 1);
    let low = 0;
    let high = (this.#found - 1) >> this.#markShift;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#marks[middle] ?? 0) <= word) low = middle;
      else high = middle - 1;
    }
    let index = low << this.#markShift;
    let at = this.#marks[low] ?? 0;
    for (; at < word; index++) at += this.#lengthAt(at);
    return at === word ? index : undefined;
  }

  #lengthAt(word: number): number {
    const info = this.#words[word + 1] as number;
    const kind = (info >>> KIND_SHIFT) & KIND_MASK;
    const { head, element } = this.#lengths;
    return (head[kind] as number) + (element[kind] as number) * (info & COUNT_MASK);
  }

  /** Finds all types, where each is marked. Apart from {@link #advance}, so that objects do not have that compiled. */
  #markAll(): void {
    const words = this.#words;
    const { head, element } = this.#lengths;
    const marks = this.#marks;
    let index = 0;
    let at = 0;
    while (at < words.length) {
      const info = words[at + 1] as number;
      const kind = (info >>> KIND_SHIFT) & KIND_MASK;
      const least = head[kind] as number;
      if (least === UNKNOWN_LENGTH) break;
      marks[index++] = at;
      at += least + (element[kind] as number) * (info & COUNT_MASK);
    }
    this.#checkEnd({ index, at, last: marks[index - 1] ?? 0 });
    this.#found = index;
    this.#end = at;
  }

  /**
   * Finds types until there are `count`, or until one ends at or behind the word `until`; where that is far, all of them.
   * This is the one loop of a first load that is long, and unoptimised code runs it: a call in it would take longer than
   * the rest of it. And once the compiler has seen it run for long it compiles all of it anew at the next call,
   * which is not worth it for a second half.
   */
  #advance(count: number, until: number): void {
    const words = this.#words;
    const { head, element } = this.#lengths;
    const marks = this.#marks;
    const shift = this.#markShift;
    const unmarked = (1 << shift) - 1;
    const far = count - this.#found > FAR && until - this.#end > FAR * LEAST_WORDS;
    const [mostTypes, end] = far ? [Infinity, words.length] : [count, Math.min(until, words.length)];
    let index = this.#found;
    let at = this.#end;
    let last = at;
    while (at < end && index < mostTypes) {
      const info = words[at + 1] as number;
      const kind = (info >>> KIND_SHIFT) & KIND_MASK;
      const least = head[kind] as number;
      if (least === UNKNOWN_LENGTH) break;
      if ((index & unmarked) === 0) marks[index >> shift] = at;
      last = at;
      at += least + (element[kind] as number) * (info & COUNT_MASK);
      index++;
    }
    if (at >= words.length || (at < end && index < mostTypes)) this.#checkEnd({ index, at, last });
    this.#found = index;
    this.#end = at;
  }

  /** Why no more types are found: there are none, or something is wrong. */
  #checkEnd({ index, at, last }: { index: number; at: number; last: number }): void {
    const { length } = this.#words;
    const id = this.#firstId + index;
    const missing = at + LEAST_WORDS > length && (at < length || this.#rest > 0);
    if (at > length && last + LEAST_WORDS > length) throw cutOff(id - 1, 'a type needs 12 bytes');
    if (at > length) throw cutOff(id - 1, `it ends ${(at - length) * 4 - this.#rest} bytes later`);
    if (missing) throw cutOff(id, 'a type needs 12 bytes');
    if (at < length) throw unknownKind(id, kindOfInfo(this.#words[at + 1] ?? 0));
    if (id - 1 > MAX_TYPE_ID) throw new BtfError(`Cannot read BTF: ${id - 1} types are more than BTF allows`);
  }
}

/** How often a name's string offset may be some other number: one search costs as much as reading the names of all types. */
const MOST_PLACES = 256;

function cutOff(typeId: number, why: string): BtfError {
  return new BtfError(`Cannot read BTF: type ${typeId} is cut off by the end of the types: ${why}`, {
    typeId,
  });
}

function unknownKind(typeId: number, kind: number): BtfError {
  return new BtfError(`Cannot read BTF: type ${typeId} is of the unknown kind ${kind}`, { typeId });
}
