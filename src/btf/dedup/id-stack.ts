/** Type ids on a stack that keeps its memory: emptying an array frees it, thousands of times in one BTF. */
export class IdStack {
  #ids = new Uint32Array(1024);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  at(index: number): number {
    return this.#ids[index] ?? 0;
  }

  push(id: number): void {
    if (this.#length === this.#ids.length) {
      const larger = new Uint32Array(2 * this.#length);
      larger.set(this.#ids);
      this.#ids = larger;
    }
    this.#ids[this.#length++] = id;
  }

  /** 0 where it is empty. */
  pop(): number {
    return this.#length === 0 ? 0 : (this.#ids[--this.#length] ?? 0);
  }

  clear(): void {
    this.#length = 0;
  }
}
