import { requireType } from './family.ts';
import { indexCodec } from './index-codec.ts';
import { KeyedMap } from './keyed-map.ts';
import type { BpfMap } from './map.ts';
import { MapType } from './map-type.ts';
import { redirectCodec, type RedirectInput, type RedirectValue } from './redirect-map.ts';

/**
 * CPUs that XDP programs redirect to (Linux 4.15). `target` is the length of the CPU's queue in packets, at most 16384; a
 * program runs on the packets there where values have 8 bytes (5.9).
 */
export class CpuMap extends KeyedMap<number, RedirectValue, number, RedirectInput> {
  readonly map: BpfMap;

  /** @throws ArgumentError for a map of another type */
  constructor(map: BpfMap) {
    requireType(map, { types: [MapType.CpuMap], as: 'a map of CPUs' });
    super(map.calls, { key: indexCodec, value: redirectCodec(map.valueSize, 'bpf_cpumap_val') });
    this.map = map;
  }
}
