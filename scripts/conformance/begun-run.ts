import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LOADERS } from './guest-ledger.ts';
import type { GuestLedger, LoaderName } from './guest-ledger.ts';

/** What an answer depends on. */
export interface BegunRunFacts {
  readonly objectsFolder: string;
  /** File names. */
  readonly objects: readonly string[];
  /** The program that asks libbpf. */
  readonly reference: string;
  /** The kernel's image. */
  readonly image: string;
}

/**
 * What guests have answered so far. A run takes an hour and more; one that is interrupted goes on from here. Each loader's
 * answers hold as long as it, the kernel and the objects are the same: libbpf's, half of the time, outlive changes of ours.
 */
export class BegunRun {
  readonly #folder: string;
  readonly #keys: Readonly<Record<LoaderName, string>>;

  constructor(folder: string, { objectsFolder, objects, reference, image }: BegunRunFacts) {
    this.#folder = folder;
    const asked = createHash('sha256').update(readFileSync(image));
    for (const object of objects) asked.update(object).update(readFileSync(join(objectsFolder, object)));
    this.#keys = {
      libbpf: asked.copy().update(readFileSync(reference)).digest('hex'),
      'ts-xdp': updateWithModules(asked, 'dist').digest('hex'),
    };
  }

  /** Returns how many answers were there. */
  resume(ledger: GuestLedger): number {
    const known = LOADERS.filter((loader) => this.#knows(loader));
    return ledger.collect(this.#folder, known);
  }

  save(ledger: GuestLedger): void {
    mkdirSync(this.#folder, { recursive: true });
    ledger.save(this.#folder);
    for (const loader of LOADERS) writeFileSync(this.#keyFile(loader), this.#keys[loader]);
  }

  /** For a run that has come to its end: the next asks ours anew, and libbpf too where an answer is missing. */
  end(ledger: GuestLedger): void {
    const complete = ledger.answers.libbpf.every((answer) => 'line' in answer);
    for (const loader of complete ? (['ts-xdp'] as const) : LOADERS) {
      rmSync(this.#keyFile(loader), { force: true });
    }
  }

  #knows(loader: LoaderName): boolean {
    const file = this.#keyFile(loader);
    return existsSync(file) && readFileSync(file, 'utf8') === this.#keys[loader];
  }

  #keyFile(loader: LoaderName): string {
    return join(this.#folder, `${loader}.key`);
  }
}

function updateWithModules(hash: Hash, folder: string): Hash {
  for (const path of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    if (path.endsWith('.js')) hash.update(path).update(readFileSync(join(folder, path)));
  }
  return hash;
}
