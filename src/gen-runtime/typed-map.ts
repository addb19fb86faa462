import type { BpfMap, UpdateMode } from '../maps/index.ts';
import { isPerCpu, perCpuCodec, type ElementCodec } from '../maps/index.ts';
import type { Codec, Input } from './codec.ts';

/** A map whose keys and values have the types of the object. */
export class TypedMap<Key, Value> {
  /** The map itself: descriptor, pinning, information. */
  readonly map: BpfMap;
  readonly #key: ElementCodec<Key>;
  readonly #value: ElementCodec<Value>;

  /** `value` is the codec of one CPU's value where the map has one for each. */
  constructor(map: BpfMap, { key, value }: { key: Codec<unknown>; value: Codec<unknown> }) {
    this.map = map;
    this.#key = elementOf(key) as ElementCodec<Key>;
    const element = elementOf(value);
    const whole = isPerCpu(map.type) ? perCpuCodec(element, map.kernel.possibleCpus()) : element;
    this.#value = whole as ElementCodec<Value>;
  }

  /** The value under a key; undefined where there is none. @throws ValueError for a key that does not fit */
  get(key: Input<Key>): Value | undefined {
    const bytes = this.map.getBytes(this.#key.write(key));
    return bytes && this.#value.read(bytes);
  }

  /**
   * Writes one entry.
   *
   * @throws ValueError where key or value do not fit; SyscallError with E2BIG where the map is full, EEXIST for
   * mode `new`, ENOENT for mode `existing`
   */
  set(key: Input<Key>, value: Input<Value>, options: { readonly mode?: UpdateMode } = {}): void {
    this.map.setBytes(this.#key.write(key), this.#value.write(value), options);
  }

  /** Removes one entry; false where there was none. */
  delete(key: Input<Key>): boolean {
    return this.map.deleteBytes(this.#key.write(key));
  }

  /** The keys, with the guarantees of {@link BpfMap.keys}. */
  *keys(): Generator<Key, undefined> {
    for (const key of this.map.keyBytes()) yield this.#key.read(key);
  }

  /** Keys and values, with the same guarantees. */
  *entries(): Generator<[key: Key, value: Value], undefined> {
    for (const key of this.map.keyBytes()) {
      const value = this.map.getBytes(key);
      if (value) yield [this.#key.read(key), this.#value.read(value)];
    }
  }

  [Symbol.iterator](): Generator<[key: Key, value: Value], undefined> {
    return this.entries();
  }
}

function elementOf(codec: Codec<unknown>): ElementCodec<unknown> {
  const { size, typeName } = codec;
  return {
    size,
    typeName,
    read: ({ buffer, byteOffset, length }) => codec.read(new DataView(buffer, byteOffset, length), 0),
    write(value) {
      const bytes = new Uint8Array(size);
      codec.write(new DataView(bytes.buffer), 0, value);
      return bytes;
    },
  };
}
