import type { Dice } from './dice.ts';
import { mutateText } from './mutate-plain.ts';
import type { FuzzTarget } from './target.ts';

export const decode = (input: Uint8Array): string => Buffer.from(input).toString('utf8');

/** Mutants of texts, with words that mean something where they are read. */

export function textTarget(
  name: string,
  { texts, words }: { texts: readonly string[]; words: readonly string[] },
  exercise: (text: string) => string,
): FuzzTarget {
  return {
    name,
    mutant: (dice: Dice) => Buffer.from(mutateText(dice.pick(texts), { dice, words })),
    exercise: (input) => exercise(decode(input)),
  };
}
