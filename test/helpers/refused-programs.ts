/** The programs of test/fixtures/loader/refusals.bpf.c: each breaks one rule of the verifier. */
import { VerifierError } from '../../src/errors.ts';
import { Collection, ObjectFile } from '../../src/index.ts';
import type { Compiler } from './compile.ts';
import { thrown } from './thrown.ts';

/** Refused for its license, so that it needs an object of another one. */
const LICENSE = 'license_needed';

export class RefusedPrograms {
  readonly names: readonly string[];
  readonly #path: string;
  readonly #proprietary: string;

  constructor(compiler: Compiler) {
    this.#path = compiler.fixture('refusals');
    const flags = ['-DLICENSE="Proprietary"'];
    this.#proprietary = compiler.fixture('refusals', { name: 'refusals.proprietary.bpf.o', flags });
    this.names = [...ObjectFile.open(this.#path).programs.keys()];
  }

  refuse(name: string): VerifierError {
    const object = ObjectFile.open(name === LICENSE ? this.#proprietary : this.#path);
    const error = thrown(() => Collection.load(object, { programs: [name] }));
    if (error instanceof VerifierError) return error;
    throw error;
  }
}
