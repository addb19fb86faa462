import type { Variable } from '../loader/index.ts';
import type { Input } from '../btf/index.ts';
import type { Codec } from './codec.ts';

/** A global variable that cannot change once the object is loaded, of `.rodata`. */
export interface ReadOnlyVariable<Value> {
  /** @throws ClosedError after the collection closed */
  get(): Value;
}

/** A global variable of a loaded object, read and written in the memory that its programs use. */
export class TypedVariable<Value> implements ReadOnlyVariable<Value> {
  readonly #variable: Variable;
  readonly #codec: Codec<Value>;

  constructor(variable: Variable, codec: Codec<Value>) {
    this.#variable = variable;
    this.#codec = codec;
  }

  /** @throws ClosedError after the collection closed */
  get(): Value {
    const codec = this.#codec;
    return this.#variable.read((view, at, end) => codec.read(view, at, end));
  }

  /** @throws ValueError where it does not fit; ArgumentError for a variable of `.rodata`; ClosedError */
  set(value: Input<Value>): void {
    const codec = this.#codec;
    this.#variable.write((view, at, end) => {
      codec.write(view, at, value, end);
    });
  }
}
