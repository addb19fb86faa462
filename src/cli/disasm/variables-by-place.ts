import type { VariableSpec } from '../../elf/index.ts';

/** The variables of each section in the order of their places, so that the one at an offset is found by halving. */
export class VariablesByPlace {
  readonly #sections = new Map<string, VariableSpec[]>();

  constructor(variables: Iterable<VariableSpec>) {
    for (const variable of variables) {
      if (variable.size === 0) continue;
      const inSection = this.#sections.get(variable.section);
      if (inSection) inSection.push(variable);
      else this.#sections.set(variable.section, [variable]);
    }
    for (const [section, inSection] of this.#sections) {
      inSection.sort((a, b) => a.offset - b.offset);
      // Of several names of one place the first counts.
      const places = inSection.filter(({ offset }, index) => offset !== inSection[index - 1]?.offset);
      this.#sections.set(section, places);
    }
  }

  /** The variable that has the byte at an offset of a section. */
  at(section: string, offset: number): VariableSpec | undefined {
    const variables = this.#sections.get(section) ?? [];
    let [low, high] = [0, variables.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((variables[middle]?.offset ?? 0) <= offset) low = middle + 1;
      else high = middle;
    }
    const found = variables[low - 1];
    return found !== undefined && offset < found.offset + found.size ? found : undefined;
  }
}
