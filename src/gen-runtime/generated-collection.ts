import type { Collection } from '../loader/index.ts';

/** An object in the kernel, with the names and types of a generated module. Owns what it loaded. */
export class GeneratedCollection<Programs, Maps, Variables, Events> {
  /** The same without types. */
  readonly collection: Collection;
  readonly programs: Programs;
  readonly maps: Maps;
  readonly variables: Variables;
  readonly events: Events;

  constructor(
    collection: Collection,
    parts: {
      readonly programs: Programs;
      readonly maps: Maps;
      readonly variables: Variables;
      readonly events: Events;
    },
  ) {
    this.collection = collection;
    this.programs = parts.programs;
    this.maps = parts.maps;
    this.variables = parts.variables;
    this.events = parts.events;
  }

  /** Gives all descriptors back; what is pinned or linked lives on. Idempotent. */
  close(): void {
    this.collection.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
