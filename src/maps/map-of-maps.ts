import type { BtfValue } from '../btf/index.ts';
import { IdMap } from './descriptor-map.ts';
import { BpfMap } from './map.ts';
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
export class MapOfMaps<Key = BtfValue, KeyInput = DefaultInput<Key>, Inner = BpfMap> extends IdMap<
  Key,
  KeyInput
> {
  readonly #view: (map: BpfMap) => Inner;

  /** `codecs.open` makes of a map in it what {@link open} gives. @throws ArgumentError for a map of another type */
  constructor(
    map: BpfMap,
    codecs: { readonly key?: ElementCodec<Key, KeyInput>; readonly open?: (map: BpfMap) => Inner } = {},
  ) {
    const types = [MapType.ArrayOfMaps, MapType.HashOfMaps];
    const key = codecs.key ?? (map.codecs.key as ElementCodec<Key, KeyInput>);
    super(map, { types, as: 'a map of maps', key });
    this.#view = codecs.open ?? ((inner) => inner as Inner);
  }

  /**
   * Opens the map under a key; undefined where there is none. Whoever asked for it closes it. Needs CAP_SYS_ADMIN.
   *
   * @throws PermissionError; NotFoundError (MAP_NOT_FOUND) for one that has just been replaced and is gone
   */
  open(key: KeyInput): Inner | undefined {
    const id = this.id(key);
    return id === undefined ? undefined : this.typed(BpfMap.fromId(id, { kernel: this.map.kernel }));
  }

  /** A map that is in it, or is to be, with the types of those in it. It stays the caller's. */
  typed(map: BpfMap): Inner {
    return this.#view(map);
  }
}
