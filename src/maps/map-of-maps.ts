import type { BtfValue } from '../btf/index.ts';
import { IdMap } from './descriptor-map.ts';
import type { BpfMap } from './map.ts';
import type { DefaultInput, ElementCodec } from './map-codec.ts';
import { MapType } from './map-type.ts';

/**
 * An array or a hash of maps that are all like the one it was created with (Linux 4.12). They are written as maps and
 * read as ids (Linux 4.14). Replacing one returns when no program uses it through this map any more.
 *
 * @example
 * const tenants = new MapOfMaps(collection.map('tenants'));
 * tenants.set(7, BpfMap.create({ type: MapType.Hash, keySize: 4, valueSize: 8, maxEntries: 1024 }));
 */
export class MapOfMaps<Key = BtfValue, KeyInput = DefaultInput<Key>> extends IdMap<Key, KeyInput> {
  /** @throws ArgumentError for a map of another type */
  constructor(map: BpfMap, codecs: { readonly key?: ElementCodec<Key, KeyInput> } = {}) {
    const types = [MapType.ArrayOfMaps, MapType.HashOfMaps];
    const key = codecs.key ?? (map.codecs.key as ElementCodec<Key, KeyInput>);
    super(map, { types, as: 'a map of maps', key });
  }
}
