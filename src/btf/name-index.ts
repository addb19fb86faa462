import type { BtfKind } from './kind.ts';
import { hashOf } from './string-table.ts';
import type { StringTable } from './string-table.ts';
import type { TypeIndex } from './type-index.ts';

/**
 * Names looked for one by one before a table is made. In code that the compiler has not met yet the table takes as long
 * as a hundred of them, later as long as ten; an object that names more types than this is rare.
 */
const SINGLE_SEARCHES = 64;
/** What is found of a name that more types share is kept: of a hundred thousand, others may ask as often. */
const FEW_TYPES = 8;

/**
 * Finds types by name. The first few names are searched for in the bytes of the strings, and then their offsets in the words
 * of the types: both are one native pass, and most objects need no more. What they found is kept, as programs are loaded
 * more than once. After that there is a table.
 */
export class NameIndex {
  readonly #strings: StringTable;
  readonly #types: TypeIndex;
  readonly #firstId: number;
  readonly #ownStrings: boolean;
  readonly #found = new Map<string, readonly number[]>();
  readonly #foundByKind = new WeakMap<readonly number[], Map<BtfKind, number[]>>();
  #nameOffsets: Uint32Array | undefined;
  #table: NameTable | undefined;

  /** `ownStrings`: no name is the end of a longer string, unless there is no string of that name. */
  constructor(
    strings: StringTable,
    types: TypeIndex,
    { firstId, ownStrings }: { firstId: number; ownStrings: boolean },
  ) {
    this.#strings = strings;
    this.#types = types;
    this.#firstId = firstId;
    this.#ownStrings = ownStrings;
  }

  /** The ids of the types with a name, in ascending order. */
  find(name: string): readonly number[] {
    const known = this.#found.get(name);
    if (known) return known;
    const text = Buffer.from(`${name}\0`);
    // The empty name is at every NUL.
    const single = this.#table === undefined && name !== '' && this.#found.size < SINGLE_SEARCHES;
    const ids = (single ? this.#search(text) : this.#lookUp(text)).map((index) => this.#firstId + index);
    if (single || ids.length > FEW_TYPES) this.#found.set(name, ids);
    return ids;
  }

  /** Those of one kind among them. */
  findOf(
    kind: BtfKind,
    { name, kindOf }: { name: string; kindOf: (id: number) => BtfKind },
  ): readonly number[] {
    const ids = this.find(name);
    const [only] = ids;
    if (only === undefined || (ids.length === 1 && kindOf(only) === kind)) return ids;
    if (ids.length <= FEW_TYPES) return ids.filter((id) => kindOf(id) === kind);
    let kinds = this.#foundByKind.get(ids);
    if (kinds === undefined) {
      kinds = new Map<BtfKind, number[]>();
      for (const id of ids) {
        const others = kinds.get(kindOf(id));
        if (others) others.push(id);
        else kinds.set(kindOf(id), [id]);
      }
      this.#foundByKind.set(ids, kinds);
    }
    return kinds.get(kind) ?? [];
  }

  #lookUp(text: Uint8Array): number[] {
    this.#nameOffsets ??= this.#types.nameOffsets();
    this.#table ??= new NameTable(this.#strings, this.#nameOffsets);
    return this.#table.find(text);
  }

  #search(text: Uint8Array): number[] {
    const own = this.#ownStrings ? this.#strings.offsetOfWhole(text) : undefined;
    const found = own === undefined ? [] : this.#named(new Set([own]));
    return found.length > 0 ? found : this.#named(this.#strings.offsetsOf(text));
  }

  #named(offsets: ReadonlySet<number>): number[] {
    const [only] = offsets;
    if (only === undefined) return [];
    const places = offsets.size === 1 ? this.#types.named(only) : undefined;
    if (places) return places;
    const found: number[] = [];
    this.#nameOffsets ??= this.#types.nameOffsets();
    const nameOffsets = this.#nameOffsets;
    for (let index = 0; index < nameOffsets.length; index++)
      if (offsets.has(nameOffsets[index] ?? 0)) found.push(index);
    return found;
  }
}

/**
 * A hash table over the bytes of the names in three flat arrays: the kernel's BTF has 100,000 names, and as many strings
 * and map entries would take ten times as long to make as the table.
 */
class NameTable {
  readonly #strings: StringTable;
  readonly #nameOffsets: Uint32Array;
  /** For each bucket the index of its first type plus one; 0 for an empty bucket. */
  readonly #buckets: Uint32Array;
  /** For each type the next one in its bucket, as above. */
  readonly #next: Uint32Array;

  constructor(strings: StringTable, nameOffsets: Uint32Array) {
    this.#strings = strings;
    this.#nameOffsets = nameOffsets;
    this.#buckets = new Uint32Array(2 ** Math.ceil(Math.log2(nameOffsets.length + 1)));
    this.#next = new Uint32Array(nameOffsets.length);
    const mask = this.#buckets.length - 1;
    // Backwards, so that each bucket lists its types in the order of their ids.
    for (let index = nameOffsets.length - 1; index >= 0; index--) {
      const offset = nameOffsets[index] ?? 0;
      if (offset === 0 || offset >= strings.length) continue;
      const bucket = strings.hash(offset) & mask;
      this.#next[index] = this.#buckets[bucket] ?? 0;
      this.#buckets[bucket] = index + 1;
    }
  }

  /** Indexes of the types with a name, which ends in its NUL. */
  find(text: Uint8Array): number[] {
    const found: number[] = [];
    const bucket = hashOf(text.subarray(0, -1)) & (this.#buckets.length - 1);
    for (let entry = this.#buckets[bucket] ?? 0; entry !== 0; entry = this.#next[entry - 1] ?? 0) {
      if (this.#strings.equals(this.#nameOffsets[entry - 1] ?? 0, text)) found.push(entry - 1);
    }
    return found;
  }
}
