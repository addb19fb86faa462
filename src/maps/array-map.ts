import type { BtfValue } from '../btf/index.ts';
import { requireType } from './family.ts';
import { KeyedMap, type EntryCodecs } from './keyed-map.ts';
import type { BpfMap } from './map.ts';
import type { DefaultInput, ElementCodec } from './map-codec.ts';
import { indexCodec } from './index-codec.ts';
import { MapType } from './map-type.ts';

/**
 * An array (Linux 3.19): values under the numbers below its length, all of them there from the start, as zeros. None can
 * be deleted.
 *
 * It does not own the map: closing that ends it.
 */
export class ArrayMap<
  Value = BtfValue,
  ValueInput = DefaultInput<Value>,
  Key = number,
  KeyInput = DefaultInput<Key>,
> extends KeyedMap<Key, Value, KeyInput, ValueInput> {
  readonly map: BpfMap;

  /** `codecs.key` is for keys that are more than numbers, such as enumerators. @throws ArgumentError for a map of another type */
  constructor(map: BpfMap, codecs: Partial<EntryCodecs<Key, Value, KeyInput, ValueInput>> = {}) {
    requireType(map, { types: [MapType.Array], as: 'an array' });
    super(map.calls, {
      key: codecs.key ?? (indexCodec as ElementCodec<unknown> as ElementCodec<Key, KeyInput>),
      value: codecs.value ?? (map.valueCodec as ElementCodec<Value, ValueInput>),
    });
    this.map = map;
  }

  get length(): number {
    return this.map.maxEntries;
  }
}
