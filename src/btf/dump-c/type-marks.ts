/** A set of type ids. The kernel has over 100,000 types, for which a `Set` takes far longer to grow than bytes do. */
export class TypeMarks {
  #marks = new Uint8Array(1024);

  has(id: number): boolean {
    return this.#marks[id] === 1;
  }

  add(id: number): void {
    if (id >= this.#marks.length) {
      const larger = new Uint8Array(Math.max(2 * this.#marks.length, id + 1));
      larger.set(this.#marks);
      this.#marks = larger;
    }
    this.#marks[id] = 1;
  }
}
