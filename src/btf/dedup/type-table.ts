/** Types by a hash. Two flat arrays: with the kernel's BTF as a base there are over 100,000 of them. */
export class TypeTable {
  readonly #buckets: Uint32Array;
  readonly #hashes: Uint32Array;
  /** The id that follows in the same bucket; 0 for none, as void is never in the table. */
  readonly #next: Uint32Array;

  readonly #countSteps: (steps: number) => void;

  constructor(typeCount: number, countSteps: (steps: number) => void) {
    this.#countSteps = countSteps;
    this.#buckets = new Uint32Array(2 ** Math.ceil(Math.log2(typeCount + 1)));
    this.#hashes = new Uint32Array(typeCount);
    this.#next = new Uint32Array(typeCount);
  }

  add(id: number, hash: number): void {
    const bucket = hash & (this.#buckets.length - 1);
    this.#hashes[id] = hash;
    this.#next[id] = this.#buckets[bucket] ?? 0;
    this.#buckets[bucket] = id;
  }

  /** The first type of a hash for which `isMatch` holds, later ones first. */
  find(hash: number, isMatch: (id: number) => boolean): number | undefined {
    let id = this.#buckets[hash & (this.#buckets.length - 1)] ?? 0;
    for (; id !== 0; id = this.#next[id] ?? 0) {
      // The hash is no secret, so that types can be made which all come into one bucket.
      this.#countSteps(1);
      if (this.#hashes[id] === hash && isMatch(id)) return id;
    }
    return undefined;
  }
}
