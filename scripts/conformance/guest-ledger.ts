import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Answer } from './loaders/ask.ts';

export const LOADERS = ['libbpf', 'ts-xdp'] as const;
export type LoaderName = (typeof LOADERS)[number];

/** Objects that one loader has not been asked about. */
export interface Remainder {
  readonly name: LoaderName;
  readonly objects: readonly string[];
}

/** What guests answered, of which there may be several: an object may end one. */
export class GuestLedger {
  readonly answers: Readonly<Record<LoaderName, Answer[]>> = { libbpf: [], 'ts-xdp': [] };
  readonly #objects: readonly string[];

  constructor(objects: readonly string[]) {
    this.#objects = objects;
  }

  /** In the order in which a guest asks; of each loader no more than the first `most` objects of all that are left. */
  remaining({ most = Infinity } = {}): Remainder[] {
    const left = LOADERS.map((name) => {
      const answered = new Set(this.answers[name].map(({ object }) => object));
      return { name, objects: this.#objects.filter((object) => !answered.has(object)) };
    });
    const next = new Set(
      this.#objects.filter((object) => left.some(({ objects }) => objects.includes(object))).slice(0, most),
    );
    return left
      .map(({ name, objects }) => ({ name, objects: objects.filter((object) => next.has(object)) }))
      .filter(({ objects }) => objects.length > 0);
  }

  /** Takes over what a guest left in a folder, one file for each loader; says how many answers that were. */
  collect(folder: string, loaders: readonly LoaderName[] = LOADERS): number {
    let count = 0;
    for (const name of loaders) {
      const path = join(folder, `${name}.jsonl`);
      if (!existsSync(path)) continue;
      // The last line may have been cut by the end of the guest.
      const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
      for (const line of lines) this.answers[name].push(JSON.parse(line) as Answer);
      count += lines.length;
    }
    return count;
  }

  /** Writes what {@link GuestLedger.collect} reads. */
  save(folder: string): void {
    for (const name of LOADERS) {
      const lines = this.answers[name].map((answer) => `${JSON.stringify(answer)}\n`);
      writeFileSync(join(folder, `${name}.jsonl`), lines.join(''));
    }
  }

  /** Answers for the object that a guest was at when it ended: the first of what it was asked without an answer. */
  blame(reason: string, asked: readonly Remainder[]): void {
    for (const { name, objects } of asked) {
      const answered = new Set(this.answers[name].map(({ object }) => object));
      const guilty = objects.find((object) => !answered.has(object));
      if (guilty === undefined) continue;
      this.answers[name].push({ object: guilty, missing: `the guest ended: ${reason}` });
      return;
    }
  }
}
