import { BtfError } from '../../errors.ts';
import type { Btf } from '../btf.ts';
import { kindLayouts, type KindLayout } from '../kind-layout.ts';
import { kindNumber } from '../kind.ts';
import { elementCount, kindOfInfo } from '../scan.ts';
import { StringPool } from '../string-pool.ts';
import { HEAD, readTypeWords, renumber } from '../type-words.ts';

/** Which type a type stands for is not decided yet. */
const UNDECIDED = 0xffffffff;

const MOST_STEPS = 1 << 21;
/** The kernel's types need 6, and 7 where they are there three times. */
const STEPS_OF_A_WORD = 10;

/**
 * The types of a BTF and its base in flat arrays, in which equal names have equal offsets, and for each type the one
 * that it is a copy of: its own id where it stays.
 */
export class TypeGraph {
  readonly typeCount: number;
  /** The types before it are the base's, which stay. */
  readonly firstId: number;
  readonly strings: StringPool;
  readonly words: Uint32Array<ArrayBuffer>;
  /** The first word of each type by id, and last where they end. */
  readonly #starts: Uint32Array;
  readonly #canonical: Uint32Array;
  #steps = 0;

  /** @throws BtfError where a type is of an unknown kind, or refers to a type or string that is not there */
  constructor(btf: Btf) {
    this.typeCount = btf.typeCount;
    this.firstId = btf.firstId;
    this.strings = new StringPool(btf.base?.strings);
    const { words, starts } = readAll(btf);
    this.words = words;
    this.#starts = starts;
    this.#canonical = new Uint32Array(btf.typeCount).fill(UNDECIDED);
    for (let id = 0; id < btf.firstId; id++) this.#canonical[id] = id;
    for (let id = 1; id < btf.typeCount; id++) this.#unifyNames(btf, id);
  }

  /** 0 for void. */
  kind(id: number): number {
    return id === 0 ? 0 : kindOfInfo(this.words[this.start(id) + 1] ?? 0);
  }

  start(id: number): number {
    return this.#starts[id] ?? 0;
  }

  end(id: number): number {
    return this.#starts[id + 1] ?? 0;
  }

  name(id: number): number {
    return id === 0 ? 0 : (this.words[this.start(id)] ?? 0);
  }

  /** Members, enumerators, parameters. */
  elements(id: number): number {
    return elementCount(this.words[this.start(id) + 1] ?? 0);
  }

  isForward(id: number): boolean {
    return this.kind(id) === kindNumber.forward;
  }

  isComposite(id: number): boolean {
    const kind = this.kind(id);
    return kind === kindNumber.struct || kind === kindNumber.union;
  }

  isEnum(id: number): boolean {
    const kind = this.kind(id);
    return kind === kindNumber.enum || kind === kindNumber.enum64;
  }

  /** `enum name;`, which has no enumerators. */
  isEnumForward(id: number): boolean {
    return this.isEnum(id) && this.elements(id) === 0;
  }

  /** The kind that a forward declares. */
  kindOfForward(id: number): number {
    const isUnion = (this.words[this.start(id) + 1] ?? 0) >>> 31 === 1;
    return isUnion ? kindNumber.union : kindNumber.struct;
  }

  /**
   * Counts what comparing types takes: a step for each pair, and one for each 16 words of the two. Types that are alike but
   * for what they lead to are compared with each other, so that a BTF that is made of such costs the square of its size,
   * or more.
   *
   * @throws BtfError once there are far more steps than the kernel's own types need
   */
  countSteps(steps: number): void {
    this.#steps += steps;
    if (this.#steps > MOST_STEPS + STEPS_OF_A_WORD * this.words.length)
      throw new BtfError(
        'Cannot deduplicate BTF: too many of its types are told apart only by what they lead to',
      );
  }

  isDecided(id: number): boolean {
    return this.#canonical[id] !== UNDECIDED;
  }

  /** Says that `id` is a copy of `canonical`, or with the same id twice that it stays. */
  decide(id: number, canonical: number): void {
    this.#canonical[id] = canonical;
  }

  stays(id: number): boolean {
    return this.#canonical[id] === id;
  }

  /** What a type stands for, as far as that is decided. */
  resolve(id: number): number {
    let current = id;
    for (;;) {
      const next = this.#canonical[current] ?? UNDECIDED;
      if (next === UNDECIDED || next === current) return current;
      current = next;
    }
  }

  /** Appends the places of all words of a type that are type ids. */
  referencePlaces(id: number, places: number[]): void {
    if (id === 0) return;
    const start = this.start(id);
    const { refersByThird, fixedWords, fixedReferences, elementWords, elementType } = this.layout(id);
    if (refersByThird) places.push(start + 2);
    for (let index = 0; index < fixedReferences; index++) places.push(start + HEAD + index);
    if (elementType < 0) return;
    const first = start + HEAD + fixedWords + elementType;
    for (let place = first; place < this.end(id); place += elementWords) places.push(place);
  }

  layout(id: number): KindLayout {
    const layout = kindLayouts[this.kind(id)];
    if (layout) return layout;
    throw new BtfError(`Cannot deduplicate BTF type ${id}: its kind is not known`, { typeId: id });
  }

  #unifyNames(btf: Btf, id: number): void {
    renumber(this.words, this.start(id), {
      type: (reference) => {
        if (reference < this.typeCount) return reference;
        throw new BtfError(
          `Cannot deduplicate BTF type ${id}: it refers to type ${reference}, and the last is ${this.typeCount - 1}`,
          { typeId: id },
        );
      },
      string: (offset) => this.strings.addFrom(btf.strings, offset),
    });
  }
}

/** The words of a BTF behind those of its bases. */
function readAll(btf: Btf): { words: Uint32Array<ArrayBuffer>; starts: Uint32Array } {
  const chain: Btf[] = [];
  for (let part: Btf | undefined = btf; part !== undefined; part = part.base) chain.unshift(part);
  const parts = chain.map((part) => ({ firstId: part.firstId, ...readTypeWords(part) }));
  const words = new Uint32Array(parts.reduce((sum, part) => sum + part.words.length, 0));
  const starts = new Uint32Array(btf.typeCount + 1);
  let before = 0;
  for (const part of parts) {
    words.set(part.words, before);
    part.starts.forEach((start, index) => {
      starts[part.firstId + index] = before + start;
    });
    before += part.words.length;
  }
  return { words, starts };
}
