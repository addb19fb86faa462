import { ArgumentError } from '../errors.ts';

interface Place {
  readonly file: string;
  /** Path of the object within the file, empty for the whole. */
  readonly path: string;
}

/** Checked access to one object of a configuration file. Every error names file and path. */
export class JsonObject {
  readonly #fields: Readonly<Record<string, unknown>>;
  readonly #place: Place;

  constructor(value: unknown, place: Place) {
    this.#place = place;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw this.#wrong(place.path, value, 'an object');
    }
    this.#fields = value as Record<string, unknown>;
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#fields, name);
  }

  /** The names of all fields but comments, which start with `_`. */
  names(): string[] {
    return Object.keys(this.#fields).filter((name) => !name.startsWith('_'));
  }

  path(name: string): string {
    return this.#place.path === '' ? name : `${this.#place.path}.${name}`;
  }

  /** Throws {@link ArgumentError} for the first field that is none of `known`. */
  allowOnly(known: readonly string[]): void {
    const unknown = this.names().find((name) => !known.includes(name));
    if (unknown !== undefined) {
      throw this.error(unknown, `is not known; ${this.#place.path || 'the file'} has ${known.join(', ')}`);
    }
  }

  object(name: string): JsonObject {
    return new JsonObject(this.#required(name), { file: this.#place.file, path: this.path(name) });
  }

  /** Absent is empty. */
  array(name: string): readonly unknown[] {
    const value = this.has(name) ? this.#fields[name] : [];
    if (!Array.isArray(value)) throw this.#wrong(this.path(name), value, 'an array');
    return value as unknown[];
  }

  objects(name: string): JsonObject[] {
    return this.array(name).map(
      (value, index) =>
        new JsonObject(value, { file: this.#place.file, path: `${this.path(name)}[${String(index)}]` }),
    );
  }

  /** Distinct integers from 0 to `maximum`; absent is empty. */
  integers(name: string, maximum: number): number[] {
    const integers = this.array(name).map((value, index) => {
      if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= maximum)
        return value;
      throw this.#wrong(
        `${this.path(name)}[${String(index)}]`,
        value,
        `an integer from 0 to ${String(maximum)}`,
      );
    });
    return [...new Set(integers)];
  }

  string(name: string): string {
    const value = this.#required(name);
    if (typeof value !== 'string') throw this.#wrong(this.path(name), value, 'a string');
    return value;
  }

  optionalString(name: string): string | undefined {
    return this.has(name) ? this.string(name) : undefined;
  }

  optionalBoolean(name: string): boolean | undefined {
    if (!this.has(name)) return undefined;
    const value = this.#fields[name];
    if (typeof value !== 'boolean') throw this.#wrong(this.path(name), value, 'true or false');
    return value;
  }

  /** A string, or a number as text; undefined where it is absent or null. */
  word(name: string): string | undefined {
    const value = this.#fields[name] ?? undefined;
    if (!this.has(name) || value === undefined) return undefined;
    if (typeof value === 'number') return String(value);
    return this.string(name);
  }

  /** The meaning of one of a few words. */
  choice<Meaning>(name: string, meanings: Readonly<Record<string, Meaning>>): Meaning {
    const word = this.string(name);
    const meaning = Object.hasOwn(meanings, word) ? meanings[word] : undefined;
    if (meaning === undefined) throw this.#wrong(this.path(name), word, oneOf(Object.keys(meanings)));
    return meaning;
  }

  /** Throws {@link ArgumentError} unless `count` entries fit into a map that holds `limit`. */
  checkCount(name: string, count: number, limit: number): void {
    if (count <= limit) return;
    throw this.error(name, `has ${String(count)} entries, and the map in the kernel holds ${String(limit)}`);
  }

  error(name: string, what: string): ArgumentError {
    return this.#error(this.path(name), what);
  }

  /** That a field is not what it must be. */
  unwanted(name: string, wanted: string): ArgumentError {
    return this.#wrong(this.path(name), this.#fields[name], wanted);
  }

  #required(name: string): unknown {
    if (!this.has(name)) throw this.error(name, 'is missing');
    return this.#fields[name];
  }

  #wrong(path: string, value: unknown, wanted: string): ArgumentError {
    return this.#error(path, `is ${describe(value)}, not ${wanted}`);
  }

  #error(path: string, what: string): ArgumentError {
    const { file } = this.#place;
    return new ArgumentError(path || file, `Cannot use the configuration ${file}: ${path || 'it'} ${what}`);
  }
}

function oneOf(words: readonly string[]): string {
  return words.length < 2 ? words.join() : `${words.slice(0, -1).join(', ')} or ${String(words.at(-1))}`;
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object' && value !== null) return 'an object';
  return JSON.stringify(value);
}
