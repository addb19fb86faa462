import type { BtfValue } from '../btf/index.ts';
import { ArgumentError } from '../errors.ts';
import { DescriptorMap } from './descriptor-map.ts';
import type { BpfMap } from './map.ts';
import type { DefaultInput, ElementCodec } from './map-codec.ts';
import { MapType } from './map-type.ts';

/**
 * Sockets: by number (sockmap, Linux 4.14), by key (sockhash, 4.18), or for choosing one of a reuseport group (4.19). They
 * are written as descriptors. A socket that closes goes from the map.
 */
export class SocketMap<Key = BtfValue, KeyInput = DefaultInput<Key>> extends DescriptorMap<Key, KeyInput> {
  /** @throws ArgumentError for a map of another type */
  constructor(map: BpfMap, codecs: { readonly key?: ElementCodec<Key, KeyInput> } = {}) {
    const types = [MapType.SockMap, MapType.SockHash, MapType.ReuseportSockArray];
    const key = codecs.key ?? (map.codecs.key as ElementCodec<Key, KeyInput>);
    super(map, { types, as: 'a map of sockets', key });
  }

  /**
   * The cookie of the socket under a key, as `SO_COOKIE` gives it; undefined where there is none. Linux 5.1 and 5.7.
   *
   * @throws ArgumentError where the map's values have no 8 bytes, which is what the kernel needs to say it
   */
  cookie(key: KeyInput): bigint | undefined {
    const { calls, name } = this.map;
    if (calls.valueSize !== 8) {
      const message = `Cannot read map ${name}: its values have ${calls.valueSize} bytes, and a socket's cookie has 8`;
      throw new ArgumentError('map', message, { hint: 'give the map values of 8 bytes' });
    }
    this.key.write(calls.key, 0, key);
    return calls.lookup() ? calls.value.getBigUint64(0, true) : undefined;
  }
}
