import { DescriptorMap } from './descriptor-map.ts';
import { indexCodec } from './index-codec.ts';
import type { BpfMap } from './map.ts';
import { MapType } from './map-type.ts';

/**
 * Perf events by the number of a CPU, that programs read counters of or write samples to (Linux 4.3). The kernel does
 * not let them be read, and takes an event out when the descriptor closes that it was put in by, unless the map has
 * `BPF_F_PRESERVE_ELEMS` (Linux 5.10).
 */
export class PerfEventArray extends DescriptorMap<number> {
  /** @throws ArgumentError for a map of another type */
  constructor(map: BpfMap) {
    super(map, { types: [MapType.PerfEventArray], as: 'an array of perf events', key: indexCodec });
  }
}
