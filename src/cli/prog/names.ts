import { fullProgramName, openIfThere } from '../../inspect/index.ts';
import type { Kernel } from '../../sys/index.ts';

/** Names of programs by id, each read once. */
export class ProgramNames {
  readonly #kernel: Kernel;
  readonly #known = new Map<number, string>();

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** Empty for one without a name, and one that went away. */
  of(id: number): string {
    const known = this.#known.get(id);
    if (known !== undefined) return known;
    using fd = openIfThere(this.#kernel, 'program', id);
    const name = fd ? fullProgramName(this.#kernel, fd) : '';
    this.#known.set(id, name);
    return name;
  }
}
