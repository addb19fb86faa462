import { requireType } from './family.ts';
import { descriptorOf, type DescriptorHolder } from './descriptor.ts';
import type { BpfMap } from './map.ts';
import type { ElementCodec } from './map-codec.ts';

/** What differs between the families whose values are written as descriptors. */
export interface DescriptorFamily<Key, KeyInput = Key> {
  readonly types: readonly number[];
  /** To follow "as": `a map of maps`. */
  readonly as: string;
  readonly key: ElementCodec<Key, KeyInput>;
}

/**
 * A map whose values are written as descriptors of what it then holds on to. It does not own the map: closing that ends
 * it.
 */
export abstract class DescriptorMap<Key, KeyInput = Key> {
  readonly map: BpfMap;
  protected readonly key: ElementCodec<Key, KeyInput>;

  constructor(map: BpfMap, { types, as, key }: DescriptorFamily<Key, KeyInput>) {
    this.map = requireType(map, { types, as });
    this.key = key;
  }

  /**
   * Puts something under a key. The map holds it until it is replaced or deleted.
   *
   * @throws SyscallError: EINVAL for what does not fit, E2BIG past the end
   */
  set(key: KeyInput, value: DescriptorHolder): void {
    const { calls } = this.map;
    this.key.write(calls.key, 0, key);
    // Values may have 8 bytes, of which the descriptor is the first half (sock_map_update_elem_sys()).
    for (let at = 4; at < calls.valueSize; at++) calls.value.setUint8(at, 0);
    calls.value.setUint32(0, descriptorOf(value), true);
    const result = calls.update();
    if (result < 0) throw calls.error('BPF_MAP_UPDATE_ELEM', { doing: 'write to', result });
  }

  /** False where nothing was under the key. */
  delete(key: KeyInput): boolean {
    const { calls } = this.map;
    this.key.write(calls.key, 0, key);
    return calls.remove();
  }
}

/** One that can be read too: the id of what is under a key. */
export abstract class IdMap<Key, KeyInput = Key> extends DescriptorMap<Key, KeyInput> {
  /** Undefined where nothing is under the key. */
  id(key: KeyInput): number | undefined {
    const { calls } = this.map;
    this.key.write(calls.key, 0, key);
    return calls.lookup() ? calls.value.getUint32(0, true) : undefined;
  }

  /** Keys and the ids of what is under them. */
  *entries(): Generator<[key: Key, id: number], undefined> {
    for (const bytes of this.map.keyBytes()) {
      const key = this.key.read(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0);
      const id = this.#idAt(bytes);
      if (id !== undefined) yield [key, id];
    }
  }

  #idAt(key: Uint8Array): number | undefined {
    const value = this.map.getBytes(key);
    return value && new DataView(value.buffer).getUint32(0, true);
  }

  [Symbol.iterator](): Generator<[key: Key, id: number], undefined> {
    return this.entries();
  }
}
