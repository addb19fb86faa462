import type { BtfValue } from '../btf/index.ts';
import { ArgumentError } from '../errors.ts';
import { requireType } from './family.ts';
import { bytesPrefixCodec, ipPrefixCodec, type BytesPrefix, type IpPrefix } from './ip-prefix.ts';
import { KeyedMap, type EntryCodecs } from './keyed-map.ts';
import type { BpfMap } from './map.ts';
import type { DefaultInput, ElementCodec } from './map-codec.ts';
import { MapType } from './map-type.ts';

/** What may be given where a key of a trie is read. */
type PrefixInput<Key> = [Key] extends [IpPrefix]
  ? IpPrefix | string
  : [Key] extends [BytesPrefix]
    ? BytesPrefix
    : DefaultInput<Key>;

/**
 * A trie of prefixes (Linux 4.11): reading finds the longest one that a key begins with. Its keys are 32 bits of length in
 * the machine's order and then the bytes.
 *
 * The kernel walks its prefixes from the longest to the shorter ones within them; it has batches since Linux 5.13.
 * It does not own the map: closing that ends it.
 */
export class LpmTrie<
  Key = BtfValue,
  Value = BtfValue,
  KeyInput = PrefixInput<Key>,
  ValueInput = DefaultInput<Value>,
> extends KeyedMap<Key, Value, KeyInput, ValueInput> {
  readonly map: BpfMap;

  /**
   * A trie whose keys are as `codecs.key` says, or as BTF does.
   *
   * @throws ArgumentError for a map of another type
   */
  constructor(map: BpfMap, codecs: Partial<EntryCodecs<Key, Value, KeyInput, ValueInput>> = {}) {
    requireType(map, { types: [MapType.LpmTrie], as: 'a trie of prefixes' });
    super(map.calls, { ...(map.codecs as EntryCodecs<Key, Value, KeyInput, ValueInput>), ...codecs });
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
  static ofAddresses<Value = BtfValue, ValueInput = DefaultInput<Value>>(
    map: BpfMap,
    codecs: { readonly value?: ElementCodec<Value, ValueInput> } = {},
  ): LpmTrie<IpPrefix, Value, IpPrefix | string, ValueInput> {
    requireType(map, { types: [MapType.LpmTrie], as: 'a trie of prefixes' });
    return new LpmTrie(map, { key: ipPrefixCodec(map.keySize), ...codecs });
  }

  /** A trie of bytes of any kind. @throws ArgumentError for a map of another type */
  static ofBytes<Value = BtfValue, ValueInput = DefaultInput<Value>>(
    map: BpfMap,
    codecs: { readonly value?: ElementCodec<Value, ValueInput> } = {},
  ): LpmTrie<BytesPrefix, Value, BytesPrefix, ValueInput> {
    requireType(map, { types: [MapType.LpmTrie], as: 'a trie of prefixes' });
    return new LpmTrie(map, { key: bytesPrefixCodec(map.keySize), ...codecs });
  }

  /**
   * The same trie by prefixes of IPv4 or IPv6, with the values of this one.
   *
   * @throws ArgumentError where keys have neither 4 nor 16 bytes of data
   */
  get addresses(): LpmTrie<IpPrefix, Value, IpPrefix | string, ValueInput> {
    const { keySize, name } = this.map;
    if (keySize !== 8 && keySize !== 20) {
      const message = `Cannot use map ${name} by addresses: its keys have ${keySize - 4} bytes of data, and addresses 4 or 16`;
      throw new ArgumentError('map', message);
    }
    return LpmTrie.ofAddresses(this.map, { value: this.codecs.value });
  }
}
