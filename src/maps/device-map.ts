import { requireType } from './family.ts';
import { indexCodec } from './index-codec.ts';
import { KeyedMap } from './keyed-map.ts';
import type { BpfMap } from './map.ts';
import { MapType } from './map-type.ts';
import { redirectCodec, type RedirectInput, type RedirectValue } from './redirect-map.ts';

/**
 * Interfaces that XDP programs redirect to: an array (Linux 4.14) or a hash (5.4), with a program for what is sent there
 * where values have 8 bytes (5.8). An interface that goes away goes from the map.
 *
 * @example
 * const ports = new DeviceMap(collection.map('ports'));
 * ports.set(0, { target: 4, program: collection.program('on_egress') });
 */
export class DeviceMap extends KeyedMap<number, RedirectValue, number, RedirectInput> {
  readonly map: BpfMap;

  /** @throws ArgumentError for a map of another type */
  constructor(map: BpfMap) {
    requireType(map, { types: [MapType.DevMap, MapType.DevMapHash], as: 'a map of interfaces' });
    super(map.calls, { key: indexCodec, value: redirectCodec(map.valueSize, 'bpf_devmap_val') });
    this.map = map;
  }
}
