import type { BtfValue } from '../btf/index.ts';
import { requireType } from './family.ts';
import { KeyedMap, type EntryCodecs } from './keyed-map.ts';
import type { BpfMap } from './map.ts';
import type { DefaultInput } from './map-codec.ts';
import { MapType } from './map-type.ts';

/**
 * A hash (Linux 3.19), or one that lets the least recently used entries go when it is full (LRU, Linux 4.10): there a
 * value that was written may be gone when it is read.
 *
 * It does not own the map: closing that ends it.
 */
export class HashMap<
  Key = BtfValue,
  Value = BtfValue,
  KeyInput = DefaultInput<Key>,
  ValueInput = DefaultInput<Value>,
> extends KeyedMap<Key, Value, KeyInput, ValueInput> {
  readonly map: BpfMap;

  /** @throws ArgumentError for a map of another type */
  constructor(map: BpfMap, codecs: Partial<EntryCodecs<Key, Value, KeyInput, ValueInput>> = {}) {
    requireType(map, { types: [MapType.Hash, MapType.LruHash], as: 'a hash' });
    super(map.calls, { ...(map.codecs as EntryCodecs<Key, Value, KeyInput, ValueInput>), ...codecs });
    this.map = map;
  }

  /** Whether entries may go by themselves. */
  get evicts(): boolean {
    return this.map.type === MapType.LruHash;
  }
}
