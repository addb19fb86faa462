import { hashOf } from './string-table.ts';
import type { StringTable } from './string-table.ts';

const encoder = new TextEncoder();

/**
 * Finds types by name. A hash table over the bytes of the names in three flat arrays: the kernel's BTF has 100,000
 * names, and as many strings and map entries would take ten times as long to make as the table.
 */
export class NameIndex {
  readonly #strings: StringTable;
  readonly #nameOffsets: Uint32Array;
  readonly #firstId: number;
  /** For each bucket the index of its first type plus one; 0 for an empty bucket. */
  readonly #buckets: Uint32Array;
  /** For each type the next one in its bucket, as above. */
  readonly #next: Uint32Array;

  /** `nameOffsets` has the string offset of the name of each type from `firstId` on. */
  constructor(strings: StringTable, nameOffsets: Uint32Array, firstId: number) {
    this.#strings = strings;
    this.#nameOffsets = nameOffsets;
    this.#firstId = firstId;
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

  /** The ids of the types with a name, in ascending order. */
  find(name: string): number[] {
    const text = encoder.encode(`${name}\0`);
    const found: number[] = [];
    const bucket = hashOf(text.subarray(0, -1)) & (this.#buckets.length - 1);
    for (let entry = this.#buckets[bucket] ?? 0; entry !== 0; entry = this.#next[entry - 1] ?? 0) {
      if (this.#strings.equals(this.#nameOffsets[entry - 1] ?? 0, text))
        found.push(this.#firstId + entry - 1);
    }
    return found;
  }
}
