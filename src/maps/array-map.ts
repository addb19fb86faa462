import type { BtfValue } from '../btf/index.ts';
import { requireType } from './family.ts';
import { KeyedMap } from './keyed-map.ts';
import type { BpfMap } from './map.ts';
import type { ElementCodec } from './map-codec.ts';
import { indexCodec } from './index-codec.ts';
import { MapType } from './map-type.ts';

/**
 * An array (Linux 3.19): values under the numbers below its length, all of them there from the start, as zeros. None can
 * be deleted.
 *
 * It does not own the map: closing that ends it.
 */
export class ArrayMap<Value = BtfValue> extends KeyedMap<number, Value, number, unknown> {
  readonly map: BpfMap;

  /** @throws ArgumentError for a map of another type */
  constructor(map: BpfMap, codecs: { readonly value?: ElementCodec<Value> } = {}) {
    requireType(map, { types: [MapType.Array], as: 'an array' });
    super(map.calls, { key: indexCodec, value: codecs.value ?? (map.valueCodec as ElementCodec<Value>) });
    this.map = map;
  }

  get length(): number {
    return this.map.maxEntries;
  }
}
