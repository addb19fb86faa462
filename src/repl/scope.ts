import * as library from '../index.ts';
import type { BtfValue } from '../btf/index.ts';
import type { BpfMap } from '../maps/index.ts';
import type { LoadChoice, Session } from './session.ts';

const IDENTIFIER = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;

/** The names under which a session's object is found, in this order where two things have the same name. */
const GROUPS = ['programs', 'maps', 'variables'] as const;
export type Group = (typeof GROUPS)[number];

/**
 * What is in scope at the prompt: the library, `load` and `dump`, and the session's object with everything in it.
 *
 * Names are properties of the global object of this realm, not of a context of its own: there, `Uint8Array` and
 * `Error` would be other classes than the library's, and no bytes made at the prompt would be taken for bytes.
 */
export class Scope {
  readonly #session: Session;
  /** Taken before this scope came: the language, Node, and the library itself. */
  readonly #taken: ReadonlySet<string>;
  #defined = new Set<string>();
  #ofObject: string[] = [];

  constructor(session: Session) {
    this.#session = session;
    for (const [name, value] of Object.entries(library)) this.#define(name, { value });
    this.#define('load', { value: (name: string, choice?: LoadChoice) => session.load(name, choice) });
    this.#define('dump', { value: dump });
    this.#define('attachments', { get: () => session.attachments });
    for (const name of ['object', 'collection', ...GROUPS]) this.#define(name, { value: undefined });
    this.#taken = globalNames();
    session.onChange(() => {
      this.refresh();
    });
    this.refresh();
  }

  /** The session's programs, maps or variables by name: of the kernel where it is loaded, else as they were read. */
  members(group: Group): ReadonlyMap<string, unknown> {
    const { collection, object } = this.#session;
    return (collection ?? object)?.[group] ?? new Map<string, unknown>();
  }

  /** Puts the object that the session holds now in the place of the one before. */
  refresh(): void {
    for (const name of this.#ofObject) this.#remove(name);
    this.#ofObject = [];
    const { object, collection } = this.#session;
    this.#define('object', { value: object });
    this.#define('collection', { value: collection });
    for (const group of GROUPS) {
      const members = this.members(group);
      this.#define(group, {
        value: Object.assign(Object.create(null) as object, Object.fromEntries(members)),
      });
      for (const [name, value] of members) this.#defineMember(name, value);
    }
  }

  /** Takes every name away again. */
  close(): void {
    for (const name of this.#defined) this.#remove(name);
  }

  #defineMember(name: string, value: unknown): void {
    if (!IDENTIFIER.test(name) || this.#taken.has(name) || this.#ofObject.includes(name)) return;
    this.#ofObject.push(name);
    this.#define(name, { value });
  }

  #define(name: string, content: { value: unknown } | { get: () => unknown }): void {
    const writable = 'value' in content ? { writable: true } : {};
    Object.defineProperty(globalThis, name, {
      ...content,
      ...writable,
      configurable: true,
      enumerable: false,
    });
    this.#defined.add(name);
  }

  #remove(name: string): void {
    Reflect.deleteProperty(globalThis, name);
    this.#defined.delete(name);
  }
}

/** A whole map as a Map, which prints well: `entries()` alone is a generator that shows nothing. */
function dump(map: BpfMap): Map<BtfValue, BtfValue> {
  return new Map(map.entries());
}

function globalNames(): Set<string> {
  const names = new Set<string>();
  for (
    let holder: object | null = globalThis;
    holder;
    holder = Object.getPrototypeOf(holder) as object | null
  ) {
    for (const name of Object.getOwnPropertyNames(holder)) names.add(name);
  }
  return names;
}
