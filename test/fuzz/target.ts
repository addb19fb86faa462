import type { Dice } from './dice.ts';
import type { Seeds } from './seeds.ts';

/** One way into the library that takes what others have written. */
export interface FuzzTarget {
  readonly name: string;
  mutant(dice: Dice): Uint8Array;
  /**
   * Does with an input what people do with it, and says how it came out. The input alone decides what is done.
   *
   * @throws whatever is no error that the library promises
   */
  exercise(input: Uint8Array): string;
}

export type TargetMaker = (seeds: Seeds) => FuzzTarget;
