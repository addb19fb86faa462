import type { BtfValue } from '../btf/index.ts';
import { requireType } from './family.ts';
import { bytesPrefixCodec, ipPrefixCodec, type BytesPrefix, type IpPrefix } from './ip-prefix.ts';
import { KeyedMap } from './keyed-map.ts';
import type { BpfMap } from './map.ts';
import type { ElementCodec } from './map-codec.ts';
import { MapType } from './map-type.ts';

/**
 * A trie of prefixes (Linux 4.11): reading finds the longest one that a key begins with. Its keys are 32 bits of length in
 * the machine's order and then the bytes.
 *
 * The kernel walks its prefixes from the longest to the shorter ones within them; it has batches since Linux 5.13.
 * It does not own the map: closing that ends it.
 */
export class LpmTrie<Key, Value> extends KeyedMap<Key, Value, Key | string, unknown> {
  readonly map: BpfMap;

  private constructor(map: BpfMap, codecs: { key: ElementCodec<Key>; value: ElementCodec<Value> }) {
    requireType(map, { types: [MapType.LpmTrie], as: 'a trie of prefixes' });
    super(map.calls, codecs);
    this.map = map;
  }

  /**
   * A trie of IPv4 or IPv6 prefixes, as its keys have 4 or 16 bytes of data.
   *
   * @throws ArgumentError for a map of another type
   *
   * @example
   * const routes = LpmTrie.ofAddresses(collection.map('routes'));
   * routes.set({ address: '10.0.0.0', prefixLength: 8 }, 1);
   * routes.get('10.1.2.3'); // 1
   */
  static ofAddresses<Value = BtfValue>(
    map: BpfMap,
    codecs: { readonly value?: ElementCodec<Value> } = {},
  ): LpmTrie<IpPrefix, Value> {
    const value = codecs.value ?? (map.valueCodec as ElementCodec<Value>);
    return new LpmTrie(map, { key: ipPrefixCodec(map.keySize), value });
  }

  /** A trie of bytes of any kind. @throws ArgumentError for a map of another type */
  static ofBytes<Value = BtfValue>(
    map: BpfMap,
    codecs: { readonly value?: ElementCodec<Value> } = {},
  ): LpmTrie<BytesPrefix, Value> {
    const value = codecs.value ?? (map.valueCodec as ElementCodec<Value>);
    return new LpmTrie(map, { key: bytesPrefixCodec(map.keySize), value });
  }
}
