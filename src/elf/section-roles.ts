import type { ElfContainer, ElfSection } from './container.ts';
import { arenaGlobals, arenaOf } from './data-sections.ts';
import type { MapSpec } from './map-spec.ts';

/** Where symbols of a section lead to. */
export class SectionRoles {
  readonly sections: readonly ElfSection[];
  readonly #maps = new Map<number, Map<number, string>>();
  readonly #dataMaps = new Map<number, string>();

  constructor(elf: ElfContainer, maps: ReadonlyMap<string, MapSpec>) {
    this.sections = elf.sections;
    for (const { name, definition } of maps.values()) {
      if (definition.kind === 'data') this.#dataMaps.set(definition.sectionIndex, name);
      else this.#ofSection(definition.sectionIndex).set(definition.offset, name);
    }
    const [arena, globals] = [arenaOf(maps), arenaGlobals(elf.sections)];
    if (arena && globals) this.#dataMaps.set(globals.index, arena.name);
  }

  /** The map at a place in `.maps` or `maps`. */
  mapAt(sectionIndex: number, offset: number): string | undefined {
    return this.#maps.get(sectionIndex)?.get(offset);
  }

  /** The name of the map that a data section becomes. */
  dataMap(sectionIndex: number): string | undefined {
    return this.#dataMaps.get(sectionIndex);
  }

  #ofSection(index: number): Map<number, string> {
    const known = this.#maps.get(index);
    if (known) return known;
    const maps = new Map<number, string>();
    this.#maps.set(index, maps);
    return maps;
  }
}
