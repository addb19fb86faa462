import { randomNumbers } from '../helpers/random-numbers.ts';

/** Random choices that a seed alone decides. */
export class Dice {
  readonly below: (limit: number) => number;

  constructor(seed: number) {
    this.below = randomNumbers(seed === 0 ? 1 : seed);
  }

  pick<Item>(items: ArrayLike<Item>): Item {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new Error('nothing to pick from');
    return item;
  }

  /** True once in so many times. */
  onceIn(times: number): boolean {
    return this.below(times) === 0;
  }

  /** A number that is on, or just off, some limit of 1, 2, 4 or 8 bytes. */
  limit(bits: number): bigint {
    const powers = [0, 1, 2, 3, 4, 7, 8, 12, 15, 16, 24, 31, 32, 48, 53, 63, 64].filter((it) => it <= bits);
    const value = (1n << BigInt(this.pick(powers))) + BigInt(this.below(3) - 1);
    return BigInt.asUintN(bits, this.onceIn(4) ? -value : value);
  }
}

/** A seed for one input of many: neighbours must not have anything in common (the finalizer of MurmurHash3). */
export function seedOf(...parts: readonly number[]): number {
  let hash = 0x9747b28c;
  for (const part of parts) {
    hash = Math.imul(hash ^ part, 0xcc9e2d51);
    hash ^= hash >>> 16;
    hash = Math.imul(hash, 0x85ebca6b);
    hash ^= hash >>> 13;
    hash = Math.imul(hash, 0xc2b2ae35);
    hash ^= hash >>> 16;
  }
  return hash;
}
