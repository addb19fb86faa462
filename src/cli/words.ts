import type { Selector } from '../inspect/index.ts';
import { UsageError } from './exit-code.ts';
import { parseId } from './parse-option.ts';

const SELECTORS = ['id', 'name', 'tag', 'pinned'] as const;

/**
 * The words of a command line as bpftool takes them: keywords followed by what they want. What is read is taken away; what
 * nobody takes is an error.
 */
export class Words {
  readonly #words: string[];
  readonly #command: string;

  constructor(words: readonly string[], command: string) {
    this.#words = [...words];
    this.#command = command;
  }

  get empty(): boolean {
    return this.#words.length === 0;
  }

  /** The next word, which stays; undefined at the end. */
  get next(): string | undefined {
    return this.#words[0];
  }

  /** @throws UsageError where no word is left; `what` follows "needs" */
  take(what: string): string {
    const word = this.#words.shift();
    if (word === undefined) throw new UsageError(`${this.#command} needs ${what}`);
    return word;
  }

  /** Takes one of some words. @throws UsageError */
  takeOneOf<Choice extends string>(choices: readonly Choice[], what: string): Choice {
    const word = this.take(what);
    const choice = choices.find((one) => one === word);
    if (choice !== undefined) return choice;
    throw new UsageError(`${this.#command} needs ${what}, not ${word}: ${choices.join(', ')}`);
  }

  /** Takes a keyword where it is the next word. */
  takeIf(keyword: string): boolean {
    if (this.next !== keyword) return false;
    this.#words.shift();
    return true;
  }

  /** Takes a keyword. @throws UsageError where the next word is another */
  expect(keyword: string): void {
    if (this.takeIf(keyword)) return;
    const found = this.next === undefined ? 'nothing follows' : `found ${this.next}`;
    throw new UsageError(`${keyword} is expected, and ${found}`);
  }

  /** Takes everything up to one of the words, or to the end. */
  takeUntil(stops: readonly string[]): string[] {
    const end = this.#words.findIndex((word) => stops.includes(word));
    return this.#words.splice(0, end === -1 ? this.#words.length : end);
  }

  /** Takes `id N`, `name NAME`, `tag TAG`, `pinned PATH`, or one word that says any of these. @throws UsageError */
  takeSelector(what: string): Selector {
    const [first, second] = this.#words;
    const by = SELECTORS.find((one) => one === first);
    const word = this.take(what);
    if (by === undefined || second === undefined) return word;
    const value = this.take(what);
    return { by, value: by === 'id' ? String(parseId(value)) : value };
  }

  /** The same, and undefined where nothing is left. */
  takeSelectorIfAny(): Selector | undefined {
    return this.empty ? undefined : this.takeSelector('');
  }

  /** Takes keywords in any order: true for a flag, the word after it for one that wants a value. @throws UsageError */
  takeOptions<Flag extends string, Value extends string>(known: {
    readonly flags?: readonly Flag[];
    readonly values?: readonly Value[];
  }): { readonly flags: ReadonlySet<Flag>; readonly values: ReadonlyMap<Value, string> } {
    const { flags: knownFlags = [], values: knownValues = [] } = known;
    const flags = new Set<Flag>();
    const values = new Map<Value, string>();
    while (!this.empty) {
      const word = this.take('');
      const flag = knownFlags.find((one) => one === word);
      const value = knownValues.find((one) => one === word);
      if (flag !== undefined) flags.add(flag);
      else if (value !== undefined) values.set(value, this.take(`something after ${word}`));
      else
        throw new UsageError(
          `${this.#command} knows no ${word}: ${[...knownValues, ...knownFlags].join(', ')}`,
        );
    }
    return { flags, values };
  }

  /** @throws UsageError where words are left */
  end(): void {
    const [word] = this.#words;
    if (word !== undefined) throw new UsageError(`${this.#command} takes no ${word} there`);
  }
}

/** All words as what a person calls one thing by. @throws UsageError where there are none, or more */
export function takeWhole(given: readonly string[], command: string): Selector {
  const words = new Words(given, command);
  const selector = words.takeSelector('an id, a name, a tag or a pin');
  words.end();
  return selector;
}
