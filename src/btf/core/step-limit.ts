import { BtfError } from '../../errors.ts';

/** More steps than any two types of a kernel take: types that each contain the next one twice multiply without end. */
const MAX_STEPS = 1 << 16;

/** Bounds a search through types that somebody else has written. */
export class StepLimit {
  readonly #doing: string;
  #left = MAX_STEPS;

  /** `doing` completes "Cannot …". */
  constructor(doing: string) {
    this.#doing = doing;
  }

  step(steps = 1): void {
    this.#left -= steps;
    if (this.#left < 0) throw this.tooDeep();
  }

  tooDeep(): BtfError {
    return new BtfError(`Cannot ${this.#doing}: a type refers to itself, or they nest too deeply`);
  }
}
