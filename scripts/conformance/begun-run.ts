import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GuestLedger } from './guest-ledger.ts';

/**
 * What guests have answered so far. A run takes an hour and more; one that is interrupted goes on from here, unless the
 * loader or the objects are others by then.
 */
export class BegunRun {
  readonly #folder: string;
  readonly #key: string;

  constructor(
    folder: string,
    { objectsFolder, objects }: { objectsFolder: string; objects: readonly string[] },
  ) {
    this.#folder = folder;
    const hash = createHash('sha256');
    for (const object of objects) hash.update(object).update(readFileSync(join(objectsFolder, object)));
    for (const path of readdirSync('dist', { recursive: true, encoding: 'utf8' }).sort()) {
      if (path.endsWith('.js')) hash.update(path).update(readFileSync(join('dist', path)));
    }
    this.#key = hash.digest('hex');
  }

  /** Returns how many answers were there. */
  resume(ledger: GuestLedger): number {
    const path = join(this.#folder, 'key');
    if (!existsSync(path) || readFileSync(path, 'utf8') !== this.#key) return 0;
    return ledger.collect(this.#folder);
  }

  save(ledger: GuestLedger): void {
    mkdirSync(this.#folder, { recursive: true });
    ledger.save(this.#folder);
    writeFileSync(join(this.#folder, 'key'), this.#key);
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
