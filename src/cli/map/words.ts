import { UsageError } from '../exit-code.ts';

/** The words of a command line that follow each other as bpftool has them: `MAP key DATA value DATA any`. */
export class Words {
  readonly #words: readonly string[];
  #at = 0;

  constructor(words: readonly string[]) {
    this.#words = words;
  }

  /** The next word, which stays; undefined at the end. */
  get next(): string | undefined {
    return this.#words[this.#at];
  }

  /** @throws UsageError at the end */
  take(what: string): string {
    const word = this.#words[this.#at++];
    if (word === undefined) throw new UsageError(`${what} is missing`);
    return word;
  }

  /** Takes the next word where it is this one. */
  accept(word: string): boolean {
    if (this.next !== word) return false;
    this.#at++;
    return true;
  }

  /** @throws UsageError where the next word is not this one */
  expect(word: string): void {
    if (this.accept(word)) return;
    const found = this.next === undefined ? 'nothing follows' : `found ${this.next}`;
    throw new UsageError(`${word} is expected, and ${found}`);
  }

  /** Everything up to one of the words, or to the end. */
  takeUntil(stops: readonly string[]): string[] {
    const taken: string[] = [];
    while (this.next !== undefined && !stops.includes(this.next)) taken.push(this.take('a word'));
    return taken;
  }

  /** @throws UsageError where words are left */
  end(): void {
    if (this.next !== undefined) throw new UsageError(`${this.next} is one word too many`);
  }
}
