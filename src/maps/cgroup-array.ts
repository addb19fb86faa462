import { DescriptorMap } from './descriptor-map.ts';
import { indexCodec } from './index-codec.ts';
import type { BpfMap } from './map.ts';
import { MapType } from './map-type.ts';

/** Cgroups, written as descriptors of their directories (Linux 4.8). The kernel does not let them be read. */
export class CgroupArray extends DescriptorMap<number> {
  /** @throws ArgumentError for a map of another type */
  constructor(map: BpfMap) {
    super(map, { types: [MapType.CgroupArray], as: 'an array of cgroups', key: indexCodec });
  }
}
